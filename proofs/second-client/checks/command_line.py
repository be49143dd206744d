"""The command line: serve, login, feed and the Splitwise import."""
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from client import create_contact, new_id

from . import C, free_port

FILE = """Date,Description,Category,Cost,Currency,Mira,Jo,Kim

2026-01-01,Groceries,General,30.00,EUR,20.00,-10.00,-10.00
2026-01-02,Train,General,9.99,EUR,-3.33,6.66,-3.33
2026-01-03,Not mine,General,8.00,EUR,0.00,4.00,-4.00
2026-01-04,Payment,Payment,5.00,EUR,-5.00,5.00,0.00
2026-01-05,Odd,General,10.00,EUR,0.10,-0.05,-0.05
2026-01-05,Odd,General,10.00,EUR,0.10,-0.05,-0.05
2026-01-06,Three,General,1.00,USD,0.02,-0.03,0.01

2026-02-01,Total balance, , ,EUR,{total},6.56,-18.43
2026-02-01,Total balance, , ,USD,0.02,-0.03,0.01
"""


class Home:
    """A home folder of its own to run client commands in."""

    def __init__(self, w, person=None):
        self.w, self.folder = w, tempfile.TemporaryDirectory()
        self.environment = {**{k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "TIDEBOOK_"))},
                            "HOME": self.folder.name}
        if person:
            self.environment |= {"TIDEBOOK_SERVER": w.url, "TIDEBOOK_TOKEN": person.token}

    def run(self, *arguments, stdin="", **environment):
        return subprocess.run([self.w.binary, *arguments], input=stdin, text=True, capture_output=True, timeout=30,
                              env={**self.environment, **environment})

    def file(self, text, name="export.csv"):
        path = Path(self.folder.name, name)
        path.write_text(text)
        return str(path)


def check_serve(w):
    w.like("Prints listening on http://ADDRESS on standard output once it answers", f"listening on {w.url}", w.server.said)
    home = Home(w)
    for says, arguments in (("wrong usage", ("serve", "--nonsense")), ("no such command", ("nonsense",)),
                            ("--signup open|invite|closed", ("serve", "--signup", "maybe"))):
        w.like(f"Exit 2 wrong usage: {says}", 2, home.run(*arguments).returncode)
    refused = home.run("serve", "--listen", f"0.0.0.0:{free_port()}")
    w.like("--public-url is required to listen beyond loopback", (True, False),
           (refused.returncode != 0, "listening on" in refused.stdout))
    with w.another("--signup", "open") as server:
        server.process.send_signal(signal.SIGINT)
        w.like("stops cleanly on Ctrl-C", 0, server.process.wait(15))
    with w.another() as server:
        server.process.send_signal(signal.SIGTERM)
        w.like("stops cleanly on SIGTERM", 0, server.process.wait(15))


def check_environment(w):
    port = free_port()
    folder = tempfile.TemporaryDirectory()
    for name in ("TIDEBOOK_DATA", "XDG_DATA_HOME"):
        data = Path(folder.name, name)
        process = subprocess.Popen([w.binary, "serve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={
            **os.environ, "HOME": folder.name, "TIDEBOOK_LISTEN": f"127.0.0.1:{port}", name: str(data)})
        try:
            w.like("each also as TIDEBOOK_…", f"listening on http://127.0.0.1:{port}", process.stdout.readline().strip())
            w.like(f"DIR is {name}", True, data.is_dir() and any(data.iterdir()))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
            process.stdout.close()
    folder.cleanup()


def check_login_and_feed(w):
    book = w.book(name=f"Named {new_id()}")
    name = w.ana.get(book.path).json["name"]
    book.replica().do(create_contact(C, "Ana"))
    home = Home(w)
    login = ("login", "--server", w.url, "--email", w.ana.user["email"])
    w.like("login, a wrong password: exit 1", 1, home.run(*login, stdin="not that one 5\n").returncode)
    w.like("not signed in: exit 1", 1, home.run("feed", book.id, "--after", "0").returncode)
    w.like("login (password from TIDEBOOK_PASSWORD)", 0, Home(w).run(*login, TIDEBOOK_PASSWORD=w.ana.password).returncode)
    done = home.run(*login, stdin=w.ana.password + "\n")
    w.like("login (password from standard input)", 0, done.returncode)
    w.like("the password is never shown", False, w.ana.password in done.stdout + done.stderr)
    for says, which, where in (("an id, stored login", book.id, home), ("a name only one book has", name, home),
                               ("TIDEBOOK_SERVER and TIDEBOOK_TOKEN", book.id, Home(w, w.ana))):
        feed = subprocess.Popen([w.binary, "feed", which, "--after", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=where.environment)
        try:
            line = json.loads(feed.stdout.readline())
            line = json.loads(feed.stdout.readline()) if line["type"] == "ready" else line
            w.like(f"feed prints feed frames as JSON lines ({says})", {
                "type": "contact_created", "seq": 2, "i": 0, "of": 1, "data": {"id": C, "name": "Ana"}}, line)
        finally:
            feed.terminate()
            feed.communicate()
    with_options = subprocess.Popen([w.binary, "feed", book.id, "--after", "1", "--server", w.url, "--token", w.ana.token],
                                    stdout=subprocess.PIPE, text=True, env=Home(w).environment)
    w.like("--server and --token", True, with_options.stdout.readline().startswith("{"))
    with_options.terminate()
    with_options.communicate()
    for says, arguments, code in (("no such book", ("feed", new_id()), 1), ("no book named", ("feed",), 2),
                                  ("a name of no book", ("feed", "No such name"), 1),
                                  ("wrong usage", ("feed", book.id, "--after", "x"), 2)):
        failed = home.run(*arguments)
        w.like(f"Exit 1 failed; 2 wrong usage: {says}", (code, True, ""), (failed.returncode, bool(failed.stderr), failed.stdout))
    w.book(name=name)
    w.like("a name two books have", 1, home.run("feed", name).returncode)


def balances(book):
    return {item["name"]: item["balances"] for item in book.owner.get(book.path + "/contacts").json["items"]}


def check_import(w):
    book, home = w.book(), Home(w, w.ana)
    by_hand = book.replica()
    by_hand.do(create_contact(C, "Jo"))
    head = book.head
    arguments = ("import", "splitwise", home.file(FILE.format(total="11.87")), "--me", "Mira", "--book", book.id)
    dry = home.run(*arguments, "--dry-run")
    w.like("--dry-run: exit 0, nothing written", (0, head), (dry.returncode, book.head))
    done = home.run(*arguments, "--json")
    w.like("Exit 0 done", (0, True), (done.returncode, isinstance(json.loads(done.stdout or "null"), (dict, list))))
    items = w.ana.get(book.path + "/contacts").json["items"]
    w.like("a contact of the same name made by hand is another contact", ["Jo", "Jo", "Kim"], sorted(item["name"] for item in items))
    total = {}
    for item in items:
        for currency, amount in item["balances"].items():
            total[currency] = total.get(currency, 0) + amount
    w.like("the sum over contacts equals my own cell in the file's Total balance row, per currency", {"EUR": 1187, "USD": 2}, total)
    rows = w.ana.get(book.path + "/transactions", limit=100).json["items"]
    told = sorted((row["date"], row["direction"], row["amount"], row["currency"]) for row in rows)
    w.like("in proportion; where it is zero the row is not mine; the same row twice is two", [
        ("2026-01-01", "gave", 1000, "EUR"), ("2026-01-01", "gave", 1000, "EUR"), ("2026-01-02", "got", 333, "EUR"),
        ("2026-01-04", "got", 500, "EUR"), ("2026-01-05", "gave", 5, "EUR"), ("2026-01-05", "gave", 5, "EUR"),
        ("2026-01-05", "gave", 5, "EUR"), ("2026-01-05", "gave", 5, "EUR"), ("2026-01-06", "gave", 2, "USD")], told)
    w.like("Ids are deterministic (version 8)", True, all(row["id"][14] == "8" for row in rows))
    head = book.head
    again = home.run(*arguments)
    w.like("a second import adds no entry", (0, head), (again.returncode, book.head))
    row, end = "2026-01-09,More,General,1.00,EUR,1.00,0.00,-1.00\n", "\n2026-02-01,Total balance, , ,EUR"
    more = FILE.format(total="12.87").replace(end, row + end, 1)
    w.like("a longer file adds what is new", 0, home.run(*arguments[:2], home.file(more, "more.csv"), *arguments[3:]).returncode)
    w.like("one transaction more", len(rows) + 1, len(w.ana.get(book.path + "/transactions").json["items"]))


def check_import_failures(w):
    book, home = w.book(), Home(w, w.ana)
    wrong = home.file(FILE.format(total="11.88"), "wrong.csv")
    right = home.file(FILE.format(total="11.87"), "right.csv")
    for says, file, me, which, code in (
            ("totals differ, nothing written", wrong, "Mira", book.id, 3), ("nobody of that name", right, "Nobody", book.id, (1, 2)),
            ("no such book", right, "Mira", new_id(), 1), ("no such file", right + ".not", "Mira", book.id, 1),
            ("no table at all", home.file("nonsense\n", "no.csv"), "Mira", book.id, 1)):
        failed = home.run("import", "splitwise", file, "--me", me, "--book", which)
        codes = code if isinstance(code, tuple) else (code,)
        w.like(f"Exit {code}: {says}", (True, True, 1), (failed.returncode in codes, bool(failed.stderr), book.head))
    w.like("Exit 2 wrong usage: no --me", 2, home.run("import", "splitwise", right, "--book", book.id).returncode)
    stranger = Home(w, w.eve)
    w.like("a non-member's import: exit 1", (1, 1), (
        stranger.run("import", "splitwise", right, "--me", "Mira", "--book", book.id).returncode, book.head))


def check_rounding(w):
    book, home = w.book(), Home(w, w.ana)
    rows = "Date,Description,Category,Cost,Currency,Mira,A\n\n" + "".join(
        f"2026-01-0{n},Part {n},General,{cell},{currency},{cell},-{cell}\n" for n, (cell, currency) in enumerate(
            (("0.004", "EUR"), ("0.004", "EUR"), ("0.004", "EUR"), ("0.008", "EUR"), ("10.4", "JPY"), ("10.4", "JPY"), ("10.2", "JPY")), 1))
    rows += "\n2026-02-01,Total balance, , ,EUR,0.02,-0.02\n2026-02-01,Total balance, , ,JPY,31,-31\n"
    done = home.run("import", "splitwise", home.file(rows), "--me", "Mira", "--book", book.id)
    w.like("Exit 0 done", (0, ""), (done.returncode, done.stderr if done.returncode else ""))
    w.like("what is smaller than a minor unit is rounded on the running total per contact and currency", {"A": {"EUR": 2, "JPY": 31}},
           balances(book))


def check_largest_remainder(w):
    book, home = w.book(), Home(w, w.ana)
    rows = "Date,Description,Category,Cost,Currency,Mira,A,B,C\n\n" \
           "2026-01-01,Thirds,General,1.00,EUR,1.00,-0.34,-0.33,-0.33\n" \
           "2026-01-02,Mixed,General,9.00,EUR,2.00,-1.00,-2.00,1.00\n\n" \
           "2026-02-01,Total balance, , ,EUR,3.00,-1.34,-2.33,0.67\n"
    done = home.run("import", "splitwise", home.file(rows), "--me", "Mira", "--book", book.id)
    w.like("Exit 0 done", 0, done.returncode)
    w.like("in proportion (largest remainder, so that the sum is exact)", {
        "A": {"EUR": 34 + 67}, "B": {"EUR": 33 + 133}, "C": {"EUR": 33}}, balances(book))
