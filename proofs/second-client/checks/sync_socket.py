"""The socket of replicas: hello, subscribe, push, presence, roles, endings."""
import signal
import time

from client import (SYNC, Book, Person, Socket, Sync, create_contact, handshake_status, new_id, now_ms, sign_up)

from . import C, D, U, has, near, one_of, only


def head_hash(book, seq):
    return book.owner.get(f"{book.path}/entries/{seq}/hash").json["hash"]


def hello(**more):
    return {"type": "hello", "protocol": 1, "replica": new_id(), "client": "proof/1", **more}


def check_hello(w):
    with Sync(w.ana) as sync:
        w.like('welcome {protocol,server_at,user:{id,name},limits}', only({
            "type": "welcome", "protocol": 1, "server_at": near(now_ms()), "user": only({"id": w.ana.id, "name": "Ana"}),
            "limits": dict}), sync.welcome)
        w.like("the subprotocol", SYNC, sync.line.subprotocol)
    stranger = Person(w.url)
    with Socket(stranger) as socket:
        w.like("hello with token", {"type": "welcome", "user": {"id": w.ana.id}}, socket.send(hello(token=w.ana.token)).next())
    for says, frame, code in (
            ("a wrong token", hello(token="nonsense"), 4401), ("no token", hello(), 4401),
            ("not even an envelope: no JSON", "nonsense", 4400), ("not even an envelope: a list", [], 4400),
            ("not even an envelope: no type", {"protocol": 1}, 4400), ("not even an envelope: binary", b"\x00\x01", 4400)):
        with Socket(stranger) as socket:
            got, last = socket.send(frame).close_code(5)
            w.like(f"{code}: {says}", code, got)
            w.like(f"error {{code,detail}}, then the socket closes: {says}", {"type": "error", "code": str, "detail": str}, last)
    for says, frame in (("another protocol", {**hello(), "protocol": 2}), ("no replica", {"type": "hello", "protocol": 1}),
                        ("hello first", {"type": "unsubscribe", "book": new_id()}), ("a replica that is no id", hello(replica="x"))):
        with Socket(w.ana) as socket:
            got, last = socket.send(frame).close_code(5)
            w.like(f"error, then the socket closes: {says}", ("error", True), (last and last["type"], got in (4400, 4401, 4403, 4408)))
    with Sync(w.ana) as sync:
        w.like("4400 not even an envelope, after hello", 4400, sync.send("nonsense").close_code(5)[0])


def check_silence(w):
    start = time.monotonic()
    with Socket(w.ana) as socket:
        w.like("first, within 5 s: 4408 too slow to say hello", 4408, socket.close_code(8)[0])
    w.like("within 5 s", True, 4 < time.monotonic() - start < 7)


def check_origins(w):
    for origin, status in ((None, 101), (w.url, 101), (f"http://localhost:{w.server.port}", 101), ("https://evil.example", 403),
                           ("null", 403)):
        w.like(f"The handshake checks Origin when there is one: {origin}", status, handshake_status(w.ana, origin=origin))
    w.like("an unknown subprotocol is not chosen", lambda got: got != 101, handshake_with_unknown(w))


def handshake_with_unknown(w):
    try:
        with Socket(w.ana, protocol="tidebook.sync.v9") as socket:
            return 101 if socket.line.subprotocol else "none chosen"
    except Exception as error:  # refused in whatever way
        return repr(error)


def check_subscribe(w):
    book = w.book(editor=w.ben)
    replica = book.replica()
    replica.do(create_contact(C))
    replica.do(create_contact(D, ""))
    head = book.head
    with Sync(w.ana, replica.id) as sync:
        got = sync.subscribe(book).next()
        w.like("subscribed {book,epoch,role,head,head_hash,accepted}", only({
            "type": "subscribed", "book": book.id, "epoch": book.epoch, "role": "owner", "head": head,
            "head_hash": head_hash(book, head), "accepted": 2}), got)
        got = sync.next()
        w.like("answered by subscribed, people", {"type": "people", "book": book.id, "people": has(
            only({"id": w.ana.id, "name": "Ana", "role": "owner"}), only({"id": w.ben.id, "name": "Ben", "role": "editor"}))}, got)
        seqs, kinds = [], set()
        while len(seqs) < head:
            frame = sync.next()
            kinds.add(frame["type"])
            seqs += [entry["seq"] for entry in frame["entries"]] if frame["type"] == "entries" else []
        w.like("then all entries after S (no fates where there are none)", (list(range(1, head + 1)), {"entries"}),
               (seqs, kinds - {"presence"}))
        live = replica.do(create_contact(U))
        w.like("then live", {"entries": [{"seq": live["seq"], "id": live["id"]}]}, sync.until("entries"))
    with Sync(w.ana, replica.id) as sync:
        got = sync.follow(book, after=head, head_hash=head_hash(book, head), pending_from=2)
        w.like("accepted: this replica's last n in the log", 3, got["accepted"])
        w.like("fates: own entries with n ≥ pending_from at or below S", {
            "book": book.id, "entries": [{"n": 2, "rejected": {"code": "invalid_field"}}]}, sync.until("fates"))
        w.like("entries after S", [{"seq": head + 1}], sync.until("entries")["entries"])
    with Sync(w.ana) as sync:
        w.like("epoch may be null, accepted of a new replica 0", {"accepted": 0, "epoch": book.epoch},
               sync.follow(book, after=0, epoch=None))
        other = w.book()
        w.like("any number of books", {"book": other.id}, sync.follow(other))
        entry = other.replica().do(create_contact(C))
        w.like("entries of the other book", entry["id"], sync.entry(entry["id"])["id"])
        sync.send({"type": "unsubscribe", "book": other.id})
        sync.follow(book, after=0)
        other.replica().do(create_contact(D))
        entry = replica.do(create_contact(new_id()))
        frames = []
        while not frames or frames[-1].get("entries", [{}])[-1].get("id") != entry["id"]:
            frames.append(sync.next())
        w.like("unsubscribe: nothing of that book comes after it", False, any(
            frame.get("book") == other.id and frame["type"] == "entries" for frame in frames))


def check_another_history(w):
    book, other = w.book(), w.book()
    replica = book.replica()
    replica.do(create_contact(C))
    for says, changes in (
            ("another epoch", {"epoch": other.epoch, "after": 1, "head_hash": head_hash(book, 1)}),
            ("another hash", {"after": 1, "head_hash": head_hash(book, 2)}),
            ("above the head", {"after": 3, "head_hash": head_hash(book, 2)}),
            ("another epoch, after 0", {"epoch": other.epoch})):
        with Sync(w.ana) as sync:
            sync.subscribe(book, **changes)
            w.like(f"snapshot_required: {says}", {
                "type": "snapshot_required", "book": book.id, "epoch": book.epoch, "seq": int,
                "from_seq": lambda seq: seq is None or isinstance(seq, int)}, sync.next())
            snapshot = book.snapshot()
            w.like("fetch, then subscribe again", {"type": "subscribed", "head": snapshot["seq"]},
                   sync.follow(book, after=snapshot["seq"], head_hash=snapshot["hash"], epoch=snapshot["epoch"]))
    with Sync(w.ana) as sync:
        sync.subscribe(book, after=1)
        w.like("hash required when S > 0", one_of("snapshot_required", "error"), sync.next()["type"])
    with Sync(w.eve) as there, Sync(w.eve) as nowhere:
        gone = type("Nowhere", (), {"id": new_id(), "epoch": book.epoch})
        first, second = there.subscribe(book).next(), nowhere.subscribe(gone).next()
        w.like("a stranger is no member", {"type": "role", "role": None}, first)
        w.like("whether or not the book exists", {**second, "book": 0}, {**first, "book": 0})
        w.like("no byte of a book reaches a non-member", False, book.epoch in str(first))


def check_push(w):
    book = w.book(editor=w.ben, viewer=w.eve)
    with Sync(w.ana) as one, Sync(w.ben) as two, Sync(w.eve) as viewer:
        for sync in (one, two, viewer):
            sync.follow(book)
        base = book.head
        mutations = [{"id": new_id(), "n": n, "made_at": now_ms(), "base": base, "ops": [create_contact(new_id(), f"C {n}")]}
                     for n in (1, 2, 3)]
        one.push(book, *mutations)
        for sync in (one, two, viewer):
            w.like("the entry comes to every socket of the book", {"n": 3, "replica": one.replica, "by": w.ana.id},
                   sync.entry(mutations[2]["id"]))
        w.like("in the order of the push", [m["id"] for m in mutations], [entry["id"] for entry in book.entries(base)])
        one.push(book, mutations[1])
        w.like("a duplicate is answered with its entry", {"n": 2, "id": mutations[1]["id"]}, one.entry(mutations[1]["id"]))
        for says, sync, mutation, want in (
                ("gap", one, {**mutations[0], "id": new_id(), "n": 9}, {"code": "gap", "expected": 4}),
                ("forked", one, {**mutations[0], "id": new_id(), "n": 2}, {"code": "forked"}),
                ("wrong_epoch (base)", one, {**mutations[0], "id": new_id(), "n": 4, "base": 99}, {"code": "wrong_epoch"}),
                ("unknown_op", one, {**mutations[0], "id": new_id(), "n": 4, "ops": [{"op": "paint"}]}, {"code": "unknown_op"}),
                ("read_only", viewer, {**mutations[0], "id": new_id(), "n": 1}, {"code": "read_only"})):
            sync.push(book, mutation)
            w.like(f"refused {says}", {"type": "refused", "book": book.id, "id": mutation["id"], "n": mutation["n"],
                                       "detail": str, **want}, sync.entry(mutation["id"]))
        mutation = {**mutations[0], "id": new_id(), "n": 4}
        one.push(book, mutation, epoch=new_id())
        w.like("refused wrong_epoch", {"code": "wrong_epoch", "id": mutation["id"]}, one.entry(mutation["id"]))
        w.like("nothing of it entered", base + 3, book.head)
    with Sync(w.ben, one.replica) as thief:
        thief.subscribe(book)
        thief.push(book, {**mutations[0], "id": new_id(), "n": 4})
        w.like("replica_taken", {"code": "replica_taken"}, thief.until("refused", "error"))


def check_two_sockets_of_one_replica(w):
    book = w.book()
    with Sync(w.ana) as one, Sync(w.ana, one.replica) as two:
        mutations = [{"id": new_id(), "n": n, "made_at": now_ms(), "base": 1, "ops": [create_contact(new_id(), f"C {n}")]}
                     for n in range(1, 31)]
        for sync in (one, two):
            sync.follow(book)
        for m in mutations:
            one.push(book, m), two.push(book, m)
        w.like("Any number of sockets of one replica may push at once", (30, 30), (
            one.entry(mutations[-1]["id"])["n"], two.entry(mutations[-1]["id"])["n"]))
        w.like("each entered once, in order", [m["id"] for m in mutations], [entry["id"] for entry in book.entries(1)])


def check_presence(w):
    book = w.book(editor=w.ben)
    viewing, editing = {"kind": "contact", "id": C}, {"kind": "contact", "id": C, "field": "name"}
    with Sync(w.ana) as one:
        one.follow(book)
        with Sync(w.ben) as two:
            two.follow(book)
            two.send({"type": "presence", "book": book.id, "viewing": viewing, "editing": editing})
            peer = {"replica": two.replica, "user": lambda user: w.ben.id in str(user), "viewing": viewing,
                    "editing": editing, "since_at": near(now_ms())}
            frame = one.until("presence", timeout=3)
            while not any(p["replica"] == two.replica and p["viewing"] for p in frame["peers"]):
                frame = one.until("presence", timeout=3)
            w.like('presence {peers:[{replica,user,viewing,editing,since_at}],count}', has(peer), frame["peers"])
            two.send({"type": "presence", "book": book.id, "viewing": {"kind": "book"}, "editing": None})
            while (found := one.until("presence", timeout=3)["peers"]) and found[0]["editing"]:
                pass
            w.like("REF of the book", [{"viewing": {"kind": "book"}, "editing": None}], found)
        start = time.monotonic()
        while any(p["replica"] == two.replica for p in one.until("presence", timeout=3)["peers"]):
            pass
        w.like("Presence peers vanish within 1 s of a clean close", True, time.monotonic() - start < 1)


def check_presence_lists(w):
    book = w.book()
    sockets = [Sync(w.ana) for _ in range(67)]
    try:
        for sync in sockets:
            sync.subscribe(book)
        for sync in sockets:
            sync.send({"type": "presence", "book": book.id, "viewing": {"kind": "book"}, "editing": None})
        last = {}
        while last.get("count", 0) < 66:
            last = sockets[0].until("presence")
            w.like("at most 64 peers", True, len(last["peers"]) <= 64)
        w.like("count tells of all", (True, 64), (last["count"] >= 66, len(last["peers"])))
        times, end = [], time.monotonic() + 2.5
        while time.monotonic() < end:
            for n in range(5):
                sockets[1].send({"type": "presence", "book": book.id, "viewing": {"kind": "contact", "id": new_id()}, "editing": None})
            try:
                sockets[0].until("presence", timeout=0.05)
                times.append(time.monotonic())
            except TimeoutError:
                pass
        w.like("4 lists/s", True, max(sum(t <= other < t + 0.95 for other in times) for t in times) <= 4)
    finally:
        for sync in sockets:
            sync.line.close()


def check_people_and_roles(w):
    book = w.book(editor=w.ben)
    with Sync(w.ana) as owner, Sync(w.ben) as ben:
        owner.follow(book), ben.follow(book)
        owner.until("people"), ben.until("people")
        book.admit(w.eve, "viewer")
        for sync in (owner, ben):
            w.like("people when it changes", has({"id": w.eve.id, "role": "viewer"}), sync.until("people")["people"])
        w.ana.patch(f"{book.path}/members/{w.eve.id}", {"role": "editor"})
        w.like("a role changed", has({"id": w.eve.id, "role": "editor"}), owner.until("people")["people"])
        w.ana.delete(f"{book.path}/members/{w.ben.id}")
        w.like("former members too, for history: role null", has({"id": w.ben.id, "name": "Ben", "role": None}),
               owner.until("people")["people"])
        w.like("no longer a member", only({"type": "role", "book": book.id, "role": None}), ben.until("role"))
        book.replica().do(create_contact(C, "Secret"))
        ben.push(book, {"id": new_id(), "n": 1, "made_at": 1, "base": 1, "ops": [create_contact(new_id())]})
        frames = [ben.until("refused", "entries", "people", "presence", "subscribed")]
        w.like("nothing of the book comes after it; refused not_a_member", [{"type": "refused", "code": "not_a_member"}], frames)
        ben.subscribe(book)
        w.like("nor can it be subscribed again", {"type": "role", "role": None}, ben.next())


def check_leaving_and_coming_back(w):
    book = w.book(editor=w.ben)
    with Sync(w.ben) as ben:
        ben.follow(book)
        w.ben.delete(f"{book.path}/members/{w.ben.id}")
        w.like("one who removes themselves is told too", only({"type": "role", "book": book.id, "role": None}), ben.until("role"))
        missed = book.replica().do(create_contact(C, "Meanwhile"))
        book.admit(w.ben, "viewer")
        w.like("back again, on the same socket", {"role": "viewer", "head": missed["seq"] + 1}, ben.follow(book))
        w.like("all entries after S, those of the time between too", missed["id"], ben.entry(missed["id"])["id"])


def check_people_after_renaming_and_leaving(w):
    person = w.person("Before")
    book = w.book(editor=person)
    with Sync(w.ana) as owner:
        owner.follow(book)
        owner.until("people")
        person.patch("/accounts/me", {"name": "After"})
        w.like("people when it changes: a name", has({"id": person.id, "name": "After"}), owner.until("people", timeout=5)["people"])
        person.delete("/accounts/me", {"password": person.password})
        named, end = "After", time.monotonic() + 5
        while named == "After" and time.monotonic() < end:
            try:
                frame = owner.until("people", timeout=1)
                named = next((each["name"] for each in frame["people"] if each["id"] == person.id), None)
            except TimeoutError:
                pass
        w.like("an account deleted: the name is gone, and people comes when it changes", False, named == "After")


def check_a_viewer_is_told_of_the_new_role(w):
    book = w.book(editor=w.ben)
    with Sync(w.ben) as ben:
        ben.follow(book)
        ben.until("people")
        w.ana.patch(f"{book.path}/members/{w.ben.id}", {"role": "viewer"})
        w.like("people when it changes: my own role", has({"id": w.ben.id, "role": "viewer"}), ben.until("people")["people"])
        ben.push(book, {"id": new_id(), "n": 1, "made_at": 1, "base": 1, "ops": [create_contact(new_id())]})
        w.like("authority decides with the role at that seq", {"code": "read_only"}, ben.until("refused"))


def check_dead_line_and_slow_reader(w):
    """The client library stops reading, and answering pings, once 16 frames wait: one hangs on small frames, one on megabytes."""
    book = w.book()
    replica = book.replica()
    for _ in range(10):
        replica.do(*(create_contact(new_id(), note="n" * 4000) for _ in range(30)))
    here = {"type": "presence", "book": book.id, "viewing": {"kind": "book"}, "editing": None}
    with Sync(w.ana) as watcher:
        watcher.follow(book, after=book.head, head_hash=head_hash(book, book.head))
        dead, slow = Sync(w.ana), Sync(w.ana)
        for sync in (dead, slow):
            sync.follow(book, after=book.head, head_hash=head_hash(book, book.head))
            sync.send(here)
        watcher.until("presence", count=2)
        for _ in range(60):
            slow.subscribe(book)
        for n in range(40):
            replica.do(create_contact(new_id(), f"C {n}"), base=1)
        start, left, gone = time.monotonic(), {dead.replica, slow.replica}, {}
        while left and time.monotonic() - start < 25:
            try:
                now_there = {peer["replica"] for peer in watcher.until("presence", timeout=1)["peers"]}
            except TimeoutError:
                continue
            gone.update((replica_id, time.monotonic() - start) for replica_id in left - now_there)
            left &= now_there
        for says, sync in (("a line that answers nothing", dead), ("one that reads nothing", slow)):
            w.like(f"Presence peers vanish within 15 s of a dead line: {says}", True, gone.get(sync.replica, 99) <= 15.5)
        # Who reads nothing cannot be told why: the close frame waits behind what is unread, and the line is cut after it.
        w.like("4408 too slow to read", True, slow.close_code(10)[0] in (4408, 1006))
        dead.line.close()


def check_drain(w):
    with w.another("--signup", "open") as server:
        _, person = sign_up(server.url, f"{new_id()}@example.org", "a quiet harbour 71", "Ana")
        book = Book(person)
        book.replica().do(create_contact(C, "Kept"))
        with Sync(person) as sync, Socket(person, f"?book={book.id}", "tidebook.feed.v1") as feed:
            sync.follow(book)
            feed.until("ready")
            server.process.send_signal(signal.SIGTERM)
            w.like("drain {retry_after_ms}", only({"type": "drain", "retry_after_ms": int}), sync.until("drain"))
            w.like("1012 restart", 1012, sync.close_code()[0])
            w.like("1012 restart: feed", 1012, feed.close_code()[0])
        w.like("stops cleanly on SIGTERM", 0, server.process.wait(15))
