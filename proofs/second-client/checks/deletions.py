"""Edits outlive deletes: the table of the rules, each line from both sides, known and unknown."""
from client import (create_transaction, delete, resolve, restore, update_contact, update_transaction)

from . import C, D, T, U, only, uuid_8
from .conflicts import NAME, TX, Scene

NEW = create_transaction(U, C, 5)


def kept(record):
    return [{"type": "conflict_raised", "id": uuid_8, "kind": "edit_delete", "record": record}]


def aside(record, **offered):
    return [{"type": "conflict_raised", "id": uuid_8, "kind": "delete_edit", "record": record, "offered": {"set": only(offered)}}]


CONTACT, TRANSACTION = {"kind": "contact", "id": C}, {"kind": "transaction", "id": T}
GONE_C, GONE_T = [{"type": "contact_deleted", "id": C}], [{"type": "transaction_deleted", "id": T}]
TABLE = (  # line, before, first confirmed, then (not knowing of it), changes of the late entry, contact deleted, transaction deleted
    ("edit, then delete: contact", (), NAME("A1"), delete("contact", C), kept(CONTACT), False, False),
    ("edit, then delete: transaction", (), TX(amount=7), delete("transaction", T), kept(TRANSACTION), False, False),
    ("edit by a move, then delete", (), TX(contact=D), delete("transaction", T), kept(TRANSACTION), False, False),
    ("delete, then edit: contact", (), delete("contact", C), NAME("L"), aside(CONTACT, name="L"), True, False),
    ("delete_edit holds the op's whole set", (), delete("contact", C), update_contact(C, name="L", phone=None, note="n"),
     aside(CONTACT, name="L", phone=None, note="n"), True, False),
    ("delete, then edit: transaction", (), delete("transaction", T), TX(amount=7, note="n"),
     aside(TRANSACTION, amount=7, note="n"), False, True),
    ("delete, delete: contact", (), delete("contact", C), delete("contact", C), [], True, False),
    ("delete, delete: transaction", (), delete("transaction", T), delete("transaction", T), [], False, True),
    ("new transaction, then delete of the contact", (), NEW, delete("contact", C), kept(CONTACT), False, False),
    ("edited transaction, then delete of the contact", (), TX(amount=7), delete("contact", C), kept(CONTACT), False, False),
    ("moved transaction, then delete of the contact", (create_transaction(U, D),), update_transaction(U, contact=C),
     delete("contact", C), kept(CONTACT), False, False),
    ("restored transaction, then delete of the contact", (create_transaction(U, C), delete("transaction", U)),
     restore("transaction", U), delete("contact", C), kept(CONTACT), False, False),
    ("deleted transaction, then delete of the contact", (), delete("transaction", T), delete("contact", C), GONE_C, True, True),
    ("another contact's new transaction", (), create_transaction(U, D), delete("contact", C), GONE_C, True, False),
    ("delete of a contact, then new transaction", (), delete("contact", C), NEW,
     [{"type": "contact_restored", "id": C}, {"type": "transaction_created", "id": U}], False, False),
    ("delete of a contact, then one moved to it", (create_transaction(U, D),), delete("contact", C),
     update_transaction(U, contact=C), [{"type": "contact_restored", "id": C}, {"type": "transaction_updated", "id": U}], False, False),
    ("delete of a contact, then one restored to it", (create_transaction(U, C), delete("transaction", U)), delete("contact", C),
     restore("transaction", U), [{"type": "contact_restored", "id": C}, {"type": "transaction_restored", "id": U}], False, False),
    ("delete of a contact, then edit of one of its transactions", (), delete("contact", C), TX(amount=7),
     aside(TRANSACTION, amount=7), True, False),
    ("delete of a contact, then delete of one of its transactions", (), delete("contact", C), delete("transaction", T),
     GONE_T, True, True),
    ("delete of a contact, then restore of it", (), delete("contact", C), restore("contact", C), None, None, False),
)


def check_table(w):
    for line, before, first, late, want, contact_gone, transaction_gone in TABLE:
        scene = Scene(w)
        if before:
            scene.first(*before)
            scene.base = scene.book.head
        scene.first(first)
        entry = scene.then(late)
        if want is not None:
            w.like(line, want, entry.get("changes") if "rejected" not in entry else entry)
        state = scene.book.snapshot()["state"]
        contact = next(record for record in state["contacts"] if record["id"] == C)
        transaction = next(record for record in state["transactions"] if record["id"] == T)
        if contact_gone is not None:
            w.like(f"{line}: deleted afterwards", (contact_gone, transaction_gone), (contact["deleted"], transaction["deleted"]))
        w.like(f"{line}: the open conflicts", sum(c["type"] == "conflict_raised" for c in entry.get("changes", [])),
               len(state["conflicts"]))


KNOWN = (  # Someone who knew of the delete and names the record anyway gets unknown_…
    (delete("contact", C), NAME("X"), "unknown_contact"),
    (delete("contact", C), NEW, "unknown_contact"),
    (delete("contact", C), update_transaction(U, contact=C), "unknown_contact"),
    (delete("contact", C), TX(amount=7), "unknown_transaction"),
    (delete("contact", C), delete("transaction", T), "unknown_transaction"),
    (delete("transaction", T), TX(amount=7), "unknown_transaction"),
    (delete("contact", C), delete("contact", C), None), (delete("contact", C), restore("contact", C), None),
    (delete("transaction", T), delete("transaction", T), None), (delete("transaction", T), restore("transaction", T), None),
)


def check_known_deletes(w):
    for first, late, code in KNOWN:
        scene = Scene(w)
        if late.get("id") == U and late["op"] == "update_transaction":
            scene.first(create_transaction(U, D))
        gone = scene.first(first)["seq"]
        entry = scene.then(late, base=gone)
        w.like(f"base at the delete: {late['op']} after {first['op']}", code, entry.get("rejected", {}).get("code"))
        if code and late is not NEW:
            entry = scene.first(late)
            w.like(f"the deleter itself, base at the head: {late['op']}", code, entry.get("rejected", {}).get("code"))


def check_decisions_on_deletes(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    conflict = scene.then(delete("contact", C))["changes"][0]
    w.like("edit_delete: standing holds the edit", {"set": {"name": "A1"}, "by": w.ana.id, "seq": int}, conflict["standing"])
    entry = scene.first(resolve(conflict["id"], True))
    w.like("edit_delete applied deletes", {"contact_deleted", "conflict_resolved"}, {c["type"] for c in entry["changes"]})
    w.like("edit_delete applied deletes", True, scene.book.record("contact", C)["deleted"])

    scene = Scene(w)
    scene.first(NAME("A1"))
    conflict = scene.then(delete("contact", C))["changes"][0]["id"]
    base = scene.book.head
    scene.first(NAME("A2"))
    entry = scene.book.replica().do(resolve(conflict, True), base=base)
    w.like("edit_delete: edited again, not known to the one who decides: the conflict stays, with the new standing value",
           [{"type": "conflict_raised", "id": conflict, "kind": "edit_delete", "standing": {"set": {"name": "A2"}}}], entry["changes"])
    w.like("the record stands", False, scene.book.record("contact", C)["deleted"])

    scene = Scene(w)
    scene.first(delete("contact", C))
    conflict = scene.then(update_contact(C, name="L", phone="9"))["changes"][0]["id"]
    entry = scene.first(resolve(conflict, True))
    w.like("delete_edit can restore it with the edit", {"contact_restored", "contact_updated", "conflict_resolved"},
           {c["type"] for c in entry["changes"]})
    w.like("restored with the edit", {"deleted": False, "name": "L", "phone": "9"}, scene.book.record("contact", C))

    scene = Scene(w)
    scene.first(delete("contact", C))
    conflict = scene.then(TX(amount=7))["changes"][0]["id"]
    entry = scene.first(resolve(conflict, True))
    w.like("can restore the contact with it", {"contact_restored", "transaction_updated", "conflict_resolved"},
           {c["type"] for c in entry["changes"]})
    w.like("the contact is back with the edited transaction", (False, {"EUR": 7}), (
        lambda got: (got["deleted"], got["balances"]))(scene.book.record("contact", C)))

    scene = Scene(w)
    scene.first(delete("transaction", T))
    conflict = scene.then(TX(amount=7))["changes"][0]["id"]
    w.like("dismissed", [{"type": "conflict_resolved", "applied": False}], scene.first(resolve(conflict, False))["changes"])
    w.like("dismissed: stays deleted", {"deleted": True, "amount": 100}, scene.book.record("transaction", T))


def check_delete_edit_closes_only_by_decision(w):
    scene = Scene(w)
    scene.first(delete("contact", C))
    scene.then(NAME("L1"))
    scene.then(NAME("L2"))
    w.like("a delete_edit is one per op and closes only by decision", 2, len(scene.conflicts()))
    entry = scene.late.do(restore("contact", C))
    w.like("a restore closes none", (["contact_restored"], 2), ([c["type"] for c in entry["changes"]], len(scene.conflicts())))
    scene.late.do(NAME("L3"))
    w.like("a clean write closes none", 2, len(scene.conflicts()))


def check_undo_of_a_delete(w):
    scene = Scene(w)
    gone = scene.first(delete("contact", C))
    entry = scene.first(restore("contact", C))
    w.like("undo of a delete", [{"type": "contact_restored", "id": C}], entry["changes"])
    entry = scene.then(NAME("L"))
    w.like("deleted and restored since: an edit of an untouched field applies", [{"type": "contact_updated"}], entry["changes"])
    w.like("the delete had its own entry", gone["seq"] + 2, entry["seq"])
