"""The snapshot, the hash chain, the exact bytes, and one state from whatever way it is made."""
import gzip
import json
import random

from client import (Book, Model, Sync, chain_hash, create_contact, create_transaction, delete, new_id, plain, resolve, restore,
                    sign_up, update_contact, update_transaction)

from . import C, T, Server, only

HEX = lambda text: len(text) == 64 and text == text.lower() and int(text, 16) >= 0  # noqa: E731


def check_snapshot_shape(w):
    book = w.book(editor=w.ben, name="Shop")
    one, two = book.replica(), book.replica()
    made = one.do(create_contact(C, "Ana", phone="1"), create_transaction(T, C))
    changed = two.do(update_contact(C, name="Anna"))
    one.do(delete("transaction", T))
    snapshot = book.snapshot()
    w.like("{book,epoch,seq,hash,state_version,state_hash,replicas,people,state}", {
        "book": book.id, "epoch": book.epoch, "seq": 5, "hash": HEX, "state_version": int, "state_hash": HEX,
        "replicas": {one.id: 2, two.id: 1}, "people": list,
        "state": {"book": {"name": "Shop", "currency": "EUR"}, "contacts": [{"id": C, "name": "Anna", "deleted": False}],
                  "transactions": [{"id": T, "deleted": True}], "conflicts": only([])}}, snapshot)
    w.like("people", [{"id": w.ana.id, "name": "Ana", "role": "owner"}, {"id": w.ben.id, "name": "Ben", "role": "editor"}],
           sorted(snapshot["people"], key=lambda person: person["role"], reverse=True))
    contact = json.dumps(snapshot["state"]["contacts"][0])
    w.like("per record the seq at which each field last changed and by which replica", True,
           two.id in contact and str(changed["seq"]) in contact and '"name": {' in contact)
    w.like("omitted where that is its creation", False, '"phone": {' in contact)
    w.like("a field's mark is not the creation's", True, made["seq"] != changed["seq"])


def check_etag_and_compression(w):
    book = w.book()
    book.replica().do(*(create_contact(new_id(), f"C {n}") for n in range(100)))
    path = book.path + "/snapshot"
    first = w.ana.get(path)
    tag = first.headers["etag"]
    same = w.ana.get(path, {"If-None-Match": tag})
    w.like("ETag: 304 while nothing changed", (304, b""), (same.status, same.body))
    w.like("the same ETag", tag, w.ana.get(path).headers["etag"])
    packed = w.ana.get(path, {"Accept-Encoding": "gzip"})
    w.like("compressed on request", "gzip", packed.headers.get("content-encoding"))
    w.like("the same snapshot", first.body, gzip.decompress(packed.body))
    w.like("not compressed without request", None, first.headers.get("content-encoding"))
    book.replica().do(create_contact(C))
    changed = w.ana.get(path, {"If-None-Match": tag})
    w.like("another ETag when it changed", (200, True), (changed.status, changed.headers["etag"] != tag))


def check_etag_of_people(w):
    person = w.person("Before")
    book = w.book(editor=person)
    tag = w.ana.get(book.path + "/snapshot").headers["etag"]
    person.patch("/accounts/me", {"name": "After"})
    answer = w.ana.get(book.path + "/snapshot", {"If-None-Match": tag})
    w.like("a name is part of the snapshot, so of its ETag", (200, True), (answer.status, "After" in str(answer.body)))


def check_chain(w):
    book = w.book()
    replica = book.replica()
    for n in range(12):
        replica.do(create_contact(new_id(), f"Ünï {n} \"\\/ \u2028"), create_contact(new_id(), "" if n % 4 == 3 else "x"))
    answer = w.ana.get(book.path + "/entries", {"Accept": "application/x-ndjson"}, after=0)
    w.like("with Accept: application/x-ndjson", True, answer.headers["content-type"].startswith("application/x-ndjson"))
    lines = book.lines()
    w.like("one entry a line", list(range(1, 14)), [json.loads(line)["seq"] for line in lines])
    w.like("the same entries as in JSON", book.entries(), [json.loads(line) for line in lines])
    for seq in (1, 2, 7, 13):
        w.like(f"hash(seq) = BLAKE3(hash(seq−1) ‖ BLAKE3(bytes)) at {seq}", {"seq": seq, "hash": chain_hash(lines[:seq])},
               w.ana.get(f"{book.path}/entries/{seq}/hash").json)
    snapshot = book.snapshot()
    w.like("the snapshot's hash", (13, chain_hash(lines)), (snapshot["seq"], snapshot["hash"]))
    after = book.lines(7)
    w.like("goes on from any seq", chain_hash(lines), chain_hash(after, bytes.fromhex(chain_hash(lines[:7]))))
    w.like("hash(0) = 32 zero bytes", one_or_missing("0" * 64), w.ana.get(book.path + "/entries/0/hash"))
    w.refuses("no hash above the head", 404, None, w.ana.get(book.path + "/entries/14/hash"))
    w.like("limit in lines too", 3, len(book.lines(2, limit=3)))
    w.like("none after the head", [], book.lines(13))
    plain_body = w.ana.get(book.path + "/entries", after=0).body
    w.like("exactly the bytes in the JSON list too", True, all(line in plain_body for line in lines))
    with Sync(w.ana) as sync:
        w.like("head_hash", chain_hash(lines), sync.follow(book)["head_hash"])
        text = ""
        while lines[-1].decode() not in text and len(text) < 1_000_000:
            text += sync.line.recv(5)
        w.like("the entry's bytes exactly as sent", True, all(line.decode() in text for line in lines))


def one_or_missing(zeros):
    def zeros_or_404(answer):
        return answer.status == 404 or answer.json["hash"] == zeros
    return zeros_or_404


def random_op(dice, contacts, transactions, conflicts):
    contact, transaction = dice.choice(contacts), dice.choice(transactions)
    amount, currency = dice.randint(1, 5000), dice.choice(("EUR", "USD"))
    return dice.choice((
        lambda: create_contact(contact, f"C{amount}"),
        lambda: update_contact(contact, **{dice.choice(("name", "phone", "note")): f"v{dice.randint(1, 3)}"}),
        lambda: delete("contact", contact), lambda: restore("contact", contact),
        lambda: create_transaction(transaction, contact, amount, dice.choice(("gave", "got")), currency),
        lambda: create_transaction(transaction, contact, amount, dice.choice(("gave", "got")), currency),
        lambda: update_transaction(transaction, amount=amount, note=f"n{amount % 4}"),
        lambda: update_transaction(transaction, contact=contact), lambda: update_transaction(transaction, currency=currency),
        lambda: delete("transaction", transaction), lambda: restore("transaction", transaction),
        lambda: resolve(dice.choice(conflicts or [C]), dice.random() < 0.6)))()


def check_model(w):
    """Random writes of three replicas with old bases: the entries alone must give the server's state, and the rules' invariants."""
    for seed in range(8):
        dice, book = random.Random(seed), w.book(editor=w.ben)
        replicas = [book.replica(), book.replica(), book.replica(w.ben)]
        contacts, transactions = [new_id() for _ in range(4)], [new_id() for _ in range(6)]
        model, head = Model(), 2
        for _ in range(60):
            replica = dice.choice(replicas)
            for entry in book.entries(0) if head == 2 else book.entries(head):
                model.apply(entry)
                head = entry["seq"]
            ops = [random_op(dice, contacts, transactions, list(model.conflicts)) for _ in range(dice.choice((1, 1, 2, 3)))]
            replica.do(*ops, base=max(2, head - dice.randint(0, 12)))
        for entry in book.entries(head):
            model.apply(entry)
        snapshot = book.snapshot()
        state = snapshot["state"]
        same_as_model(w, f"seed {seed}", book, model, state)
        w.like(f"seed {seed}: the chain", chain_hash(book.lines()), snapshot["hash"])


def fields(record):
    marks = {"changed", "created", "index", "replica"}
    return {name: value for name, value in plain(record).items() if name not in marks}


def same_as_model(w, says, book, model, state):
    for kind in ("contact", "transaction"):
        want = {record["id"]: fields(record) for record in getattr(model, kind).values()}
        w.like(f"{says}: the entries alone give the snapshot's {kind}s", want,
               {record["id"]: fields(record) for record in state[kind + "s"]})
    w.like(f"{says}: the open conflicts", {key: fields(value) for key, value in model.conflicts.items()},
           {record["id"]: fields(record) for record in state["conflicts"]})
    w.like(f"{says}: the members", model.members, {m["user"]["id"]: m["role"] for m in
                                                   book.owner.get(book.path + "/members").json["items"]})
    listed = book.owner.get(book.path + "/contacts").json["items"]
    w.like(f"{says}: balances per currency", {c: model.balances(c) for c, record in model.contact.items() if not record["deleted"]},
           {record["id"]: record["balances"] for record in listed})


def check_acked_is_durable(w):
    with w.another("--signup", "open") as server:
        _, person = sign_up(server.url, f"{new_id()}@example.org", "a quiet harbour 71", "Ana")
        book = Book(person)
        replica = book.replica()
        for n in range(20):
            last = replica.do(create_contact(new_id(), f"C {n}"))
        server.process.kill()
        server.process.wait()
        again = Server(w.binary, port=server.port, folder=server.folder)
        try:
            w.like("Acked is durable: killed after the answer, everything is there", [last], book.entries(last["seq"] - 1))
            w.like("and the chain holds", chain_hash(book.lines()), book.snapshot()["hash"])
            w.like("the replica's numbers go on", replica.n + 1, replica.do(create_contact(C))["n"])
        finally:
            again.stop()


def check_state_hash(w):
    """Same seq, same state, same hash: the same asked twice; another after a change; and after a change back another seq only."""
    book = w.book()
    book.replica().do(create_contact(C))
    first, again = book.snapshot(), book.snapshot()
    w.like("same state, same hash", first["state_hash"], again["state_hash"])
    book.replica().do(update_contact(C, name="Other"))
    w.like("another state, another hash", False, book.snapshot()["state_hash"] == first["state_hash"])
