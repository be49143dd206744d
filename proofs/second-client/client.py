"""A client of Tidebook's wire, version 1, written from the contract alone."""
import http.client
import json
import os
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from blake3 import blake3
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

API = "/api/v1"
FEED, SYNC = "tidebook.feed.v1", "tidebook.sync.v1"


def now_ms():
    return time.time_ns() // 1_000_000


def new_id():
    """A UUID of version 7."""
    bits = (now_ms() << 80) | int.from_bytes(os.urandom(10), "big")
    bits = bits & ~(0xF << 76) | (7 << 76)
    return str(uuid.UUID(int=bits & ~(3 << 62) | (2 << 62)))


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---- HTTP ------------------------------------------------------------------------------------------------------------
@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        kind = self.headers.get("content-type", "")
        return self.json.get("code") if kind.startswith("application/problem+json") else f"(not a problem: {kind})"

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Person:
    """Someone at a server: calls carry the token or the cookie, if there is one."""

    def __init__(self, url, token=None, cookie=None, user=None, password=None):
        self.url, self.token, self.cookie, self.user, self.password = url, token, cookie, user or {}, password

    @property
    def id(self):
        return self.user["id"]

    @property
    def auth(self):
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        return {"Cookie": self.cookie} if self.cookie else {}

    def request(self, method, path, body=None, headers=None):
        """Sends a request and gives the open connection with its response."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        data = compact(body).encode() if isinstance(body, (dict, list)) else body
        kind = {"Content-Type": "application/json"} if data is not None else {}
        connection.request(method, path, data, {**self.auth, **kind, **(headers or {})})
        return connection, connection.getresponse()

    def call(self, method, path, body=None, headers=None, **query):
        path = path[1:] if path.startswith("//") else API + path  # "//health" is at the root
        path += "?" + urlencode(query) if query else ""
        connection, response = self.request(method, path, body, headers)
        try:
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, headers=None, **query):
        return self.call("GET", path, None, headers, **query)

    def post(self, path, body=None, headers=None):
        return self.call("POST", path, {} if body is None else body, headers)

    def patch(self, path, body, headers=None):
        return self.call("PATCH", path, body, headers)

    def delete(self, path, body=None, headers=None, **query):
        return self.call("DELETE", path, body, headers, **query)

    def again(self, headers=None):
        """Signs in once more: another session of the same person."""
        answer = Person(self.url).post("/sessions", {"email": self.user["email"], "password": self.password}, headers)
        assert answer.status == 200, f"sign-in: {answer}"
        return signed_in(self.url, answer, self.password)

    def sse(self, path, headers=None):
        """Yields server-sent events as dictionaries of their fields."""
        accept = {"Accept": "text/event-stream", **(headers or {})}
        connection, response = self.request("GET", API + path, None, accept)
        assert response.status == 200, f"event stream: {response.status} {response.read()[:200]!r}"
        event = {}
        try:
            for line in response:
                name, _, value = line.decode().rstrip("\r\n").partition(":")
                if name:
                    event[name] = value.removeprefix(" ")
                elif event.get("data"):
                    yield {**event, "data": json.loads(event["data"])}
                    event = {}
        finally:
            connection.close()


def signed_in(url, answer, password):
    cookie = (answer.headers.get("set-cookie") or "").split(";")[0]
    return Person(url, answer.json.get("token"), cookie or None, answer.json["user"], password)


def sign_up(url, email, password, name, headers=None, **more):
    answer = Person(url).post("/accounts", {"email": email, "password": password, "name": name, **more}, headers)
    return answer, signed_in(url, answer, password) if answer.status == 201 else None


# ---- books and replicas ----------------------------------------------------------------------------------------------
class Book:
    def __init__(self, owner, **fields):
        answer = owner.post("/books", {"name": "Book", "currency": "EUR", **fields})
        assert answer.status == 201, f"new book: {answer}"
        self.owner, self.id, self.epoch = owner, answer.json["id"], answer.json["epoch"]
        self.path = f"/books/{self.id}"

    @property
    def head(self):
        return self.owner.get(self.path).json["head"]

    def invite(self, role="editor", **more):
        return self.owner.post(self.path + "/invites", {"role": role, **more}).json

    def admit(self, person, role="editor"):
        answer = person.post("/invites/accept", {"token": self.invite(role)["token"]})
        assert answer.status == 200, f"accept: {answer}"
        return self

    def entries(self, after=0, **query):
        return self.owner.get(self.path + "/entries", after=after, **query).json["entries"]

    def lines(self, after=0, **query):
        answer = self.owner.get(self.path + "/entries", {"Accept": "application/x-ndjson"}, after=after, **query)
        return answer.body.removesuffix(b"\n").split(b"\n") if answer.body else []

    def snapshot(self):
        return self.owner.get(self.path + "/snapshot").json

    def record(self, kind, record_id):
        return self.owner.get(f"{self.path}/{kind}s/{record_id}").json

    def replica(self, person=None):
        return Replica(person or self.owner, self)


class Replica:
    """One device: numbers its mutations and pushes them over REST."""

    def __init__(self, person, book):
        self.person, self.book, self.id, self.n = person, book, new_id(), 0

    def mutation(self, *ops, n=None, base=None, **more):
        self.n = self.n + 1 if n is None else n
        base = self.book.head if base is None else base
        return {"id": new_id(), "n": self.n, "made_at": now_ms(), "base": base, "ops": list(ops), **more}

    def push(self, *mutations, **more):
        body = {"epoch": self.book.epoch, "replica": self.id, "mutations": list(mutations), **more}
        return self.person.post(self.book.path + "/mutations", body)

    def do(self, *ops, **more):
        """Pushes one mutation and gives the entry it became."""
        answer = self.push(self.mutation(*ops, **more))
        entries = answer.json.get("entries") if answer.status == 200 else None
        assert entries, f"no entry: {answer}"
        return entries[0]


def create_contact(contact, name="Ana", **more):
    return {"op": "create_contact", "id": contact, "name": name, **more}


def create_transaction(transaction, contact, amount=100, direction="gave", currency="EUR", date="2026-11-22", **more):
    return {"op": "create_transaction", "id": transaction, "contact": contact, "direction": direction,
            "amount": amount, "currency": currency, "date": date, **more}


def update_contact(contact, **fields):
    return {"op": "update_contact", "id": contact, "set": fields}


def update_transaction(transaction, **fields):
    return {"op": "update_transaction", "id": transaction, "set": fields}


def delete(kind, record):
    return {"op": f"delete_{kind}", "id": record}


def restore(kind, record):
    return {"op": f"restore_{kind}", "id": record}


def resolve(conflict, apply):
    return {"op": "resolve_conflict", "id": conflict, "apply": apply}


# ---- sockets ---------------------------------------------------------------------------------------------------------
class Socket:
    """One WebSocket, read frame by frame."""

    def __init__(self, person, query="", protocol=SYNC, auth=True, origin=None, url=None):
        address = (url or person.url).replace("http", "ws", 1) + "/ws" + query
        self.person, self.line = person, connect(
            address, subprotocols=[protocol] if protocol else None, origin=origin, compression=None, max_size=2**20,
            additional_headers=person.auth if auth else {}, ping_interval=None, close_timeout=1, proxy=None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()

    def send(self, frame):
        self.line.send(frame if isinstance(frame, (str, bytes)) else compact(frame))
        return self

    def next(self, timeout=10):
        return json.loads(self.line.recv(timeout))

    def until(self, *kinds, timeout=10, **fields):
        """The next frame of one of these types with these fields; others are passed over."""
        end = time.monotonic() + timeout
        while True:
            frame = self.next(max(0.01, end - time.monotonic()))
            if frame["type"] in kinds and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    def close_code(self, timeout=10):
        """Reads until the server closes, and gives its code with the last frame."""
        end, last = time.monotonic() + timeout, None
        try:
            while True:
                last = self.next(max(0.01, end - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006, last
        except TimeoutError:
            return "still open", last


class Sync(Socket):
    """A replica's socket."""

    def __init__(self, person, replica=None, **more):
        super().__init__(person, **more)
        self.replica = replica or new_id()
        self.send({"type": "hello", "protocol": 1, "replica": self.replica, "client": "proof/1"})
        self.welcome = self.until("welcome")

    def subscribe(self, book, after=0, head_hash=None, pending_from=1, **more):
        return self.send({"type": "subscribe", "book": book.id, "epoch": book.epoch, "after": after,
                          **({"hash": head_hash} if head_hash else {}), "pending_from": pending_from, **more})

    def follow(self, book, **more):
        """Subscribes and waits for the answer."""
        return self.subscribe(book, **more).until("subscribed", book=book.id)

    def push(self, book, *mutations, **more):
        return self.send({"type": "push", "book": book.id, "epoch": book.epoch, "mutations": list(mutations), **more})

    def entry(self, mutation_id, timeout=10):
        """Waits for the entry of this mutation, or the refusal."""
        while True:
            frame = self.until("entries", "fates", "refused", timeout=timeout)
            for found in frame.get("entries", [frame]):
                if found.get("id") == mutation_id:
                    return found


def handshake_status(person, **more):
    """The HTTP status of a handshake: 101 when it is let in."""
    try:
        with Socket(person, **more):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


# ---- the chain and the state -----------------------------------------------------------------------------------------
def chain_hash(lines, start=bytes(32)):
    for line in lines:
        start = blake3(start + blake3(line).digest()).digest()
    return start.hex()


class Model:
    """The state of a book, made from its entries alone."""

    def __init__(self):
        self.book, self.contact, self.transaction, self.conflicts, self.members = {}, {}, {}, {}, {}

    def apply(self, entry):
        for change in entry.get("changes", []):
            self.change(dict(change))
        return self

    def change(self, change):
        kind, _, what = change.pop("type").partition("_")
        if kind == "book":
            self.book.update(change if what == "created" else change["set"])
        elif kind == "member":
            self.members[change["user"]] = change.get("role")
        elif kind == "conflict":
            self.conflicts.pop(change["id"], None)
            if what == "raised":
                self.conflicts[change["id"]] = change
        elif what == "created":
            getattr(self, kind)[change["id"]] = {**change, "deleted": False}
        elif what == "updated":
            getattr(self, kind)[change["id"]].update(change["set"])
        else:
            getattr(self, kind)[change["id"]]["deleted"] = what == "deleted"

    def balances(self, contact):
        sums = {}
        for record in self.transaction.values():
            if record["contact"] == contact and not record["deleted"] and not self.contact[contact]["deleted"]:
                signed = record["amount"] if record["direction"] == "gave" else -record["amount"]
                sums[record["currency"]] = sums.get(record["currency"], 0) + signed
        return {currency: amount for currency, amount in sums.items() if amount}


def plain(record):
    """A record without what is empty or not its own field, to compare two tellings of it."""
    aside = {"seq", "balances", "balance", "type", "contact_balances"}
    return {name: value for name, value in record.items() if value is not None and name not in aside}
