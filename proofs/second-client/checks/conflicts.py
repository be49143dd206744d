"""First confirmed stands: edits against edits, offers, decisions."""
from client import (create_contact, create_transaction, delete, resolve, update_contact, update_transaction)

from . import C, D, T, U, lacks, only, uuid_8


class Scene:
    """A contact and its transaction; one replica is early, the other knows nothing of what happens after `base`."""

    def __init__(self, w, editor=None):
        self.book = w.book(editor=editor)
        self.early, self.late = self.book.replica(), self.book.replica(editor)
        self.early.do(create_contact(C, "Ana", phone="1"), create_contact(D, "Dora"), create_transaction(T, C, 100))
        self.base = self.book.head

    def first(self, *ops):
        return self.early.do(*ops)

    def then(self, *ops, base=None):
        return self.late.do(*ops, base=self.base if base is None else base)

    def conflicts(self):
        return self.book.snapshot()["state"]["conflicts"]


def updated(kind, **fields):
    return {"type": f"{kind}_updated", "set": only(fields)}


def raised(kind, standing, offered):
    return {"type": "conflict_raised", "id": uuid_8, "kind": kind, "standing": {"set": standing}, "offered": {"set": offered}}


NAME = lambda name: update_contact(C, name=name)  # noqa: E731
TX = lambda **fields: update_transaction(T, **fields)  # noqa: E731
EDITS = (  # what the contract says, first, late, the late entry's changes
    ("same field, another value", NAME("A1"), NAME("A2"), [raised("edit_edit", {"name": "A1"}, {"name": "A2"})]),
    ("to the same value: no conflict", NAME("A1"), NAME("A1"), []),
    ("Different fields merge silently", NAME("A1"), update_contact(C, phone="2"), [updated("contact", phone="2")]),
    ("the groups that apply give one _updated, each late group a conflict_raised", NAME("A1"),
     update_contact(C, name="A2", phone="2", email="e"),
     [updated("contact", phone="2", email="e"), raised("edit_edit", {"name": "A1"}, {"name": "A2"})]),
    ("one conflict per field group", update_contact(C, name="A1", phone="2"), update_contact(C, name="A2", phone="3"),
     [raised("edit_edit", {"name": "A1"}, {"name": "A2"}), raised("edit_edit", {"phone": "2"}, {"phone": "3"})]),
    ("a group whose values all equal the standing ones is passed over", NAME("A1"),
     update_contact(C, name="A1", phone="2"), [updated("contact", phone="2")]),
    ("a field cleared first", update_contact(C, phone=None), update_contact(C, phone="3"),
     [raised("edit_edit", {"phone": None}, {"phone": "3"})]),
    ("a late clearing", update_contact(C, phone="2"), update_contact(C, phone=None),
     [raised("edit_edit", {"phone": "2"}, {"phone": None})]),
    ("both clear: no conflict", update_contact(C, phone=None), update_contact(C, phone=None), []),
    ("amount, currency and direction count as one field: amount, currency", TX(amount=200), TX(currency="USD"),
     [raised("edit_edit", {}, {"currency": "USD"})]),
    ("amount, currency and direction count as one field: direction, amount", TX(direction="got"), TX(amount=300),
     [raised("edit_edit", {}, {"amount": 300})]),
    ("amount and note are different fields", TX(amount=200), TX(note="n"), [updated("transaction", note="n")]),
    ("date and due are different fields", TX(date="2026-01-01"), TX(due="2026-02-02"), [updated("transaction", due="2026-02-02")]),
    ("moved and edited merge", TX(contact=D), TX(amount=300), [updated("transaction", amount=300)]),
    ("moved to two contacts", TX(contact=D), TX(contact=C), None),
    ("the book's name", {"op": "update_book", "set": {"name": "B1"}}, {"op": "update_book", "set": {"name": "B2"}},
     [raised("edit_edit", {"name": "B1"}, {"name": "B2"})]),
    ("the book's name and currency", {"op": "update_book", "set": {"name": "B1"}},
     {"op": "update_book", "set": {"currency": "USD"}}, [updated("book", currency="USD")]),
)


def check_late_edits(w):
    for says, first, late, want in EDITS:
        scene = Scene(w)
        scene.first(first)
        entry = scene.then(late)
        want = [raised("edit_edit", {"contact": D}, {"contact": C})] if want is None else want
        w.like(says, want, entry.get("changes"))
        state = scene.book.snapshot()["state"]
        w.like(f"{says}: the open conflicts", sum(change["type"] == "conflict_raised" for change in entry["changes"]),
               len(state["conflicts"]))
        record = {"contact": state["contacts"][0], "transaction": state["transactions"][0], "book": state["book"]}
        kind = first["op"].partition("_")[2]
        stands = {name: value for name, value in first["set"].items() if value is not None}
        w.like(f"{says}: the standing value stays", stands, record[kind])


def check_both_values_authors_times(w):
    scene = Scene(w, editor=w.ben)
    standing = scene.first(NAME("A1"))
    mutation = scene.late.mutation(NAME("A2"), base=scene.base)
    change, = scene.late.push(mutation).json["entries"][0]["changes"]
    w.like("both values, both authors and both times", {
        "type": "conflict_raised", "id": uuid_8, "record": only({"kind": "contact", "id": C}), "kind": "edit_edit",
        "standing": only({"set": only({"name": "A1"}), "by": w.ana.id, "seq": standing["seq"]}),
        "offered": only({"set": only({"name": "A2"}), "by": w.ben.id, "made_at": mutation["made_at"]})}, change)
    w.like("the snapshot has it", [{key: change[key] for key in ("id", "kind", "record", "standing", "offered")}], scene.conflicts())
    scene = Scene(w)
    scene.first({"op": "update_book", "set": {"name": "B1"}})
    change, = scene.then({"op": "update_book", "set": {"name": "B2"}})["changes"]
    w.like('REF of a book: {"kind":"book"}', only({"kind": "book"}), change["record"])


def check_changed_back_and_base(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    scene.first(NAME("Ana"))
    entry = scene.then(NAME("A2"))
    w.like("if the field changed after the base: changed back is changed", [raised("edit_edit", {"name": "Ana"}, {"name": "A2"})],
           entry["changes"])
    entry = scene.then(update_contact(C, email="x"), base=scene.book.head)
    w.like("a base at the change knows it", [updated("contact", email="x")], entry["changes"])
    scene = Scene(w)
    change = scene.first(NAME("A1"))["seq"]
    w.like("base at the very change: no conflict", [updated("contact", name="A2")], scene.then(NAME("A2"), base=change)["changes"])
    scene = Scene(w)
    change = scene.first(NAME("A1"))["seq"]
    w.like("base one before: conflict", [raised("edit_edit", {"name": "A1"}, {"name": "A2"})],
           scene.then(NAME("A2"), base=change - 1)["changes"])


def check_replica_with_itself(w):
    scene = Scene(w)
    scene.then(create_transaction(U, C, 5))
    w.like("A replica never conflicts with itself: its own transaction, then its delete of the contact",
           [{"type": "contact_deleted"}], scene.then(delete("contact", C))["changes"])
    scene = Scene(w)
    scene.then(NAME("L1"))
    w.like("A replica never conflicts with itself", [updated("contact", name="L2")], scene.then(NAME("L2"))["changes"])
    entry = scene.then(NAME("L3"), TX(amount=5), TX(amount=6), NAME("L4"))
    w.like("changes of one entry never conflict with each other", [updated("contact", name="L3"), updated("transaction", amount=5),
           updated("transaction", amount=6), updated("contact", name="L4")], entry["changes"])


def check_next_offer_takes_the_place(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    offer = scene.then(NAME("L1"))["changes"][0]["id"]
    entry = scene.then(NAME("L2"))
    w.like("closed in the same entry (conflict_resolved, applied false) by the replica's next offer", lambda changes: sorted(
        (change["type"], change.get("applied")) for change in changes) == [("conflict_raised", None), ("conflict_resolved", False)]
        and offer in [change["id"] for change in changes if change["type"] == "conflict_resolved"], entry["changes"])
    w.like("one open conflict is left, the last offer", [{"offered": {"set": {"name": "L2"}}}], scene.conflicts())
    entry = scene.then(NAME("L3"), base=scene.book.head)
    w.like("or clean write there", lambda changes: {change["type"] for change in changes} == {"contact_updated", "conflict_resolved"},
           entry["changes"])
    w.like("none is left", only([]), scene.conflicts())
    scene.first(NAME("A2"))
    scene.then(NAME("L4"), base=scene.book.head - 1)
    other = scene.book.replica()
    other.do(NAME("O1"), base=scene.base)
    w.like("another replica's offer stands beside", 2, len(scene.conflicts()))
    scene.first(NAME("A3"))
    w.like("a clean write of yet another replica closes nothing", 2, len(scene.conflicts()))
    scene.then(update_contact(C, phone="9"), base=scene.book.head)
    w.like("a write to another group closes nothing", 2, len(scene.conflicts()))


def check_delete_offer_closed_by_own_write(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    offer, = scene.then(delete("contact", C))["changes"]
    w.like("edit_delete", "edit_delete", offer["kind"])
    again = scene.then(delete("contact", C))
    w.like("an edit_delete of the same replica and record is closed by the next offer",
           1, sum(change["type"] == "conflict_raised" for change in again["changes"]))
    w.like("one is left", 1, len(scene.conflicts()))
    entry = scene.then(update_contact(C, phone="8"), base=scene.book.head)
    w.like("or a clean write there (same replica and record)", {"conflict_resolved", "contact_updated"},
           {change["type"] for change in entry["changes"]})
    w.like("none is left", only([]), scene.conflicts())


def check_decisions(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    conflict = scene.then(NAME("L1"))["changes"][0]["id"]
    entry = scene.first(resolve(conflict, False))
    w.like("apply false: closed, nothing else", [{"type": "conflict_resolved", "id": conflict, "applied": False}], entry["changes"])
    w.like("the standing value stays", "A1", scene.book.record("contact", C)["name"])
    for apply in (True, False):
        w.like("Resolving what is not open is conflict_closed", {"rejected": {"code": "conflict_closed"}},
               scene.first(resolve(conflict, apply)))
    conflict = scene.then(NAME("L2"))["changes"][0]["id"]
    entry = scene.first(resolve(conflict, True))
    w.like("apply true: the value kept aside now takes effect", lambda changes: len(changes) == 2 and {
        ("conflict_resolved", True), ("contact_updated", None)} == {(c["type"], c.get("applied")) for c in changes}, entry["changes"])
    w.like("the value kept aside now takes effect", "L2", scene.book.record("contact", C)["name"])


def check_decision_after_the_field_moved_on(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    raised_change, = scene.then(NAME("L1"))["changes"]
    base = scene.book.head
    moved = scene.first(NAME("A2"))
    decider = scene.book.replica()
    entry = decider.do(resolve(raised_change["id"], True), base=base)
    w.like("if the field has moved on, the conflict stays, with the new standing value; the same id again", [{
        "type": "conflict_raised", "id": raised_change["id"], "kind": "edit_edit", "record": raised_change["record"],
        "standing": {"set": {"name": "A2"}, "seq": moved["seq"]}, "offered": raised_change["offered"]}], entry["changes"])
    w.like("the snapshot shows the new standing value", [{"id": raised_change["id"], "standing": {"set": {"name": "A2"}}}],
           scene.conflicts())
    w.like("the field is as it was", "A2", scene.book.record("contact", C)["name"])
    entry = decider.do(resolve(raised_change["id"], True), base=scene.book.head)
    w.like("with the base of that decision it applies", "L1", scene.book.record("contact", C)["name"])
    scene = Scene(w)
    scene.first(NAME("A1"))
    conflict = scene.then(NAME("L1"))["changes"][0]["id"]
    base = scene.book.head
    scene.first(NAME("A2"))
    entry = scene.book.replica().do(resolve(conflict, False), base=base)
    w.like("dismissing needs no fresh base", only([{"type": "conflict_resolved", "applied": False}]), entry["changes"])


def check_applying_to_a_deleted_record(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    conflict = scene.then(NAME("L1"))["changes"][0]["id"]
    scene.first(delete("contact", C))
    entry = scene.first(resolve(conflict, True))
    w.like("applying an offered edit to a record deleted meanwhile restores it with the edit",
           {"contact_restored", "contact_updated", "conflict_resolved"}, {change["type"] for change in entry.get("changes", [])})
    w.like("restores it with the edit", {"name": "L1", "deleted": False}, scene.book.record("contact", C))
    scene = Scene(w)
    scene.first(TX(amount=200))
    conflict = scene.then(TX(amount=300))["changes"][0]["id"]
    scene.first(delete("contact", C))
    scene.first(resolve(conflict, True))
    w.like("a transaction whose contact was deleted meanwhile: both come back", (False, {"EUR": 300}), (
        lambda got: (got["deleted"], got["balances"]))(scene.book.record("contact", C)))


def check_two_replicas_offer_the_same(w):
    scene = Scene(w)
    scene.first(NAME("A1"))
    one, two = scene.then(NAME("X")), scene.book.replica().do(NAME("X"), base=scene.base)
    w.like("id: a hash of mutation id, op index and group", 2, len({one["changes"][0]["id"], two["changes"][0]["id"]}))
    scene = Scene(w)
    scene.first(update_contact(C, name="A1", phone="2"))
    late = scene.then(update_contact(C, name="L", phone="3"), update_contact(D, name="clean"))
    w.like("each group its own id", 2, len({change["id"] for change in late["changes"] if change["type"] == "conflict_raised"}))
    w.like("A conflict sets aside its op's field only", {"type": "contact_updated", "id": D}, late["changes"][-1])
    w.like("an entry with conflicts is not rejected", lacks("rejected"), late)
