"""The same thing at the same moment: one bound must hold for all."""
from concurrent.futures import ThreadPoolExecutor

from client import Person, chain_hash, create_contact, new_id, update_contact

from . import C


def at_once(*calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def statuses(*calls):
    return sorted(answer.status for answer in at_once(*calls))


def check_last_owners_leave(w):
    for _ in range(5):
        book = w.book()
        book.admit(w.ben, "owner")
        got = statuses(*(lambda p=p: p.delete(f"{book.path}/members/{p.id}") for p in (w.ana, w.ben)))
        w.like("at least one owner always, though both leave at once", True, got[0] in (200, 204) and got[1] == 409)


def check_one_invite(w):
    book = w.book()
    token = book.invite()["token"]
    got = statuses(*(lambda p=p: p.post("/invites/accept", {"token": token}) for p in (w.ben, w.eve)))
    w.like("single use, though two accept at once", [200, 410], got)
    w.like("one member more", 2, len(w.ana.get(book.path + "/members").json["items"]))


def check_one_book_id(w):
    book_id = new_id()
    got = statuses(*(lambda p=p: p.post("/books", {"id": book_id, "name": "B", "currency": "EUR"}) for p in (w.ana, w.ben)))
    w.like("an id of someone else's: 409, though both ask at once", [201, 409], got)


def check_one_email(w):
    body = {"email": f"{new_id()}@example.org", "password": "a quiet harbour 71", "name": "Twin"}
    w.like("E-mail taken, though both ask at once", [201, 409], statuses(*(lambda: Person(w.url).post("/accounts", body),) * 2))


def check_many_writers(w):
    book = w.book(editor=w.ben)
    replicas = [book.replica(person) for person in (w.ana, w.ben) * 4]
    replicas[0].do(create_contact(C))

    def write(replica):
        for n in range(15):
            replica.do(create_contact(new_id(), f"C {n}"), update_contact(C, note=f"{replica.id} {n}"))

    at_once(*(lambda r=replica: write(r) for replica in replicas))
    w.like("One order: no seq is missing or twice", list(range(1, 124)), [entry["seq"] for entry in book.entries()])
    w.like("each replica's numbers are in order", True, all(
        [entry["n"] for entry in book.entries() if entry["replica"] == replica.id] == list(range(1, replica.n + 1)) for replica in replicas))
    w.like("and the chain holds", chain_hash(book.lines()), book.snapshot()["hash"])


def check_one_mutation_sent_twice_at_once(w):
    book = w.book()
    replica = book.replica()
    mutations = [replica.mutation(create_contact(new_id(), f"C {n}"), base=1) for n in range(10)]
    answers = at_once(*(lambda: replica.push(*mutations),) * 6)
    w.like("however often they are sent: once in the log", 11, book.head)
    w.like("and each sender gets the same entries", 1, len({str(answer.json["entries"]) for answer in answers}))


def check_nonsense_is_survived(w):
    person = Person(w.url, w.ana.token)
    for body in (b"[" * 100_000, b'{"name":' * 50_000, b"", b"null", b'"x"', b"[]", b'{"name":1e999}', b"\xff\xfe"):
        w.like(f"nonsense of {len(body)} bytes is an answer, not an end", lambda got: 400 <= got < 500,
               person.call("POST", "/books", body).status)
    chunks = (b'{"name":"B","pad":"' if n == 0 else b"x" * 65536 for n in range(40))
    w.like("JSON bodies over 1 MiB: 413, in chunks too", 413, chunked(person, chunks))
    w.like("the server lives", 200, w.ana.get("/books").status)
    w.like("a book too", 201, w.ana.post("/books", {"name": "B", "currency": "EUR"}).status)


def chunked(person, chunks):
    connection, response = person.request("POST", "/api/v1/books", chunks)  # an iterator of unknown length goes out in chunks
    connection.close()
    return response.status
