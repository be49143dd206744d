"""Numbers, duplicates, forks, withdrawal, refusals and rejections."""
from client import (create_contact, create_transaction, delete, new_id, resolve, restore, update_contact,
                    update_transaction)

from . import C, D, T, U, lacks, near, one_of, only, uuid_8


def fate(answer):
    """The code of the first refusal or rejection, `entered`, or the HTTP code."""
    if answer.status != 200:
        return f"http {answer.code}"
    for refused in answer.json["refused"]:
        return f"refused {refused['code']}"
    rejected = answer.json["entries"][0].get("rejected")
    return f"rejected {rejected['code']}" if rejected else "entered"


def check_entry(w):
    book = w.book()
    replica = book.replica()
    mutation = replica.mutation(create_contact(C, "Ana", phone="1"), create_transaction(T, C, note="x"))
    answer = replica.push(mutation)
    w.like("the push: {entries:[…],refused:[…]}", {"entries": [dict], "refused": only([])}, answer.json)
    w.like("ENTRY {seq,at,by,replica,n,id,made_at,changes}", {
        "seq": 2, "at": near(mutation["made_at"]), "by": w.ana.id, "replica": replica.id, "n": 1, "id": mutation["id"],
        "made_at": mutation["made_at"], "changes": [
            only({"type": "contact_created", "id": C, "name": "Ana", "phone": "1"}),
            only({"type": "transaction_created", "id": T, "contact": C, "direction": "gave", "amount": 100,
                  "currency": "EUR", "date": "2026-11-22", "note": "x"})]}, answer.json["entries"][0])
    w.like("no undoes, no rejected where there is none", lacks("undoes", "rejected"), answer.json["entries"][0])
    entry = replica.do(update_contact(C, phone=None, note="y" * 201))
    w.like("_updated: set (new values), was (values replaced)", [
        {"type": "contact_updated", "id": C, "set": only({"phone": None, "note": "y" * 201}), "was": {"phone": "1"}}], entry["changes"])
    for length, kept in ((201, False), (200, True)):
        entry = replica.do(update_contact(C, note="z" * 200 if length == 201 else None))
        w.like(f"a text longer than 200 characters is left out of was ({length})", kept, "note" in entry["changes"][0]["was"])
    entry = replica.do({"op": "update_book", "set": {"name": "New", "currency": "USD"}})
    w.like("book_updated: set, was", only([{"type": "book_updated", "set": only({"name": "New", "currency": "USD"}),
                                       "was": only({"name": "Book", "currency": "EUR"})}]), entry["changes"])
    w.like("the book itself", {"name": "New", "currency": "USD"}, w.ana.get(book.path).json)
    entry = replica.do({"op": "update_book", "set": {"name": "New"}})
    w.like("An entry may have no changes (all values equal the standing ones)", only([]), entry["changes"])
    entry = replica.do(delete("contact", C), restore("contact", C), delete("transaction", T), restore("transaction", T))
    w.like("…_deleted, …_restored: id", [
        only({"type": "contact_deleted", "id": C}), only({"type": "contact_restored", "id": C}),
        only({"type": "transaction_deleted", "id": T}), only({"type": "transaction_restored", "id": T})], entry["changes"])
    w.like("unknown fields are ignored", "entered",
           fate(replica.push(replica.mutation({**create_contact(D), "colour": "red"}, mood="fine"), more=1)))


def check_numbers(w):
    book = w.book()
    replica = book.replica()
    first, second, third = (replica.mutation(create_contact(new_id(), str(n)), base=1) for n in range(3))
    gap = replica.push(third)
    w.like("gap (with expected)", [{"id": third["id"], "n": 3, "code": "gap", "expected": 1}], gap.json["refused"])
    answer = replica.push(first, second).json
    w.like("n = last + 1 enters", [{"n": 1}, {"n": 2}], answer["entries"])
    again = replica.push(first).json
    w.like("equal is a duplicate, answered with its entry", only({"entries": answer["entries"][:1], "refused": []}), again)
    again = replica.push(first, second, third).json
    w.like("a duplicate among new ones", [{"n": 1}, {"n": 2}, {"n": 3}], again["entries"])
    w.like("(book, id) enters once", 4, book.head)
    other = {**first, "ops": [create_contact(D, "Other")]}
    w.like("the ids are compared: equal is a duplicate, its entry stands", answer["entries"][:1],
           replica.push(other).json["entries"])
    forked = replica.mutation(create_contact(D), n=2)
    got = replica.push(forked).json
    w.like("different is refused forked",
           {"refused": [{"id": forked["id"], "n": 2, "code": "forked"}], "entries": only([])}, got)
    w.like("n is not used up", 4, book.head)
    copy = book.replica()
    got = copy.push({**third, "n": 1}, {**forked, "n": 2}).json
    w.like("a copy takes a new replica id and offers from n = 1, ids unchanged", [{"n": 3, "replica": replica.id}, {"n": 2}],
           got["entries"])
    w.like("An id already in the log under another replica uses n", {copy.id: 2}, book.snapshot()["replicas"])
    head = book.head
    w.like("the number used by it takes no other content", "refused forked", fate(copy.push(copy.mutation(create_contact(U), n=1))))
    w.like("and the copy goes on", 3, copy.push({**third, "id": new_id(), "n": 3, "ops": [create_contact(U)]}).json["entries"][0]["n"])
    w.like("one entry more", head + 1, book.head)
    got = copy.push({**third, "n": 4}, {**third, "n": 5}).json
    w.like("An id already in the log under another n uses n and changes nothing", (4 + 1, head + 1),
           (book.snapshot()["replicas"][copy.id], book.head))
    w.like("the first entry is its fate", True, all(entry["id"] == third["id"] and entry["seq"] == 4 for entry in got["entries"]))
    last = book.replica()
    got = last.push(last.mutation(create_contact(new_id())), last.mutation(create_contact(new_id()), n=3)).json
    w.like("n ascending by 1", {"entries": [{"n": 1}], "refused": [{"n": 3, "code": "gap", "expected": 2}]}, got)


def check_neither_are_later_ones(w):
    book = w.book()
    replica = book.replica()
    good, bad, later = replica.mutation(create_contact(C)), replica.mutation({"op": "paint"}), replica.mutation(create_contact(D))
    got = replica.push(good, bad, later).json
    w.like("unknown_op: never entered the log; n is not used up; neither are later ones of that push", {
        "entries": [{"id": good["id"]}],
        "refused": lambda items: items[0]["code"] == "unknown_op" and items[0]["id"] == bad["id"] and items[0]["n"] == 2}, got)
    w.like("later ones did not enter", 2, book.head)
    got = replica.push({**bad, "id": new_id(), "ops": [create_contact(U)]}).json
    w.like("n is not used up", [{"n": 2}], got["entries"])


def check_withdrawal(w):
    book = w.book()
    replica = book.replica()
    mutation = replica.mutation(create_contact(C))
    withdrawn = {**mutation, "ops": []}
    got = replica.push(withdrawn).json["entries"]
    w.like("to withdraw a mutation its ops become []: rejection withdrawn", [{"n": 1, "rejected": {"code": "withdrawn"}}], got)
    w.like("whichever arrives first stands", got, replica.push(mutation).json["entries"])
    w.like("whichever arrives first stands", 404, w.ana.get(f"{book.path}/contacts/{C}").status)
    mutation = replica.mutation(create_contact(C))
    got = replica.push(mutation).json["entries"]
    w.like("the other way round", got, replica.push({**mutation, "ops": []}).json["entries"])
    w.like("with rejected and no changes", True, not book.entries(1)[0].get("changes"))


def check_refusals(w):
    book, other = w.book(editor=w.ben), w.book()
    replica = book.replica()
    replica.do(create_contact(C))
    stolen = book.replica(w.ben)
    stolen.id, stolen.n = replica.id, replica.n
    w.like("replica_taken (a replica id belongs to the person who first used it)", "refused replica_taken",
           fate(stolen.push(stolen.mutation(create_contact(D)))))
    for says, changes in (("another epoch", {"epoch": other.epoch}), ("no such epoch", {"epoch": new_id()})):
        w.like(f"wrong_epoch ({says})", "refused wrong_epoch",
               fate(replica.push(replica.mutation(create_contact(D), n=2), **changes)))
    w.like("wrong_epoch (base above the head)", "refused wrong_epoch",
           fate(replica.push(replica.mutation(create_contact(D), n=2, base=book.head + 1))))
    w.like("base at the head", "entered", fate(replica.push(replica.mutation(create_contact(D), n=2, base=book.head))))
    elsewhere = other.replica()
    elsewhere.id = replica.id
    w.like("(book, replica, n) are unique: the same replica in another book starts at 1", "entered",
           fate(elsewhere.push(elsewhere.mutation(create_contact(C)))))
    w.like("(book, id) is unique in its book only", "entered", fate(elsewhere.push(
        {**elsewhere.mutation(create_contact(D)), "id": book.entries(2)[-1]["id"]})))
    back = book.replica()
    w.like("n = 0", lambda got: got != "entered", fate(back.push(back.mutation(create_contact(U), n=0))))


REJECTIONS = (
    ("unknown_contact", update_contact(U, name="X")), ("unknown_contact", delete("contact", U)),
    ("unknown_contact", restore("contact", U)), ("unknown_contact", create_transaction(new_id(), U)),
    ("unknown_contact", update_transaction(T, contact=U)),
    ("unknown_transaction", update_transaction(U, amount=1)), ("unknown_transaction", delete("transaction", U)),
    ("unknown_transaction", restore("transaction", U)),
    ("conflict_closed", resolve(U, True)), ("conflict_closed", resolve(U, False)),
    ("id_taken", create_contact(C)), ("id_taken", create_transaction(T, C)), ("id_taken", create_contact(T)),
    ("id_taken", create_transaction(C, C)),
    ("invalid_field", create_contact(D, "")), ("invalid_field", update_contact(C, name=None)),
    ("malformed", {"op": "create_contact", "id": D}), ("malformed", {"op": "delete_contact"}),
    ("malformed", {"op": "update_contact", "id": C}), ("malformed", {"op": "resolve_conflict", "id": C}),
    ("malformed", {"op": "create_contact", "id": "not a uuid", "name": "A"}),
)


def check_rejections(w):
    book = w.book()
    replica = book.replica()
    replica.do(create_contact(C), create_transaction(T, C))
    for code, op in REJECTIONS:
        answer = replica.push(replica.mutation(update_contact(C, note="not to be seen"), op))
        entry = (answer.json.get("entries") or [{}])[0]
        w.like(f"Content at fault is a rejection, an entry: {code} {op}", {
            "n": replica.n, "rejected": {"code": code, "detail": str, "op": 1}}, entry)
        replica.n -= not entry
    w.like("Rejection is all or nothing for a mutation", None, book.record("contact", C).get("note"))
    for op in ({"op": "create_contact", "id": D, "name": 5}, {"op": "update_contact", "id": C, "set": {"name": ["x"]}},
               {"op": "update_book", "set": {"name": ""}}, {"op": "update_book", "set": {"name": "n" * 201}},
               {"op": "update_book", "set": {"currency": "EURO"}}, {"op": "update_book", "set": {"name": None}},
               create_contact(D.upper()), create_contact(D.replace("-", ""))):
        entry = replica.do(op)
        w.like(f"invalid_field or malformed: {str(op)[:80]}", one_of("invalid_field", "malformed"), entry.get("rejected", {}).get("code"))
    entry = replica.do(update_contact(C, colour="red"))
    w.like("unknown fields are ignored, in set too", ([], None), (entry["changes"], entry.get("rejected")))
    entry = replica.do(create_contact(D, "a\nb"))
    w.like("invalid_field (with field)", {"rejected": {"field": "name", "op": 0}}, entry)
    w.like("A rejection uses up its n, so it never blocks what follows", "entered",
           fate(replica.push(replica.mutation(create_contact(D)))))


def check_ops_see_the_former(w):
    book = w.book()
    replica = book.replica()
    entry = replica.do(create_contact(C), update_contact(C, name="B"), create_transaction(T, C), update_transaction(T, amount=7),
                       delete("transaction", T), restore("transaction", T), base=1)
    w.like("ops are decided one after the other, each seeing what the former did", [
        {"type": "contact_created"}, {"type": "contact_updated", "was": {"name": "Ana"}}, {"type": "transaction_created"},
        {"type": "transaction_updated", "was": {"amount": 100}}, {"type": "transaction_deleted"},
        {"type": "transaction_restored"}], entry["changes"])
    head = book.head
    entry = replica.do(delete("contact", C), update_contact(C, name="X"), base=head)
    w.like("an op on what a former op deleted", {"rejected": {"code": "unknown_contact", "op": 1}}, entry)
    entry = replica.do(delete("contact", C), delete("contact", C))
    w.like("Deleting what is deleted changes nothing", [{"type": "contact_deleted"}], entry["changes"])
    entry = replica.do(delete("contact", C))
    w.like("Deleting what is deleted changes nothing (known)", only([]), entry["changes"])
    entry = replica.do(restore("contact", C), restore("contact", C), restore("transaction", T))
    w.like("restoring what stands changes nothing", [{"type": "contact_restored"}], entry["changes"])


def check_fates(w):
    book = w.book()
    one, two = book.replica(), book.replica()
    for n in range(3):
        one.do(create_contact(new_id(), f"one {n}"))
        two.do(create_contact(new_id(), "" if n == 1 else f"two {n}"))
    got = w.ana.get(book.path + "/entries", replica=two.id, from_n=2).json["entries"]
    w.like("?replica=R&from_n=N for the fates of one replica", [
        {"replica": two.id, "n": 2, "rejected": {"code": "invalid_field"}}, {"replica": two.id, "n": 3}], got)
    w.like("replicas:{R:n,…}", {one.id: 3, two.id: 3}, book.snapshot()["replicas"])


def check_undo(w):
    book = w.book()
    replica = book.replica()
    replica.do(create_contact(C, "Ana", phone="1"))
    renamed = replica.do(update_contact(C, name="Anna"))
    entry = replica.do(update_contact(C, name="Ana"), base=renamed["seq"], undoes=renamed["seq"])
    w.like("with undoes where the mutation had it", {"undoes": renamed["seq"], "changes": [
        {"type": "contact_updated", "set": {"name": "Ana"}}]}, entry)
    renamed = replica.do(update_contact(C, name="Bea", phone="2"))
    replica.do(update_contact(C, name="Cleo"))
    entry = replica.do(update_contact(C, name="Ana", phone="1"), base=renamed["seq"], undoes=renamed["seq"])
    w.like("Undo: no exemption for oneself; Fields changed since raise a conflict", [
        {"type": "contact_updated", "set": only({"phone": "1"})},
        {"type": "conflict_raised", "id": uuid_8, "kind": "edit_edit", "standing": {"set": {"name": "Cleo"}},
         "offered": {"set": {"name": "Ana"}}}], entry["changes"])
    made = replica.do(create_contact(D))
    replica.do(update_contact(D, name="Edited"))
    entry = replica.do(delete("contact", D), base=made["seq"], undoes=made["seq"])
    w.like("undoing a creation edited since: edit_delete", [{"type": "conflict_raised", "kind": "edit_delete"}], entry["changes"])
