"""Books, their members and roles, invites, archive and purge."""
from client import FEED, Person, Socket, Sync, create_contact, new_id, now_ms

from . import C, done, has, is_uuid, near, one_of, only, uuid_7

DAY = 86_400_000


def check_new_book(w):
    book_id = new_id()
    body = {"id": book_id, "name": "Shop", "currency": "EUR"}
    first = w.ana.post("/books", body)
    shape = {"id": book_id, "name": "Shop", "currency": "EUR", "role": "owner", "head": 1, "epoch": lambda _: True}
    w.like("POST /books: 201 {id,name,currency,role,head,epoch}", (201, True), (first.status, bool(first.json.get("epoch"))))
    w.like("{id,name,currency,role,head,epoch}", shape, first.json)
    again = w.ana.post("/books", body)
    w.like("the same call again by its owner: 200, same book", 200, again.status)
    w.like("the same call again by its owner: 200, same book", shape, again.json)
    taken = w.eve.post("/books", body)
    w.refuses("an id of someone else's: 409 id_taken", 409, "id_taken", taken)
    w.like("id_taken without detail: nothing of the book or its owner comes with it", False,
           any(secret in str(taken.json) for secret in ("Shop", "Ana", w.ana.id, first.json["epoch"])))
    made = w.ana.post("/books", {"name": "No id", "currency": "USD"}).json
    w.like("ids are UUIDs (v7 where we make them)", uuid_7, made["id"])
    w.like("currency?", 201, w.ana.post("/books", {"name": "No currency"}).status)
    w.like("GET /books/{b}", shape, w.ana.get(f"/books/{book_id}").json)
    w.like("GET /books: those I am a member of", has({"id": book_id}), w.ana.get("/books").json["items"])
    w.like("GET /books: no one else's", False, book_id in str(w.eve.get("/books").json))
    for name, status in (("n", 201), ("n" * 200, 201), ("😀" * 200, 201), ("n" * 201, 422), ("", 422), ("a\nb", 422)):
        w.like(f"name 1 to 200 characters ({len(name)})", status,
               w.ana.post("/books", {"name": name, "currency": "EUR"}).status)
    for currency in ("EURO", "eur", "", "ZZZ"):
        w.like(f"currencies are ISO 4217 codes ({currency!r})", 422,
               w.ana.post("/books", {"name": "B", "currency": currency}).status)
    w.like("unknown fields are ignored", 201, w.ana.post("/books", {"name": "B", "currency": "EUR", "colour": 1}).status)


def check_first_entry(w):
    book = w.book(name="Shop", currency="EUR")
    entry, = book.entries()
    w.like("Entry 1 of every book holds book_created and its owner's member_added", {
        "seq": 1, "by": w.ana.id, "id": is_uuid, "replica": is_uuid, "n": int, "made_at": near(now_ms()), "at": near(now_ms()),
        "changes": [{"type": "book_created", "name": "Shop", "currency": "EUR"},
                    {"type": "member_added", "user": w.ana.id, "role": "owner"}]}, entry)


def check_strangers(w):
    book = w.book()
    book.replica().do(create_contact(C, "Secret"))
    for path in ("", "/members", "/invites", "/snapshot", "/entries?after=0", "/entries/1/hash", "/feed?after=0",
                 "/contacts", f"/contacts/{C}", "/transactions"):
        there, nowhere = w.eve.get(book.path + path), w.eve.get(f"/books/{new_id()}{path}")
        w.refuses(f"A non-member gets 404 not_found for a book: GET {path}", 404, "not_found", there)
        w.like(f"whether or not it exists: GET {path}", (nowhere.status, nowhere.code), (there.status, there.code))
    for method, path, body in (
            ("POST", "/contacts", {"name": "A"}), ("PATCH", f"/contacts/{C}", {"name": "A"}), ("DELETE", f"/contacts/{C}", None),
            ("POST", "/invites", {"role": "owner"}), ("DELETE", "", None), ("PATCH", f"/members/{w.ana.id}", {"role": "viewer"}),
            ("DELETE", f"/members/{w.ana.id}", None), ("POST", "/transactions", {})):
        w.refuses(f"A non-member gets 404 not_found: {method} {path}", 404, "not_found",
                  w.eve.call(method, book.path + path, body))
    push = book.replica(w.eve)
    answer = push.push(push.mutation(create_contact(new_id())))
    w.like("a non-member's push: 404, or refused not_a_member", lambda got: got.status == 404 or
           got.json["refused"][0]["code"] == "not_a_member", answer)


def check_invites(w):
    book = w.book()
    made = w.ana.post(book.path + "/invites", {"role": "editor"})
    invite = made.json
    w.like("POST invites: 201 {id,token,url,expires_at}", 201, made.status)
    w.like("{id,token,url,expires_at}; default 7 days", {
        "id": is_uuid, "token": str, "url": str, "expires_at": near(now_ms() + 7 * DAY)}, invite)
    w.like("≥128 random bits", lambda token: len(token) >= 22, invite["token"])
    w.like("url carries the token in its fragment", True,
           invite["token"] in invite["url"].partition("#")[2] and invite["token"] not in invite["url"].partition("#")[0])
    items = w.ana.get(book.path + "/invites").json["items"]
    w.like("Items: invite {id,role,uses_left,expires_at}",
           [{"id": invite["id"], "role": "editor", "uses_left": 1, "expires_at": invite["expires_at"]}], items)
    w.like("list (without tokens)", False, invite["token"] in str(items))
    accepted = w.ben.post("/invites/accept", {"token": invite["token"]})
    w.like("accept: 200 {book,role}", (200, "editor"), (accepted.status, accepted.json.get("role")))
    w.like("accept: {book,role}", one_of(book.id), accepted.json.get("book"))
    w.like("the new member's entry", {"type": "member_added", "user": w.ben.id, "role": "editor"}, book.entries()[-1]["changes"][0])
    w.refuses("used up: 410 invite_gone", 410, "invite_gone", w.eve.post("/invites/accept", {"token": invite["token"]}))
    short = book.invite(expires_in_s=1)
    w.like("expires_in_s", near(now_ms() + 1000, 2000), short["expires_at"])
    w.within("an invite of one second expires", 3, lambda: now_ms() > short["expires_at"] + 5)
    w.refuses("expired: 410 invite_gone", 410, "invite_gone", w.eve.post("/invites/accept", {"token": short["token"]}))
    revoked = book.invite()
    w.like("DELETE invites/{id}: revoke", done, w.ana.delete(f"{book.path}/invites/{revoked['id']}").status)
    w.refuses("revoked: 410 invite_gone", 410, "invite_gone", w.eve.post("/invites/accept", {"token": revoked["token"]}))
    w.like("revoked: no longer listed", False, revoked["id"] in str(w.ana.get(book.path + "/invites").json))
    many = book.invite("viewer", uses=2)
    w.like("uses 2: first", 200, w.eve.post("/invites/accept", {"token": many["token"]}).status)
    w.like("uses_left goes down", has({"id": many["id"], "uses_left": 1}), w.ana.get(book.path + "/invites").json["items"])
    w.like("the invite gives its role", "viewer", w.eve.get(book.path).json["role"])
    w.like("an accepting without a session", 401, Person(w.url).post("/invites/accept", {"token": many["token"]}).status)
    w.like("an unknown role", 422, w.ana.post(book.path + "/invites", {"role": "king"}).status)
    for person in (w.ben, w.eve):
        w.like("only an owner invites", 403, person.post(book.path + "/invites", {"role": "viewer"}).status)


def check_roles(w):
    book = w.book(editor=w.ben, viewer=w.eve)
    members = w.ana.get(book.path + "/members").json["items"]
    w.like("Items: member {user:{id,name},role,since_at}", has(*(
        {"user": {"id": person.id, "name": person.user["name"]}, "role": role, "since_at": near(now_ms())}
        for person, role in ((w.ana, "owner"), (w.ben, "editor"), (w.eve, "viewer")))), members)
    w.like("no e-mail of another member", False, "@example" in str(members))
    replica = book.replica()
    replica.do(create_contact(C))
    for method, path, body in (("POST", "/contacts", {"name": "A"}), ("PATCH", f"/contacts/{C}", {"name": "B"}),
                               ("DELETE", f"/contacts/{C}", None), ("POST", f"/contacts/{C}/restore", {}),
                               ("POST", "/transactions", {"contact": C, "direction": "gave", "amount": 1,
                                                          "currency": "EUR", "date": "2026-01-01"})):
        w.refuses(f"A viewer's write gets 403 read_only: {method} {path}", 403, "read_only",
                  w.eve.call(method, book.path + path, body))
    viewer = book.replica(w.eve)
    answer = viewer.push(viewer.mutation(create_contact(new_id())))
    w.like("a viewer's push: refused read_only (or 403)", lambda got: got.status == 403 or
           got.json["refused"][0]["code"] == "read_only", answer)
    for path in ("", "/members", "/snapshot", "/entries?after=0", "/contacts"):
        w.like(f"a viewer reads {path}", 200, w.eve.get(book.path + path).status)
    for person in (w.ben, w.eve):
        w.like("only the owner sets roles", 403, person.patch(f"{book.path}/members/{w.eve.id}", {"role": "owner"}).status)
        w.like("only the owner removes others", 403, person.delete(f"{book.path}/members/{w.ana.id}").status)
        w.like("the owner archives it, no one else", 403, person.delete(book.path).status)
        w.like("no one else purges it", 403, person.delete(book.path, purge="true").status)
    w.like("the book still stands", 200, w.ana.get(book.path).status)
    me = f"{book.path}/members/{w.ana.id}"
    w.refuses("at least one owner always (409 last_owner): PATCH", 409, "last_owner", w.ana.patch(me, {"role": "editor"}))
    w.refuses("at least one owner always (409 last_owner): DELETE", 409, "last_owner", w.ana.delete(me))
    w.like("PATCH {role}", done, w.ana.patch(f"{book.path}/members/{w.ben.id}", {"role": "owner"}).status)
    w.like("its entry", only([{"type": "member_role_changed", "user": w.ben.id, "role": "owner"}]), book.entries()[-1]["changes"])
    w.like("with two owners, one may step down", done, w.ana.patch(me, {"role": "editor"}).status)
    w.like("an unknown role", 422, w.ben.patch(me, {"role": "king"}).status)
    w.like("a member may remove themselves", done, w.eve.delete(f"{book.path}/members/{w.eve.id}").status)
    w.like("its entry, by themselves", {"by": w.eve.id, "changes": [{"type": "member_removed", "user": w.eve.id}]},
           book.entries()[-1])
    w.refuses("and is a non-member then", 404, "not_found", w.eve.get(book.path))
    w.like("DELETE members/{user} by the owner", done, w.ben.delete(me).status)
    w.refuses("a removed member gets 404 not_found", 404, "not_found", w.ana.get(book.path))


def check_removed_and_back(w):
    book = w.book(editor=w.ben)
    replica = book.replica(w.ben)
    replica.do(create_contact(C))
    w.ana.delete(f"{book.path}/members/{w.ben.id}")
    answer = replica.push(replica.mutation(create_contact(new_id()), base=1))
    w.like("a removed member's push: 404, or refused not_a_member", lambda got: got.status == 404 or
           got.json["refused"][0]["code"] == "not_a_member", answer)
    book.admit(w.ben, "viewer")
    w.like("back as a viewer", "viewer", w.ben.get(book.path).json["role"])


def check_archive_and_purge(w):
    book = w.book(editor=w.ben)
    replica = book.replica()
    replica.do(create_contact(C))
    with Sync(w.ben) as sync:
        sync.follow(book)
        w.like("DELETE /books/{b}: the owner archives it", done, w.ana.delete(book.path).status)
        mutation = book.replica(w.ben).mutation(create_contact(new_id()), base=2)
        sync.push(book, mutation)
        w.like("refused: archived", {"type": "refused", "code": "archived", "id": mutation["id"], "n": 1},
               sync.until("refused"))
    w.like("an archived book can be read", 200, w.ana.get(book.path + "/snapshot").status)
    pushed = replica.push(replica.mutation(create_contact(new_id()), base=2))
    w.like("push: refused archived", [{"code": "archived"}], pushed.json.get("refused"))
    w.refuses("REST writes to an archived book", (403, 409, 410), "archived", w.ana.post(book.path + "/contacts", {"name": "A"}))
    with Sync(w.ben) as sync, Socket(w.ben, f"?book={book.id}", FEED) as feed:
        sync.follow(book)
        feed.until("ready")
        w.like("?purge=true: gone for good", done, w.ana.delete(book.path, purge="true").status)
        w.like("no longer a member", {"type": "role", "book": book.id, "role": None}, sync.until("role", timeout=5))
        w.like("4403 forbidden: a feed of what is gone", 4403, feed.close_code(5)[0])
    for person in (w.ana, w.ben):
        w.refuses("gone for good", 404, "not_found", person.get(book.path))
        w.refuses("gone for good: its snapshot", 404, "not_found", person.get(book.path + "/snapshot"))
    w.like("not in the list", False, book.id in str(w.ana.get("/books").json))
    at_once = w.book()
    w.like("purge without archiving first", done, w.ana.delete(at_once.path, purge="true").status)
    w.refuses("gone for good", 404, "not_found", w.ana.get(at_once.path))


def check_pages(w):
    book = w.book(editor=w.ben, viewer=w.eve)
    for _ in range(3):
        book.invite()
    for path, count in ((book.path + "/members", 3), (book.path + "/invites", 3), ("/books", 3)):
        seen, cursor = [], None
        for _ in range(count):
            page = w.ana.get(path, limit=1, **({"cursor": cursor} if cursor else {})).json
            seen, cursor = seen + page["items"], page["next_cursor"]
        w.like(f"a page of one, and the next: {path.rsplit('/')[-1]}", (count, count), (len(seen), len({str(item) for item in seen})))
        w.like(f"next_cursor is null at the end: {path.rsplit('/')[-1]}", cursor is None, path != "/books")


def check_session_of_membership_entries(w):
    book = w.book(editor=w.ben)
    first, second = book.entries()
    w.ana.post(book.path + "/contacts", {"name": "A"})
    own = [entry for entry in book.entries() if entry["by"] == w.ana.id]
    w.like("Membership changes are entries too, from the session that made them", 1, len({e["replica"] for e in own}))
    w.like("REST writes come from one replica per session; n like all others", [1, 2], [entry["n"] for entry in own])
    w.like("another person, another replica", True, first["replica"] != second["replica"])
    other = w.ana.again()
    other.post(book.path + "/contacts", {"name": "B"})
    w.like("another session, another replica", (False, 1),
           (book.entries()[-1]["replica"] == first["replica"], book.entries()[-1]["n"]))
    w.like("a session's replica in the snapshot's replicas: {R:n}", {first["replica"]: 2, second["replica"]: 1},
           book.snapshot()["replicas"])
