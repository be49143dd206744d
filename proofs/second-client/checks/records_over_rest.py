"""Contacts and transactions over REST: the same path as a mutation."""
from concurrent.futures import ThreadPoolExecutor

from client import create_contact, create_transaction, new_id

from . import C, D, T, U, has, only, uuid_7, uuid_8

TX = {"contact": C, "direction": "gave", "amount": 2050, "currency": "EUR", "date": "2026-11-22"}


def check_contacts(w):
    book = w.book()
    path = book.path + "/contacts"
    made = w.ana.post(path, {"id": C, "name": "Ana", "username": "ana", "phone": "+39 1", "email": "a@b.c", "note": "x\ny"})
    w.like("201 on create", 201, made.status)
    want = {"id": C, "name": "Ana", "username": "ana", "phone": "+39 1", "email": "a@b.c", "note": "x\ny",
            "deleted": False, "seq": 2, "balances": only({})}
    w.like("the record and seq: its fields plus deleted, seq, and for a contact balances", want, made.json)
    w.like("GET …/contacts/{id}", want, w.ana.get(f"{path}/{C}").json)
    w.like("ids are UUIDs (v7 where we make them)", uuid_7, w.ana.post(path, {"name": "B"}).json.get("id"))
    patched = w.ana.patch(f"{path}/{C}", {"name": "Anna", "note": None})
    w.like("The body of PATCH is the op's set", (200, "Anna", 4), (patched.status, patched.json.get("name"), patched.json.get("seq")))
    w.like("null clears an optional field", None, patched.json.get("note"))
    w.like("the entry's set", only([{"type": "contact_updated", "id": C, "set": only({"name": "Anna", "note": None}),
                                "was": only({"name": "Ana", "note": "x\ny"})}]), book.entries(3)[0]["changes"])
    gone = w.ana.delete(f"{path}/{C}")
    w.like("DELETE: answered with the record and seq", {"id": C, "deleted": True, "seq": 5}, gone.json)
    back = w.ana.post(f"{path}/{C}/restore")
    w.like("POST restore: the record and seq", {"id": C, "deleted": False, "seq": 6}, back.json)
    w.refuses("A rejection: 422 with its code", 422, "id_taken", w.ana.post(path, {"id": C, "name": "Again"}))
    w.refuses("422 invalid_field", 422, "invalid_field", w.ana.post(path, {"name": ""}))
    w.like("with field", "name", w.ana.post(path, {"name": ""}).json.get("field"))
    w.refuses("422 malformed", 422, "malformed", w.ana.post(path, {}))
    for method, tail, body in (("PATCH", "", {"name": "X"}), ("DELETE", "", None), ("POST", "/restore", {})):
        w.refuses(f"404 for unknown_…: {method} {tail}", 404, "unknown_contact", w.ana.call(method, f"{path}/{D}{tail}", body))
    w.refuses("an unknown record", 404, None, w.ana.get(f"{path}/{D}"))
    w.like("not JSON", lambda status: status in (400, 422), w.ana.post(path, b"{nonsense").status)


def check_transactions(w):
    book = w.book()
    book.replica().do(create_contact(C), create_contact(D))
    path = book.path + "/transactions"
    made = w.ana.post(path, {"id": T, **TX, "note": "lunch", "due": "2026-12-01"})
    want = {"id": T, **TX, "note": "lunch", "due": "2026-12-01", "deleted": False, "seq": 3}
    w.like("201 on create", 201, made.status)
    w.like("the record and seq", want, made.json)
    w.like("GET …/transactions/{id}", want, w.ana.get(f"{path}/{T}").json)
    w.like("balances (currency to integer)", only({"EUR": 2050}), book.record("contact", C)["balances"])
    w.ana.post(path, {**TX, "direction": "got", "amount": 3000})
    w.ana.post(path, {**TX, "currency": "USD", "amount": 5})
    w.like("Balance = Σ gave − Σ got per currency", only({"EUR": -950, "USD": 5}), book.record("contact", C)["balances"])
    w.ana.post(path, {**TX, "amount": 950})
    w.like("zeros left out", only({"USD": 5}), book.record("contact", C)["balances"])
    patched = w.ana.patch(f"{path}/{T}", {"amount": 1050, "contact": D, "due": None})
    w.like("update_transaction: any field but id", {"amount": 1050, "contact": D}, patched.json)
    w.like("a move moves the balance", only({"EUR": 1050}), book.record("contact", D)["balances"])
    w.like("DELETE", {"deleted": True}, w.ana.delete(f"{path}/{T}").json)
    w.like("over its standing transactions", only({}), book.record("contact", D)["balances"])
    w.like("restore", {"deleted": False}, w.ana.post(f"{path}/{T}/restore").json)
    w.like("over its standing transactions", only({"EUR": 1050}), book.record("contact", D)["balances"])
    for method, tail, body in (("PATCH", "", {"amount": 1}), ("DELETE", "", None), ("POST", "/restore", {})):
        w.refuses(f"404 for unknown_…: {method}{tail}", 404, "unknown_transaction", w.ana.call(method, f"{path}/{U}{tail}", body))
    w.refuses("404 unknown_contact", 404, "unknown_contact", w.ana.post(path, {**TX, "contact": U}))
    w.refuses("404 unknown_contact on a move", 404, "unknown_contact", w.ana.patch(f"{path}/{T}", {"contact": U}))
    w.ana.patch(f"{path}/{T}", {"id": U})
    w.like("set: any field but id", (200, 404), (w.ana.get(f"{path}/{T}").status, w.ana.get(f"{path}/{U}").status))


def check_hidden_transactions(w):
    book = w.book()
    book.replica().do(create_contact(C), create_contact(D), create_transaction(T, C), create_transaction(U, D))
    w.ana.delete(f"{book.path}/contacts/{C}")
    listed = w.ana.get(book.path + "/transactions").json["items"]
    w.like("Deleting a contact hides its transactions from lists", [{"id": U}], listed)
    w.like("its contacts' list too", [{"id": D}], w.ana.get(book.path + "/contacts").json["items"])
    w.ana.post(f"{book.path}/contacts/{C}/restore")
    w.like("restoring brings them back", has({"id": T}, {"id": U}), w.ana.get(book.path + "/transactions").json["items"])
    w.like("restoring brings them back to totals", only({"EUR": 100}), book.record("contact", C)["balances"])


def check_idempotency(w):
    book = w.book()
    path, key = book.path + "/contacts", {"Idempotency-Key": "key-1"}
    first = w.ana.post(path, {"name": "Once"}, key)
    again = w.ana.post(path, {"name": "Once"}, key)
    w.like("Idempotency-Key makes a repeat return the first answer", (first.status, first.json), (again.status, again.json))
    w.like("and adds no entry", 2, book.head)
    w.refuses("the same key with another body: 422 key_reused", 422, "key_reused", w.ana.post(path, {"name": "Twice"}, key))
    w.like("another book, another mutation", 201, w.ana.post(w.book().path + "/contacts", {"name": "Once"}, key).status)
    patched = w.ana.patch(f"{path}/{first.json['id']}", {"name": "New"}, key)
    w.like("another method and path, another mutation", (200, "New"), (patched.status, patched.json.get("name")))
    w.ana.patch(f"{path}/{first.json['id']}", {"name": "Newer"})
    again = w.ana.patch(f"{path}/{first.json['id']}", {"name": "New"}, key)
    w.like("the first answer, though the record has moved on", (patched.status, patched.json), (again.status, again.json))
    rejected = w.ana.post(path, {"name": ""}, {"Idempotency-Key": "key-2"})
    head = book.head
    again = w.ana.post(path, {"name": ""}, {"Idempotency-Key": "key-2"})
    w.like("a repeat of a rejection: the first answer", (rejected.status, rejected.code), (again.status, again.code))
    w.like("and no entry", head, book.head)
    w.ana.patch(f"{path}/{first.json['id']}", {"name": "Newest"})
    late = {"Idempotency-Key": "key-4", "Tidebook-Base": str(book.head - 1)}
    conflict, again = (w.ana.patch(f"{path}/{first.json['id']}", {"name": "Late"}, late) for _ in range(2))
    w.like("a repeat of a conflict: the first answer", (409, conflict.json), (again.status, again.json))
    other = w.ana.again().post(path, {"name": "Once"}, key)
    w.like("a hash of user, book, method, path and key: the same from another session",
           (first.status, first.json), (other.status, other.json))
    with ThreadPoolExecutor(8) as pool:
        head = book.head
        answers = list(pool.map(lambda _: w.ana.post(path, {"name": "At once"}, {"Idempotency-Key": "key-5"}), range(8)))
    w.like("eight at once: one entry, one answer", (1, head + 1), (len({(one.status, one.body) for one in answers}), book.head))
    book.admit(w.ben)
    w.like("another person, another mutation", 201, w.ben.post(path, {"name": "Ben's own"}, key).status)
    gone = w.ana.delete(f"{path}/{first.json['id']}", headers={"Idempotency-Key": "key-3"})
    again = w.ana.delete(f"{path}/{first.json['id']}", headers={"Idempotency-Key": "key-3"})
    w.like("a repeated delete", (gone.status, gone.json), (again.status, again.json))


def check_base(w):
    book = w.book(editor=w.ben)
    book.replica().do(create_contact(C, "Ana", phone="1"))
    path, base = f"{book.path}/contacts/{C}", {"Tidebook-Base": "3"}
    w.like("(this check's own base is the head)", 3, book.head)
    w.like("without Tidebook-Base the base is the head", 200, w.ben.patch(path, {"name": "Ben's"}).status)
    late = w.ana.patch(path, {"name": "Ana's"}, base)
    w.refuses("A conflict: 409 conflict", 409, "conflict", late)
    w.like("with conflicts (ids), seq and record as it stands", {
        "conflicts": [uuid_8], "seq": 5, "record": {"id": C, "name": "Ben's", "deleted": False}}, late.json)
    raised = book.entries(4)[0]
    w.like("the entry committed", [{"type": "conflict_raised", "id": late.json["conflicts"][0], "kind": "edit_edit",
                                    "record": {"kind": "contact", "id": C},
                                    "standing": {"set": {"name": "Ben's"}, "by": w.ben.id, "seq": 4},
                                    "offered": {"set": {"name": "Ana's"}, "by": w.ana.id, "made_at": int}}], raised["changes"])
    w.like("Different fields merge silently", (200, "Ben's", "2"), (
        lambda got: (got.status, got.json.get("name"), got.json.get("phone")))(w.ana.patch(path, {"phone": "2"}, base)))
    w.like("a delete of what was edited: 409", 409, w.ana.delete(path, headers=base).status)
    w.like("a base above the head", lambda status: 400 <= status < 500,
           w.ana.patch(path, {"name": "X"}, {"Tidebook-Base": "99"}).status)
    w.like("a base that is no number", lambda status: 400 <= status < 500,
           w.ana.patch(path, {"name": "X"}, {"Tidebook-Base": "x"}).status)


def check_rest_replica_conflicts_with_itself(w):
    book = w.book()
    book.replica().do(create_contact(C, "Ana"))
    w.ana.patch(f"{book.path}/contacts/{C}", {"name": "First"})
    w.refuses("a replica's freedom from conflicts with itself doesn't hold for REST writes", 409, "conflict",
              w.ana.patch(f"{book.path}/contacts/{C}", {"name": "Second"}, {"Tidebook-Base": "2"}))


def check_lists(w):
    book = w.book()
    names = ["Amélie", "Bruno", "bruna", "Carl"] + [f"Filler {n}" for n in range(101)]
    book.replica().do(*(create_contact(new_id(), name) for name in names))
    path = book.path + "/contacts"
    page = w.ana.get(path).json
    w.like("100 a page", (100, True), (len(page["items"]), page["next_cursor"] is not None))
    rest = w.ana.get(path, cursor=page["next_cursor"]).json
    w.like("next_cursor goes on", (5, None), (len(rest["items"]), rest["next_cursor"]))
    w.like("each record once", 105, len({item["id"] for item in page["items"] + rest["items"]}))
    seen, cursor = [], None
    for _ in range(4):
        part = w.ana.get(path, limit=30, **({"cursor": cursor} if cursor else {})).json
        seen, cursor = seen + part["items"], part["next_cursor"]
    w.like("limit says", (105, None, 105), (len(seen), cursor, len({item["id"] for item in seen})))
    w.like("a full last page has no next", None, w.ana.get(path, limit=105).json["next_cursor"])
    w.like("?q=", {"Bruno", "bruna"}, {item["name"] for item in w.ana.get(path, q="brun").json["items"]})
    w.like("?q= finds none", only([]), w.ana.get(path, q="zzzz").json["items"])
    w.like("a bad cursor", lambda status: 400 <= status < 500, w.ana.get(path, cursor="nonsense").status)
    bruno = w.ana.get(path, q="Bruno").json["items"][0]["id"]
    w.ana.delete(f"{path}/{bruno}")
    w.like("deleted ones are not listed", only([]), w.ana.get(path, q="Bruno").json["items"])
    w.like("?deleted=true", [{"id": bruno, "deleted": True}], w.ana.get(path, q="Bruno", deleted="true").json["items"])


def check_transaction_filters(w):
    book = w.book()
    rows = [(T, C, "gave", "EUR", "2026-01-10"), (U, C, "got", "USD", "2026-02-10"),
            (new_id(), D, "gave", "USD", "2026-03-10"), (new_id(), D, "got", "EUR", "2026-04-10")]
    book.replica().do(create_contact(C), create_contact(D), *(
        create_transaction(t, c, 100, direction, currency, date) for t, c, direction, currency, date in rows))
    path = book.path + "/transactions"
    for query, which in (
            ({}, "0123"), ({"contact": C}, "01"), ({"contact": D}, "23"), ({"currency": "EUR"}, "03"),
            ({"direction": "got"}, "13"), ({"from": "2026-02-11"}, "23"), ({"to": "2026-02-09"}, "0"),
            ({"from": "2026-02-10", "to": "2026-03-10"}, "12"), ({"contact": C, "currency": "USD"}, "1"),
            ({"contact": D, "direction": "gave", "from": "2026-01-01", "to": "2026-12-31"}, "2"), ({"currency": "CHF"}, "")):
        got = {item["id"] for item in w.ana.get(path, **query).json["items"]}
        w.like(f"?contact=&from=&to=&currency=&direction= {query}", {rows[int(n)][0] for n in which}, got)
    w.ana.delete(f"{path}/{T}")
    w.like("?deleted=true", [{"id": T, "deleted": True}],
           [item for item in w.ana.get(path, deleted="true").json["items"] if item["id"] == T])
    pages = w.ana.get(path, limit=2).json
    w.like("limit and cursor", (2, 1), (len(pages["items"]), len(w.ana.get(path, limit=2, cursor=pages["next_cursor"]).json["items"])))
    w.like("a date that is none", lambda status: 400 <= status < 500, w.ana.get(path, **{"from": "soon"}).status)


def check_operations(w):
    w.like("GET /api/v1/openapi.json", (200, True), (
        lambda got: (got.status, "openapi" in got.json))(w.ana.get("/openapi.json")))
    for path in ("//health", "//ready", "//metrics"):
        w.like(f"at the root: GET {path[1:]}", 200, w.ana.get(path).status)
    w.like("not under /api/v1", 404, w.ana.get("/health").status)
    w.refuses("Errors are application/problem+json: an unknown path", 404, None, w.ana.get("/nowhere"))
    w.refuses("Errors are application/problem+json: a wrong method", 405, None, w.ana.call("PUT", "/books"))
    w.refuses("Errors are application/problem+json: an unknown path of a book", 404, None, w.ana.get(w.book().path + "/nowhere"))
    w.like("{type,title,status,code,detail}", {"type": str, "title": str, "status": 404, "code": str, "detail": str},
           w.ana.get(f"/books/{new_id()}").json)
