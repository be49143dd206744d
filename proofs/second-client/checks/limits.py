"""Both sides of every bound."""
from client import (Sync, compact, create_contact, create_transaction, delete, new_id, now_ms,
                    update_contact)

from . import C, T, one_of, only

MIB, TRILLIONS = 1024 * 1024, 10**15
TEXTS = (  # field, longest, what it may not have
    ("name", 200, ("\n", "\t", "\x00", "\x1f", "\x7f")), ("note", 4000, ("\t", "\x00", "\r", "\x7f")),
    ("username", 320, ("\n", "\x1f")), ("phone", 320, ("\n",)), ("email", 320, ("\n",)))


def rejected(entry):
    return entry.get("rejected", {}).get("code", "entered")


def check_text(w):
    book = w.book()
    replica = book.replica()
    for field, longest, forbidden in TEXTS:
        for char in ("a", "ß", "😀"):
            entry = replica.do({**create_contact(new_id()), field: char * longest})
            w.like(f"{field} up to {longest} characters ({char})", "entered", rejected(entry))
            entry = replica.do({**create_contact(new_id()), field: char * (longest + 1)})
            w.like(f"{field} up to {longest} characters, not one more ({char})",
                   {"rejected": {"code": "invalid_field", "field": field}}, entry)
        for char in forbidden:
            entry = replica.do({**create_contact(new_id()), field: f"a{char}b"})
            w.like(f"no control characters but newline in notes: {char!r} in {field}",
                   {"rejected": {"code": "invalid_field", "field": field}}, entry)
    w.like("newline in notes", "entered", rejected(replica.do(create_contact(new_id(), note="a\nb"))))
    contact = new_id()
    replica.do(create_contact(contact, "e\u0301 \u00e9 \u212b"))
    w.like("text is never normalised", "e\u0301 \u00e9 \u212b", book.record("contact", contact)["name"])


FIELDS = (  # field, value, enters
    ("amount", 1, True), ("amount", TRILLIONS, True), ("amount", 0, False), ("amount", TRILLIONS + 1, False),
    ("amount", -1, False), ("amount", 1.5, False), ("amount", "12", False), ("amount", None, False),
    ("currency", "JPY", True), ("currency", "eur", False), ("currency", "EURO", False), ("currency", "ZZZ", False),
    ("direction", "got", True), ("direction", "lent", False), ("date", "2024-02-29", True), ("date", "2026-02-29", False),
    ("date", "2026-13-01", False), ("date", "22.11.2026", False), ("date", "2026-1-1", False), ("due", "2027-01-01", True),
    ("due", "soon", False), ("due", None, True), ("note", "n" * 4000, True), ("note", "n" * 4001, False),
    ("note", None, True), ("note", 5, False), ("contact", None, False), ("date", None, False))


def check_surrogates(w):
    book = w.book()
    for body in (b'{"name":"a\\ud800b"}', b'{"name":"a\xed\xa0\x80b"}', b'{"name":"a\xffb"}'):
        w.like(f"UTF-8; a lone surrogate is no text: {body!r}", lambda status: 400 <= status < 500,
               w.ana.post(book.path + "/contacts", body).status)
    w.like("a surrogate pair is one character", 201, w.ana.post(book.path + "/contacts", b'{"name":"\\ud83d\\ude00"}').status)


def check_transaction_fields(w):
    book = w.book()
    replica = book.replica()
    replica.do(create_contact(C), create_transaction(T, C))
    for field, value, enters in FIELDS:
        for op in ({**create_transaction(new_id(), C), field: value}, {"op": "update_transaction", "id": T, "set": {field: value}}):
            if op["op"] == "create_transaction" and value is None and enters:
                continue
            entry = replica.do(op)
            wanted = one_of("entered") if enters else one_of("invalid_field", "malformed")
            w.like(f"{field} {str(value)[:20]!r} ({len(str(value))}) in {op['op']}", wanted, rejected(entry))


def check_totals(w):
    book = w.book()
    replica = book.replica()
    left = 2**53 - 1 - 9 * TRILLIONS
    replica.do(create_contact(C), *(create_transaction(new_id(), C, TRILLIONS, ("gave", "got")[n % 2]) for n in range(9)))
    last = new_id()
    w.like("the gross stays ≤ 2^53 − 1: exactly", "entered", rejected(replica.do(create_transaction(last, C, left))))
    w.like("one more: total_too_large", "total_too_large", rejected(replica.do(create_transaction(T, C, 1))))
    w.like("an edit counts too", "total_too_large",
           rejected(replica.do({"op": "update_transaction", "id": last, "set": {"amount": left + 1}})))
    w.like("another currency has its own gross", "entered", rejected(replica.do(create_transaction(new_id(), C, 1, currency="USD"))))
    replica.do(delete("transaction", last))
    w.like("deleted ones too", "total_too_large", rejected(replica.do(create_transaction(T, C, 1))))
    w.like("an edit that lowers", "entered", rejected(replica.do(
        {"op": "restore_transaction", "id": last}, {"op": "update_transaction", "id": last, "set": {"amount": left - 1}})))
    w.like("makes room", "entered", rejected(replica.do(create_transaction(T, C, 1))))
    w.like("balances are exact", only({"EUR": TRILLIONS + left, "USD": 1}), book.record("contact", C)["balances"])


def check_mutation_size(w):
    book = w.book()
    replica = book.replica()
    ops = [create_contact(new_id(), "A") for _ in range(1000)]
    w.like("1000 ops", "entered", rejected(replica.do(*ops)))
    ops = [create_contact(new_id(), "A") for _ in range(1001)]
    w.like("1001 ops: too_large", "too_large", rejected(replica.do(*ops)))
    for size, code in ((128 * 1024, "entered"), (128 * 1024 + 1, "too_large")):
        mutation = replica.mutation(*(create_contact(new_id(), "A", note="n" * 2900) for _ in range(43)),
                                   create_contact(new_id(), "A", note=""))
        mutation["ops"][-1]["note"] = "n" * (size - len(compact(mutation)))
        w.like("(this check's own arithmetic)", size, len(compact(mutation).encode()))
        w.like(f"At most 128 KiB encoded: {size}", code, rejected(replica.push(mutation).json["entries"][0]))
    w.like("too_large uses up its n", "entered", rejected(replica.do(create_contact(new_id()))))
    with Sync(w.ana) as sync:
        w.like("welcome has limits", dict, sync.welcome["limits"])
        sync.follow(book)
        mutation = {"id": new_id(), "n": 1, "made_at": now_ms(), "base": 1, "ops": [
            create_contact(new_id(), "A", note="é" * 2000) for _ in range(40)]}
        sync.push(book, mutation)
        w.like("too_large over the socket", "too_large", rejected(sync.entry(mutation["id"])))


def check_entry_size(w):
    """Short late edits against long standing notes: the entry would hold what stands many times over."""
    for count, want in ((30, "entered"), (40, "too_large")):
        book = w.book()
        replica, late = book.replica(), book.replica()
        contacts = [new_id() for _ in range(count)]
        replica.do(*(create_contact(contact) for contact in contacts))
        base = book.head
        for n in range(0, count, 6):
            replica.do(*(update_contact(contact, note="😀" * 4000) for contact in contacts[n:n + 6]))
        entry = late.do(*(update_contact(contact, note="late") for contact in contacts), base=base)
        w.like(f"An entry is at most 512 KiB: {count} conflicts of 16 kB", want, rejected(entry))
        w.like("An entry is at most 512 KiB", True, max(map(len, book.lines())) <= 512 * 1024)
        w.like("the book goes on", "entered", rejected(late.do(update_contact(contacts[0], phone="1"))))


def check_body_size(w):
    book = w.book()
    mutation = book.replica().mutation(create_contact(C))
    body = {"epoch": book.epoch, "replica": new_id(), "mutations": [mutation], "pad": ""}
    body["pad"] = "x" * (MIB - len(compact(body)))
    w.like("JSON bodies of 1 MiB", 200, w.ana.post(book.path + "/mutations", body).status)
    body["pad"] += "x"
    w.refuses("JSON bodies over 1 MiB: 413", 413, None, w.ana.post(book.path + "/mutations", body))
    w.refuses("JSON bodies over 1 MiB: 413, any call", 413, None,
              w.ana.post(book.path + "/contacts", {"name": "A", "pad": "x" * MIB}))


def check_frame_size(w):
    book = w.book()
    for size in (256 * 1024, 256 * 1024 + 1):
        frame = {"type": "unsubscribe", "book": book.id, "pad": ""}
        frame["pad"] = "x" * (size - len(compact(frame)))
        with Sync(w.ana) as sync:
            sync.send(frame)
            if size == 256 * 1024:
                w.like("a frame of 256 KiB up", {"type": "subscribed"}, sync.follow(book))
            else:
                w.like("4413 frame too large", 4413, sync.close_code(5)[0])


def check_frames_down(w):
    """The sockets here take no frame above 1 MiB; 3 MiB of entries must come in several."""
    book = w.book()
    replica = book.replica()
    for _ in range(26):
        replica.do(*(create_contact(new_id(), note="n" * 4000) for _ in range(30)))
    with Sync(w.ana) as sync:
        head, seqs = sync.follow(book)["head"], []
        while len(seqs) < head:
            seqs += [entry["seq"] for entry in sync.until("entries")["entries"]]
        w.like("contiguous, in order, at most 1 MiB a frame", list(range(1, head + 1)), seqs)


def check_list_limits(w):
    book = w.book()
    replica = book.replica()
    replica.push(*(replica.mutation(create_contact(new_id(), str(n)), base=1) for n in range(600)))
    replica.push(*(replica.mutation(create_contact(new_id(), str(n)), base=1) for n in range(450)))
    head = book.head
    w.like("(this check's own book)", 1051, head)
    w.like("entries: 1000 a page", 1000, len(book.entries()))
    w.like("limit=N", [2, 3, 4], [entry["seq"] for entry in book.entries(1, limit=3)])
    w.like("N ≤ 5000", 1051, len(book.entries(limit=5000)))
    w.like("{entries:[…],head}", {"head": head, "entries": only([])}, w.ana.get(book.path + "/entries", after=head).json)
    w.like("N ≤ 5000: not 5001", lambda got: got.status >= 400 or len(got.json["entries"]) == head,
           w.ana.get(book.path + "/entries", limit=5001))
