"""Makes projects in a real IHateMoney server through its own HTTP: python projects.py FOLDER SEED BILLS

For each project it leaves NAME.csv, as the server exports it, and NAME-balances.json, what the server says everyone's balance is.
"""
import base64
import http.cookiejar
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

PASSWORD = "low tide at noon"

# A member for each kind of trouble: weights that are no whole numbers, a comma in a name, a formula, letters beyond ASCII.
MEMBERS = {"Mira": "1", "Jonas": "2", "Aiko": "1.5", "Bo, Jr.": "0.7", "=Tomás": "3", "Łukasz O'Neil": "0.333", "Noor": "1"}

CURRENCIES = {"euros": "EUR", "yen": "JPY", "nothing": "XXX"}

WHAT = ["Groceries", "Rent \"March\"", "Dinner, with wine", "=1+1", "Hotel 東京", "-5 %", "Café; late", "Taxi"]


class Server:
    """The program as it is installed beside this Python, on a port that is free, with a database that goes with it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        settings = pathlib.Path(self.folder.name, "settings.cfg")
        settings.write_text(
            f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{self.folder.name}/ihatemoney.db'\n"
            "SECRET_KEY = 'of this run alone'\nSESSION_COOKIE_SECURE = False\nMAIL_SUPPRESS_SEND = True\n"
        )
        self.process = subprocess.Popen(
            [pathlib.Path(sys.executable).with_name("ihatemoney"), "run", "--host", "127.0.0.1", "--port", "0"],
            env={"IHATEMONEY_SETTINGS_FILE_PATH": str(settings), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if "Running on http://" in line:
                self.url = line.split("Running on ")[1].strip()
                break
        else:
            raise SystemExit("the server did not start:\n" + "".join(self.log))
        # It logs every request; nobody reading would stop it once the pipe is full.
        self.reader = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.wait()
        self.folder.cleanup()


class Project:
    """A project, and somebody who is signed in to it."""

    def __init__(self, url, name, currency):
        self.url, self.name, self.currency = url, name, currency
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        pair = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        self.authorization = {"Authorization": f"Basic {pair}"}
        self.call("/api/projects", id=name, name=name, password=PASSWORD, contact_email="mira@example.org",
                  default_currency=currency)
        self.members = {
            member: self.call(f"/api/projects/{name}/members", name=member, weight=weight)
            for member, weight in MEMBERS.items()
        }

    def call(self, path, method=None, **form):
        fields = [(key, one) for key, value in form.items() for one in (value if isinstance(value, list) else [value])]
        body = urllib.parse.urlencode(fields).encode() if form else None
        request = urllib.request.Request(self.url + path, body, self.authorization, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def bill(self, dice, payer):
        digits = 0 if self.currency == "JPY" and dice.random() < 0.8 else 2
        amount = round(dice.choice([1, 1, 1, 1, -1]) * dice.uniform(1, 300), digits)
        kind = dice.choice(["Expense", "Expense", "Expense", "Reimbursement"])
        count = 1 if kind == "Reimbursement" else dice.randint(1, len(self.members))
        owers = dice.sample(list(self.members.values()), count)
        date = f"2026-{dice.randint(1, 11):02}-{dice.randint(1, 28):02}"
        currency = dice.choice([self.currency, self.currency, "XXX"])
        self.call(f"/api/projects/{self.name}/bills", date=date, what=dice.choice(WHAT), payer=payer,
                  payed_for=owers, amount=str(amount), bill_type=kind, original_currency=currency)

    def export(self):
        """As a person gets it: signed in by a link, from the page of the project's settings."""
        token = self.call(f"/api/projects/{self.name}/token")["token"]
        self.browser.open(f"{self.url}/{self.name}/join/{token}").close()
        with self.browser.open(f"{self.url}/{self.name}/export/bills.csv") as answer:
            return answer.read().decode()

    def balances(self):
        return {member["name"]: member["balance"] for member in self.call(f"/api/projects/{self.name}")["members"]}


def main(folder, seed, bills):
    dice, server = random.Random(int(seed)), Server()
    try:
        for name, currency in CURRENCIES.items():
            project = Project(server.url, name, currency)
            everyone = list(project.members.values())
            for index in range(int(bills)):
                # Everyone pays once: the export tells the weights of those who did.
                project.bill(dice, everyone[index] if index < len(everyone) else dice.choice(everyone))
            project.call(f"/api/projects/{name}/members/{project.members['Noor']}", method="DELETE")
            pathlib.Path(folder, f"{name}.csv").write_text(project.export(), newline="")
            balances = json.dumps(project.balances(), ensure_ascii=False, indent=1)
            pathlib.Path(folder, f"{name}-balances.json").write_text(balances + "\n")
    finally:
        server.stop()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
