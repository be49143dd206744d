"""The feed, over the socket and as server-sent events."""
import time
from itertools import islice

from client import (FEED, Person, Socket, compact, create_contact, create_transaction, delete, handshake_status, new_id,
                    resolve, restore, update_contact, update_transaction)

from . import C, D, T, near, one_of, only


def feed(person, book=None, after=None, **more):
    query = "&".join(f"{name}={value}" for name, value in (("book", book and book.id), ("after", after)) if value is not None)
    return Socket(person, "?" + query if query else "", **{"protocol": FEED, **more})


def eventful(w):
    """A book in which every type of the feed has happened, with the frames' types and seqs that tell of it."""
    book = w.book(editor=w.ben)
    one, two = book.replica(), book.replica()
    one.do(create_contact(C, "Ana"), create_transaction(T, C, 100))
    base = book.head
    one.do(update_contact(C, name="A1"), update_transaction(T, amount=200))
    conflict = two.do(update_contact(C, name="A2"), base=base)["changes"][0]["id"]
    one.do(create_contact(D, ""))  # a rejection
    one.do(resolve(conflict, False))
    one.do(delete("transaction", T), restore("transaction", T), delete("contact", C), restore("contact", C))
    one.do({"op": "update_book", "set": {"name": "Renamed"}})
    w.ana.patch(f"{book.path}/members/{w.ben.id}", {"role": "viewer"})
    w.ana.delete(f"{book.path}/members/{w.ben.id}")
    told = [(change["type"], entry["seq"], i, len(entry["changes"]))
            for entry in book.entries() if entry.get("changes") for i, change in enumerate(entry["changes"])]
    return book, told


def telling(frame):
    return frame["type"], frame["seq"], frame["i"], frame["of"]


def check_every_type(w):
    book, told = eventful(w)
    w.like("(this check's own book has every type)", {
        "contact_created", "contact_updated", "contact_deleted", "contact_restored", "transaction_created", "transaction_updated",
        "transaction_deleted", "transaction_restored", "conflict_raised", "conflict_resolved", "book_created", "book_updated",
        "member_added", "member_role_changed", "member_removed"}, {kind for kind, *_ in told})
    with feed(w.ana, book, 0) as socket:
        w.like('First {"type":"ready","seq":HEAD}', only({"type": "ready", "seq": book.head}), socket.next())
        frames = [socket.next() for _ in told]
        w.like("With after, everything since that seq, each change once; Rejections are not part", told, list(map(telling, frames)))
        for frame in frames:
            w.like(f"a frame is one change: {frame['type']}", {
                "type": str, "data": dict, "seq": int, "i": int, "of": int, "at": near(frame["at"], 0),
                "by": only({"id": w.ana.id if frame["seq"] != 2 else w.ben.id, "name": "Ana" if frame["seq"] != 2 else "Ben"})}, frame)
        records = {frame["type"]: frame["data"] for frame in frames}
        w.like("data is the whole record as it stands when the frame is made", {
            "id": C, "name": "A1", "deleted": False, "balance": 200, "balances": {"EUR": 200}}, records["contact_created"])
        w.like("a transaction also contact_balances", {
            "id": T, "amount": 200, "contact": C, "deleted": False, "contact_balances": {"EUR": 200}}, records["transaction_created"])
        w.like("book_updated", {"name": "Renamed", "currency": "EUR"}, records["book_updated"])
        w.like("conflict_raised", {"id": str, "kind": "edit_edit"}, records["conflict_raised"])
        one = book.replica()
        one.do(create_contact(D, "Live"), create_transaction(new_id(), D, 70, currency="USD"))
        one.do(delete("contact", D))
        live = [socket.next() for _ in range(3)]
        w.like("then live, with no gap and no repeat", [
            ("contact_created", 0, 2), ("transaction_created", 1, 2), ("contact_deleted", 0, 1)],
               [(frame["type"], frame["i"], frame["of"]) for frame in live])
        w.like("marked if deleted", {"id": D, "deleted": True}, live[2]["data"])
        w.like("balance in the book's own currency, balances per currency", {"balances": only({"USD": 70}), "balance": 0},
               live[0]["data"] if not live[0]["data"]["deleted"] else {"balances": {"USD": 70}, "balance": 0})


def check_after_and_live_only(w):
    book, told = eventful(w)
    with feed(w.ana, book, 4) as some, feed(w.ana, book) as live, feed(w.ana, book, book.head) as none:
        since = [change for change in told if change[1] > 4]
        some.until("ready")
        w.like("everything since that seq", since, [telling(some.next()) for _ in since])
        for socket in (live, none):
            w.like("ready first", {"type": "ready", "seq": book.head}, socket.next())
        book.replica().do(create_contact(D, ""))
        entry = book.replica().do(create_contact(D, "Next"))
        for socket in (some, live, none):
            w.like("without it, live only; rejections are not part", ("contact_created", entry["seq"], 0, 1), telling(socket.next()))


def check_no_gap_while_written_to(w):
    book = w.book()
    one, seen = book.replica(), []
    for n in range(100):
        one.do(create_contact(new_id(), f"C {n}"), base=1)
    with feed(w.ana, book, 1) as socket:
        for n in range(30):
            one.do(create_contact(new_id(), f"C {n}"), base=1)
        head = book.head
        socket.until("ready")
        while not seen or seen[-1] < head:
            seen.append(socket.next()["seq"])
    w.like("no gap and no repeat between", list(range(2, 132)), seen)


def check_authentication(w):
    book = w.book()
    stranger = Person(w.url)
    with feed(stranger, book, 0) as socket:
        socket.send({"token": w.ana.token})
        w.like('a first text frame {"token":"…"}', {"type": "ready", "seq": 1}, socket.next())
    with feed(stranger, book) as socket:
        socket.send({"token": "nonsense"})
        w.like("a wrong token: 4401 unauthenticated", 4401, socket.close_code()[0])
    with feed(w.ana, book, protocol=None) as socket:
        w.like("tidebook.feed.v1, also when none is named", {"type": "ready", "seq": 1}, socket.next())
        w.like("no subprotocol named, none chosen", None, socket.line.subprotocol)
    with feed(w.ana, book) as socket:
        w.like("the subprotocol named is chosen", FEED, socket.line.subprotocol)
    w.like("a wrong token in the header", one_of(401, 4401), handshake_or_close(Person(w.url, "nonsense"), book))
    for other in (w.eve, w.ben):
        code = handshake_or_close(other, book)
        w.like("a non-member gets nothing of a book", one_of(404, 403, 4403), code)
    nowhere = handshake_or_close(w.ana, type("Nowhere", (), {"id": new_id()}))
    w.like("whether or not it exists", code, nowhere)
    oldest = w.person("Reader")
    first = oldest.post("/books", {"name": "First", "currency": "EUR"}).json["id"]
    oldest.post("/books", {"name": "Second", "currency": "EUR"})
    with feed(oldest) as socket:
        socket.until("ready")
        oldest.post(f"/books/{first}/contacts", {"name": "In the first"})
        w.like("without book, the person's oldest book", {"data": {"name": "In the first"}}, socket.next())


def handshake_or_close(person, book):
    status = handshake_status(person, query=f"?book={book.id}", protocol=FEED)
    if status != 101:
        return status
    with feed(person, book) as socket:
        code, last = socket.close_code(5)
        assert not last or last["type"] == "error", f"a frame came: {last}"
        return code


def check_silence(w):
    start = time.monotonic()
    with feed(Person(w.url), w.book()) as socket:
        code, _ = socket.close_code(8)
        w.like("4408 too slow to say hello", 4408, code)
    w.like("within 5 s", True, 4 < time.monotonic() - start < 7)


def check_removal_ends_it(w):
    book = w.book(editor=w.ben)
    with feed(w.ben, book) as socket:
        socket.until("ready")
        w.ana.delete(f"{book.path}/members/{w.ben.id}")
        book.replica().do(create_contact(C, "Secret"))
        code, last = socket.close_code(5)
        w.like("A connection stops at the entry that removes its person", True, "Secret" not in str(last))
        w.like("4403 forbidden", 4403, code)
    events = []
    book.admit(w.ben, "viewer")
    stream = w.ben.sse(book.path + "/feed?after=0")
    events.append(next(stream))
    w.ana.delete(f"{book.path}/members/{w.ben.id}")
    book.replica().do(create_contact(D, "Secret"))
    for event in stream:
        if event.get("event") != "ready" and event["data"].get("seq", 0) <= 3:
            continue
        events.append(event)
    w.like("A connection stops there: the event stream ends", False, any(
        event["data"].get("seq", 0) > 6 for event in events))


def check_events(w):
    book, told = eventful(w)
    stream = w.ana.sse(book.path + "/feed?after=0")
    events = [event for event in islice(stream, len(told) + 1) if event["data"]["type"] != "ready"][:len(told)]
    w.like("the feed as server-sent events", told[:len(events)], [telling(event["data"]) for event in events])
    for event in events:
        frame = event["data"]
        last = frame["i"] == frame["of"] - 1
        w.like(f"id is the seq and stands on an entry's last frame only ({frame['i'] + 1} of {frame['of']})",
               str(frame["seq"]) if last else None, event.get("id"))
    stream.close()
    stream = w.ana.sse(book.path + "/feed", {"Last-Event-ID": "4"})
    book.replica().do(create_contact(D))
    event = next(event for event in stream if event["data"]["type"] != "ready")
    w.like("Last-Event-ID (server-sent events) goes on after it", 5, event["data"]["seq"])
    stream.close()
    stream = w.ana.sse(f"{book.path}/feed?after={book.head}")
    entry = book.replica().do(create_contact(new_id(), "Live"))
    event = next(event for event in stream if event["data"]["type"] != "ready")
    w.like("live", (entry["seq"], str(entry["seq"])), (event["data"]["seq"], event.get("id")))
    stream.close()
    connection, response = w.ana.request("GET", f"/api/v1{book.path}/feed?after=0", None, {"Accept": "*/*"})
    w.like("plain curl follows a book", (200, True), (response.status, response.headers["content-type"].startswith("text/event-stream")))
    connection.close()
    answer = w.eve.get(book.path + "/feed?after=0")
    w.refuses("A non-member gets 404 not_found", 404, "not_found", answer)
    w.like("a wrong after", lambda status: 400 <= status < 500, w.ana.get(book.path + "/feed?after=x").status)


def check_one_text_frame_each(w):
    book = w.book()
    with feed(w.ana, book) as socket:
        socket.until("ready")
        ops = [create_contact(new_id(), f"C {n}", note="n" * 100) for n in range(300)]
        entry = book.replica().do(*ops)
        frames = [socket.next() for _ in ops]
        w.like("each text frame is one change: i of 300", [(entry["seq"], n, 300) for n in range(300)],
               [(frame["seq"], frame["i"], frame["of"]) for frame in frames])
        w.like("in order", [op["id"] for op in ops], [frame["data"]["id"] for frame in frames])
        w.like("a small frame", True, all(len(compact(frame)) < 2000 for frame in frames))
