"""Accounts, sessions, cookies and origins."""
import time

from client import FEED, Book, Person, Socket, Sync, handshake_status, sign_up

from . import done, has, is_uuid, lacks, one_of


def mail(name):
    return f"{name}-{time.time_ns()}@example.org"


def check_sign_up(w):
    email = mail("new")
    answer, person = sign_up(w.url, email, "eight4+x", "Nia")
    w.like("201 {user:{id,email,name},token?,expires_at}", 201, answer.status)
    w.like("{user:{id,email,name},token?,expires_at}", {
        "user": {"id": is_uuid, "email": email, "name": "Nia"}, "token": str,
        "expires_at": lambda at: at > time.time() * 1000}, answer.json)
    w.like("one without Origin gets the token and no cookie", None, answer.headers.get("set-cookie"))
    w.refuses("E-mail taken: 409 email_taken", 409, "email_taken",
              Person(w.url).post("/accounts", {"email": email, "password": "another one 55", "name": "Nia"}))
    me = person.get("/accounts/me")
    w.like("GET /accounts/me: {user:…}", {"user": {"id": person.id, "email": email, "name": "Nia"}}, me.json)
    w.like("PATCH {name}: {user:…}", {"user": {"name": "Nia B."}},
           person.patch("/accounts/me", {"name": "Nia B."}).json)
    for length, status in ((1, 200), (200, 200), (201, 422), (0, 422)):
        w.like(f"name 1 to 200 characters: {length}", status,
               person.patch("/accounts/me", {"name": "é" * length}).status)


def check_passwords(w):
    for password in ("seven+7", "x" * 257, "password", "12345678"):
        answer, _ = sign_up(w.url, mail("weak"), password, "Weak")
        w.refuses(f"Password of 8 to 256 characters, not on the common list: {password[:12]!r} ({len(password)})",
                  422, "weak_password", answer)
    person = w.person()
    old = person.password
    for new, status in (("seven+7", 422), ("ü" * 257, 422), ("password", 422), ("ü4+ß=ñ7x", done), ("語" * 256, done)):
        answer = person.call("PUT", "/accounts/me/password", {"current": old, "new": new})
        w.like(f"Password of 8 to 256 characters: {len(new)} in PUT password", status, answer.status)
        if answer.status in (200, 204):
            old = new
        elif answer.status == 422:
            w.refuses("else 422 weak_password", 422, "weak_password", answer)
    w.refuses("PUT /accounts/me/password {current,new}: wrong current", (401, 403, 422), None,
              person.call("PUT", "/accounts/me/password", {"current": "not that one 5", "new": "yet another 66"}))


def check_sign_in(w):
    answer = Person(w.url).post("/sessions", {"email": w.ana.user["email"], "password": w.ana.password})
    w.like("POST /sessions: 200, the same body", {"user": {"id": w.ana.id}, "token": str, "expires_at": int}, answer.json)
    w.like("200", 200, answer.status)
    took, bodies = {}, {}
    for email in (w.ana.user["email"], "nobody@example.org") * 3:
        start = time.monotonic()
        answer = Person(w.url).post("/sessions", {"email": email, "password": "not that one 5"})
        took[email] = min(took.get(email, 99), time.monotonic() - start)
        bodies[email] = answer.body
        w.refuses("Wrong pair: 401 bad_credentials", 401, "bad_credentials", answer)
    w.like("same answer whether the e-mail exists", 1, len(set(bodies.values())))
    known, unknown = took.values()
    w.like("same time whether the e-mail exists", True, 0.5 < known / unknown < 2)
    for path in ("/accounts/me", "/books", "/sessions"):
        w.like(f"without authentication: 401 {path}", 401, Person(w.url).get(path).status)
        w.like(f"with a wrong token: 401 {path}", 401, Person(w.url, token="nonsense").get(path).status)
    w.refuses("Errors are application/problem+json", 401, None, Person(w.url).get("/books"))


def check_sessions_end(w):
    person = w.person()
    other = person.again()
    items = person.get("/sessions").json
    item = {"id": str, "client": lambda _: True, "created_at": int, "last_seen_at": int}
    w.like("Items: session {id,client,created_at,last_seen_at,current}",
           has({**item, "current": True}, {**item, "current": False}), items["items"])
    w.like("Lists are {items,next_cursor}", {"next_cursor": None}, items)
    book = w.book(editor=person)
    with Sync(other) as sync, Socket(other, f"?book={book.id}", FEED) as feed:
        sync.follow(book)
        feed.until("ready")
        others = next(session["id"] for session in items["items"] if not session["current"])
        w.like("DELETE /sessions/{id}: end one", done, person.delete(f"/sessions/{others}").status)
        start = time.monotonic()
        w.like("4401 session ended: sync", 4401, sync.close_code(5)[0])
        w.like("4401 session ended: feed", 4401, feed.close_code(5)[0])
        w.like("its sockets close within 1 s", True, time.monotonic() - start < 1)
    w.like("an ended session is no more", 401, other.get("/accounts/me").status)
    with Sync(person) as sync:
        w.like("DELETE /sessions/current: 204", 204, person.delete("/sessions/current").status)
        start = time.monotonic()
        w.like("4401 session ended", 4401, sync.close_code(5)[0])
        w.like("its sockets close within 1 s", True, time.monotonic() - start < 1)
    w.like("an ended session is no more", 401, person.get("/accounts/me").status)
    w.like("someone else's session cannot be ended", lambda status: status in (403, 404),
           w.ben.delete(f"/sessions/{w.ana.get('/sessions').json['items'][0]['id']}").status)
    w.like("and it still lives", 200, w.ana.get("/accounts/me").status)


def check_new_password_ends_others(w):
    person = w.person()
    other, new = person.again(), "a louder harbour 17"
    with Sync(other) as sync, Sync(person) as own:
        w.like("PUT password", done, person.call("PUT", "/accounts/me/password",
                                                 {"current": person.password, "new": new}).status)
        w.like("a new password ends all other sessions: their sockets", 4401, sync.close_code(1)[0])
        own.subscribe(w.book())
        w.like("but not this one", one_of("error", "role", "refused", "snapshot_required"), own.next()["type"])
    w.like("a new password ends all other sessions", 401, other.get("/accounts/me").status)
    w.like("not this one", 200, person.get("/accounts/me").status)
    person.user, old = {**person.user}, person.password
    w.like("the old password", 401, Person(w.url).post("/sessions", {
        "email": person.user["email"], "password": old}).status)
    person.password = new
    w.like("the new password", 200, person.again().get("/accounts/me").status)


def check_account_deletion(w):
    person = w.person("Leaving")
    shared, alone = w.book(editor=person), person.post("/books", {"name": "Alone", "currency": "EUR"}).json["id"]
    replica = shared.replica(person)
    entry = replica.do({"op": "create_contact", "id": replica.id, "name": "Ana"})
    w.refuses("DELETE /accounts/me {password}: wrong one", (401, 403, 422), None,
              person.delete("/accounts/me", {"password": "not that one 5"}))
    with Sync(person) as sync:
        w.like("DELETE /accounts/me", done, person.delete("/accounts/me", {"password": person.password}).status)
        w.like("removes the person and their sessions", 4401, sync.close_code(1)[0])
    w.like("removes the person's sessions", 401, person.get("/accounts/me").status)
    w.refuses("removes the person", 401, "bad_credentials", Person(w.url).post(
        "/sessions", {"email": person.user["email"], "password": person.password}))
    w.like("their entries keep the id", [{"by": person.id}], shared.entries(entry["seq"] - 1, limit=1))
    w.like("the name is gone", False, "Leaving" in str(shared.snapshot()["people"]))
    w.like("leaves books that others share", False,
           any(member["user"]["id"] == person.id for member in w.ana.get(shared.path + "/members").json["items"]))
    w.like("the member's leaving is an entry", {"type": "member_removed", "user": person.id},
           shared.entries(entry["seq"])[-1]["changes"][0])
    w.like("purges books of theirs alone", 201,
           w.ana.post("/books", {"id": alone, "name": "Free again", "currency": "EUR"}).status)


def check_account_of_a_last_owner(w):
    person = w.person()
    book = Book(person)
    book.admit(w.ben)
    w.refuses("at least one owner always (409 last_owner): deleting the account of a shared book's only owner", 409, "last_owner",
              person.delete("/accounts/me", {"password": person.password}))
    w.like("nothing is gone", (200, 200), (person.get("/accounts/me").status, w.ben.get(book.path).status))


def check_cookies_and_origins(w):
    own = f"http://127.0.0.1:{w.server.port}"
    answer, browser = sign_up(w.url, mail("cookie"), "a quiet harbour 71", "Browser", {"Origin": own})
    w.like("own Origin: the cookie and no token", {"user": dict, "expires_at": int}, answer.json)
    w.like("no token", lacks("token"), answer.json)
    cookie = (answer.headers["set-cookie"] or "").lower()
    w.like("HttpOnly, SameSite=Lax or stricter", True,
           "httponly" in cookie and ("samesite=lax" in cookie or "samesite=strict" in cookie))
    w.like("Secure wherever TLS is (here is none)", False, "; secure" in cookie)
    w.like("a session cookie authenticates", 200, browser.get("/accounts/me").status)
    port = w.server.port
    for origin, fine in (
            (own, True), (f"http://localhost:{port}", True), (f"http://[::1]:{port}", True),
            (None, False), ("null", False), ("https://evil.example", False), (f"http://127.0.0.1:{port + 1}", False),
            (f"https://127.0.0.1:{port}", False), (f"http://127.0.0.1:{port}.evil.example", False)):
        headers = {"Origin": origin} if origin else {}
        written = browser.post("/books", {"name": "B", "currency": "EUR"}, headers)
        says = f"Cookie-carried writes without the server's own Origin: 403 origin ({origin})"
        w.like(says, 201, written.status) if fine else w.refuses(says, 403, "origin", written)
        if origin:
            signed = Person(w.url).post("/sessions", {"email": browser.user["email"], "password": browser.password}, headers)
            w.like(f"sign-in, the server's own Origin gets the cookie, any other: 403 ({origin})",
                   (200, True) if fine else (403, False), (signed.status, "set-cookie" in signed.headers))
            says = f"The handshake checks Origin when there is one → 403 ({origin})"
            w.like(says, 101 if fine else 403, handshake_status(browser, protocol=FEED, origin=origin))
    w.refuses("sign-up, any other Origin: 403 origin", 403, "origin",
              sign_up(w.url, mail("evil"), "a quiet harbour 71", "E", {"Origin": "https://evil.example"})[0])
    w.refuses("a Host header proves nothing", 403, "origin", browser.post(
        "/books", {"name": "B", "currency": "EUR"}, {"Host": "evil.example", "Origin": "http://evil.example"}))
    w.like("Cookie reads need no Origin", 200, browser.get("/books").status)
    w.like("the socket by cookie, without Origin", 101, handshake_status(browser, protocol=FEED))
    with Socket(browser, protocol=FEED, origin=own) as feed:
        w.like("Authenticated by cookie; without book, the person's oldest book", {"type": "ready", "seq": int}, feed.next())
    w.like("DELETE /sessions/current with the cookie", 204,
           browser.delete("/sessions/current", headers={"Origin": own}).status)


def check_no_token_in_urls(w):
    for path in ("/accounts/me", "/books"):
        for name in ("token", "access_token"):
            w.like(f"No token is ever part of a URL: {path}?{name}=", 401, Person(w.url).get(path, **{name: w.ana.token}).status)
    with Socket(Person(w.url), f"?token={w.ana.token}", FEED) as feed:
        feed.send({"token": "nonsense"})
        w.like("No token is ever part of a URL: the socket", 4401, feed.close_code()[0])


def check_public_url(w):
    with w.another("--signup", "open", "--public-url", "https://books.example", "--public-url", "https://books.lan") as server:
        answer, _ = sign_up(server.url, mail("p"), "a quiet harbour 71", "P", {"Origin": "https://books.example"})
        cookie = answer.headers.get("set-cookie") or ""
        w.like("Secure and __Host- wherever TLS is", True, cookie.startswith("__Host-") and "secure" in cookie.lower())
        w.like("--public-url URL…: another of them", 201, sign_up(
            server.url, mail("r"), "a quiet harbour 71", "R", {"Origin": "https://books.lan"})[0].status)
        w.refuses("The server's own origins are those given as --public-url, else loopback", 403, "origin",
                  sign_up(server.url, mail("q"), "a quiet harbour 71", "Q", {"Origin": server.url})[0])


def check_sign_up_modes(w):
    with w.another() as server:
        _, admin = sign_up(server.url, mail("first"), "a quiet harbour 71", "First")
        w.like("The first account needs no invite (default: invite)", True, admin is not None)
        w.like("default invite: later accounts need a valid invite token", lambda status: 400 <= status < 500,
               sign_up(server.url, mail("second"), "a quiet harbour 71", "Second")[0].status)
        w.like("a valid invite", lambda status: 400 <= status < 500,
               sign_up(server.url, mail("second"), "a quiet harbour 71", "Second", invite="nonsense")[0].status)
        book = admin.post("/books", {"name": "B", "currency": "EUR"}).json["id"]
        token = admin.post(f"/books/{book}/invites", {"role": "editor"}).json["token"]
        answer, second = sign_up(server.url, mail("second"), "a quiet harbour 71", "Second", invite=token)
        w.like("a valid invite token: 201", 201, answer.status)
        w.like("metrics only on loopback or with the admin's token", 200, second.get("//metrics").status)
    with w.another("--signup", "closed") as server:
        w.like("The first account is the server's admin", 201,
               sign_up(server.url, mail("first"), "a quiet harbour 71", "First")[0].status)
        w.like("--signup closed", lambda status: 400 <= status < 500,
               sign_up(server.url, mail("second"), "a quiet harbour 71", "Second")[0].status)
    with w.another(TIDEBOOK_SIGNUP="closed") as server:
        sign_up(server.url, mail("first"), "a quiet harbour 71", "First")
        w.like("each also as TIDEBOOK_…", lambda status: 400 <= status < 500,
               sign_up(server.url, mail("second"), "a quiet harbour 71", "Second")[0].status)
