"""What the checks share: the servers, the people, and the few ways to say what is expected."""
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager

from client import Book, new_id, sign_up

C, D, T, U = (f"0192f000-0000-7000-8000-00000000000{n}" for n in "1234")  # ids are unique within their book


class Server:
    """One running server with a data folder of its own."""

    def __init__(self, binary, *options, port=None, folder=None, **environment):
        self.folder = folder or tempfile.TemporaryDirectory()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.folder.name, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env={**os.environ, **environment})
        self.said = self.process.stdout.readline().strip()
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """The server under test, a few people who are used again and again, and the count of what failed."""

    def __init__(self, binary):
        self.binary, self.count, self.failures, self.at = binary, 0, [], ""
        self.server = Server(binary, "--signup", "open")
        self.url = self.server.url
        self.ana, self.ben, self.eve = (self.person(name) for name in ("Ana", "Ben", "Eve"))

    def person(self, name="Someone", headers=None):
        answer, person = sign_up(self.url, f"{new_id()}@example.org", "a quiet harbour 71", name, headers)
        assert person, f"sign-up: {answer}"
        return person

    def book(self, editor=None, viewer=None, **fields):
        book = Book(self.ana, **fields)
        for person, role in ((editor, "editor"), (viewer, "viewer")):
            if person:
                book.admit(person, role)
        return book

    @contextmanager
    def another(self, *options, **environment):
        server = Server(self.binary, *options, **environment)
        try:
            yield server
        finally:
            if server.process.poll() is None:
                server.stop()
            server.folder.cleanup()

    # ---- what is expected --------------------------------------------------------------------------------------------

    def like(self, says, want, got):
        """`got` has at least what `want` has; a function in `want` is asked, a type is a type."""
        self.count += 1
        if not matches(want, got):
            self.failures.append((self.at, says, shown(want), shown(got)))

    def refuses(self, says, want_status, want_code, answer):
        """An error as problem+json with this status and code (None: any code)."""
        self.count += 1
        wanted = want_status if isinstance(want_status, tuple) else (want_status,)
        code = answer.code
        fine = answer.status in wanted and (want_code is None or code == want_code) and not str(code).startswith("(")
        if fine and not {"type", "title", "status", "code"} <= answer.json.keys():
            fine = False
        if not fine:
            self.failures.append((self.at, says, f"{want_status} {want_code or 'with some code'}", repr(answer)))

    def within(self, says, seconds, happens):
        """Asks again and again until it is so."""
        end = time.monotonic() + seconds
        while not (last := happens()) and time.monotonic() < end:
            time.sleep(0.02)
        self.like(f"{says} (within {seconds} s)", True, bool(last))


def matches(want, got):
    if isinstance(want, type):
        return isinstance(got, want) and not (want is int and isinstance(got, bool))
    if callable(want):
        try:
            return bool(want(got))
        except (TypeError, KeyError, ValueError, AttributeError):
            return False
    if isinstance(want, dict):
        return isinstance(got, dict) and all(name in got and matches(value, got[name]) for name, value in want.items())
    if isinstance(want, list):
        return isinstance(got, list) and len(want) == len(got) and all(map(matches, want, got))
    return type(want) is type(got) and want == got


def shown(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {shown(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return getattr(value, "__name__", None) or repr(value)


# ---- things a pattern can ask ----------------------------------------------------------------------------------------

def is_uuid(value, version=None):
    return str(uuid.UUID(value)) == value and version in (None, uuid.UUID(value).version)


def uuid_7(value):
    return is_uuid(value, 7)


def uuid_8(value):
    return is_uuid(value, 8)


def one_of(*values):
    def one_of_these(got):
        return got in values
    one_of_these.__name__ = " or ".join(map(repr, values))
    return one_of_these


def lacks(*names):
    def without(got):
        return not set(names) & got.keys()
    without.__name__ = "without " + ", ".join(names)
    return without


def only(want):
    """Exactly this list or dictionary: nothing beside."""
    def exactly(got):
        return len(want) == len(got) and matches(want, got)
    exactly.__name__ = "exactly " + shown(want)
    return exactly


def has(*wanted):
    """A list in which each of these is found."""
    def holding(got):
        return all(any(matches(want, item) for item in got) for want in wanted)
    holding.__name__ = "holding " + shown(list(wanted))
    return holding


def near(moment, slack_ms=60_000):
    def about_then(got):
        return abs(got - moment) <= slack_ms
    about_then.__name__ = f"about {moment}"
    return about_then


done = one_of(200, 204)
