"""What the fault tests share beside the oracle: a hub as a process, producers that keep the ledger, and a listener."""

import base64
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from oracle import check_arrivals

READY_SECONDS = 20
BROKEN = (OSError, http.client.HTTPException)
CRASHES = [-number for number in (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)]
SECRET = re.compile(rb"belfry_[0-9a-f]{56}|whsec_[A-Za-z0-9+/]{24,}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broken(Exception):
    """The test cannot go on: what the hub said stands in the text."""

    word = "broken"


class LossTold(Broken):
    """The hub itself says at start that acknowledged events are missing."""

    word = "lost"


class Crashed(Broken):
    """The hub ended by itself, as a defect ends it."""

    word = "crashed"


class SecretShown(Broken):
    """What nobody may read stands in the hub's log."""

    word = "secret"


class Hub:
    """A hub as a process of this machine. `settings` are those of the configuration; `environment` is added to ours; all may change between starts."""

    ready_within = READY_SECONDS
    look_every = 0.005
    ready_statuses = (200,)
    answers_within = 10

    def __init__(self, binary, directory, data=None, settings=None):
        self.binary = binary
        self.directory = directory
        self.data = data or directory / "data"
        self.settings = dict(settings or {})
        self.environment = {}
        self.flags = []
        self.port = free_port()
        self.process = None

    def launch(self):
        sets = [word for key, value in self.settings.items() for word in ("--set", f"{key}={value}")]
        with open(self.directory / "hub.out", "ab") as output:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.data, *sets, *self.flags],
                stdout=output, stderr=output, env={**os.environ, **self.environment},
            )

    def start(self):
        """Until it is ready; how many seconds that took."""
        self.launch()
        begin = time.monotonic()
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - begin > self.ready_within:
                self.check_crash()
                said = self.output()
                kind = LossTold if "has lost acknowledged events" in said else Broken
                raise kind(f"the hub did not become ready (status {self.process.poll()}):\n{said}")
            time.sleep(self.look_every)
        return time.monotonic() - begin

    def is_ready(self):
        try:
            return self.request("GET", "/readyz")[0] in self.ready_statuses
        except BROKEN:
            return False

    def output(self):
        return (self.directory / "hub.out").read_text(errors="replace")[-4000:]

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, how=signal.SIGKILL):
        """Its status: negative if a signal ended it."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(timeout=READY_SECONDS)
        self.check_log()
        self.check_crash()
        return status

    def check_crash(self):
        if self.process.poll() in CRASHES:
            raise Crashed(f"status {self.process.poll()}:\n{self.output()}")

    def check_log(self):
        """No token and no signing secret stands in what the hub said."""
        said = self.directory / "hub.out"
        if said.exists() and SECRET.search(said.read_bytes()):
            raise SecretShown("one stands in the hub's log")

    def stop(self):
        return self.kill(signal.SIGTERM)

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.answers_within)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def call(self, method, path, document=None, expect=200):
        headers = {"Content-Type": "application/json"}
        status, body = self.request(method, path, None if document is None else json.dumps(document), headers)
        if status != expect:
            raise Broken(f"{method} {path}: {status} {body[:500]}")
        return json.loads(body) if body else None

    def status(self):
        return self.call("GET", "/api/v1/status")

    def subscribe(self, name, listener, **members):
        delivery = {"retry": ["200ms"] * 50, **members.pop("delivery", {})}
        self.call("POST", "/api/v1/subscriptions", {
            "name": name, "start": "earliest",
            "sink": {"kind": "webhook", "url": listener.url, "format": "cloudevents-binary"},
            "delivery": delivery, **members,
        }, expect=201)

    def read_all(self):
        """(offset, key, data) of every stored event; one without a subject is not the test's own: None and no data."""
        for _ in range(100):
            events = self.read_pages()
            if events is not None:
                return events
        raise Broken("retention drops events faster than they can be read")

    def read_pages(self):
        """The same, from the first page to the last; None if retention dropped what the next page was to begin with."""
        events, after = [], None
        while True:
            path = "/api/v1/events?limit=1000" + ("" if after is None else f"&after={after}")
            status, body = self.request("GET", path, None, {})
            if status == 410 and after is not None:
                return None
            if status != 200:
                raise Broken(f"GET {path}: {status} {body[:500]}")
            page = json.loads(body)
            for event in page["events"]:
                if "subject" not in event:
                    events.append((event["offset"], None, b""))
                    continue
                data = base64.b64decode(event["data_base64"]) if "data_base64" in event else event["data"].encode()
                events.append((event["offset"], event["subject"], data))
            after = page.get("next")
            if after is None:
                return events

    def verify(self):
        """`belfry log verify` of the directory, which no hub may use: its exit code and its report, None without one."""
        ran = subprocess.run(
            [self.binary, "log", "verify", "--data", self.data, "--json", "--quiet"],
            capture_output=True, check=False, timeout=120,
        )
        if ran.returncode not in (0, 5):
            raise Broken(f"log verify: {ran.returncode} {ran.stderr.decode(errors='replace')[:500]}")
        return ran.returncode, json.loads(ran.stdout)

    def verify_intact(self):
        """What `belfry log verify` finds, one line each; nothing after a fault that only stops or refuses."""
        if not (self.data / "log").exists():
            return []  # it ended before there was a log
        code, report = self.verify()
        if code == 0:
            return []
        return [f"log verify: {one['file']} at {one['position']}: {one['what']}" for one in report["damage"]] + [
            f"log verify: events {gap['from']} to {gap['to'] - 1} are missing"
            for gap in report["gaps"] if not gap["accepted"]
        ]


class Producer(threading.Thread):
    """Publishes until the hub is gone. An event without an answer is sent again in the next life: with the same id
    if it has one, else as it is, which may store it twice."""

    def __init__(self, hub, ledger, name, rng, pause=0.0):
        super().__init__(daemon=True)
        self.hub, self.ledger, self.name_, self.rng, self.pause = hub, ledger, name, rng, pause
        self.has_id = False
        self.type = "chaos"
        self.sizes = (0, 20, 200, 4000)
        self.number = 0
        self.unanswered = []
        self.may_refuse = ()  # statuses that are no failure of this test
        self.refused = 0
        self.stop = threading.Event()
        self.failure = None

    def again(self):
        """A thread runs once; the next life continues where this one was."""
        other = type(self)(self.hub, self.ledger, self.name_, self.rng, self.pause)
        for member in ("number", "unanswered", "failure", "sizes", "may_refuse"):
            setattr(other, member, getattr(self, member))
        return other

    def new_events(self):
        self.number += 1
        key = f"{self.name_}-{self.number}"
        return [(key, key.encode() + b" " + self.rng.randbytes(self.rng.choice(self.sizes)))]

    def send(self, connection, events):
        key, data = events[0]
        query = f"type={self.type}&source=/chaos/{self.name_}&subject={key}" + (f"&id={key}" if self.has_id else "")
        connection.request("POST", f"/api/v1/events?{query}", body=data,
                           headers={"Content-Type": "application/octet-stream"})

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=10)
        try:
            while not self.stop.is_set():
                self.publish(connection)
                if self.pause:
                    time.sleep(self.pause)
        except BROKEN:
            pass
        except Exception as error:  # a thread's exception would go unseen
            self.failure = f"{self.name_}: {error!r}"
        finally:
            connection.close()

    def publish(self, connection):
        events = self.unanswered or self.new_events()
        self.unanswered = events
        for key, data in events:
            self.ledger.attempt(key, data, self.has_id)
        try:
            self.send(connection, events)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        except BROKEN:
            for key, _ in events:
                self.ledger.unknown(key)
            raise
        self.unanswered = []
        self.settle(events, status, body)
        return status

    def settle(self, events, status, body):
        if status == 200:
            receipt = json.loads(body)
            for (key, _), one in zip(events, receipt.get("events", [receipt]), strict=True):
                self.ledger.acked(key, one["offset"])
        elif status == 503 and b'"outcome_unknown"' in body:
            for key, _ in events:
                self.ledger.unknown(key)
        else:
            self.refused += 1
            for key, _ in events:
                self.ledger.refused(key, status)
            if status not in self.may_refuse:
                self.failure = f"{self.name_}: {status} {body[:300]}"


class ProducerWithId(Producer):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.has_id = True


class BatchProducer(ProducerWithId):
    def new_events(self):
        return [super(BatchProducer, self).new_events()[0] for _ in range(self.rng.randint(1, 20))]

    def send(self, connection, events):
        batch = [
            {"specversion": "1.0", "id": key, "source": f"/chaos/{self.name_}", "type": self.type, "subject": key,
             "data_base64": base64.b64encode(data).decode()}
            for key, data in events
        ]
        connection.request("POST", "/api/v1/events", body=json.dumps(batch),
                           headers={"Content-Type": "application/cloudevents-batch+json"})


class WatchedProducer(Producer):
    """Its events go to the listener."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.type = "chaos.watched"


class Listener:
    """Confirms every delivery, unless told to refuse, and remembers whose it was."""

    def __init__(self):
        listener = self
        self.arrivals = []
        self.received = set()
        self.refuses = threading.Event()
        self.refusal = 503

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                refuse = listener.refuses.is_set()
                if not refuse:
                    listener.arrivals.append(self.headers.get("ce-subject"))
                    listener.received.add(self.headers.get("ce-subject"))
                self.send_response(listener.refusal if refuse else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # every kill resets its connections
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def missing(self, ledger, prefix="watched-", below=1 << 62):
        """Acknowledged events that it should have had and has not; `below` bounds their offsets."""
        return [key for key, entry in list(ledger.entries.items())
                if key.startswith(prefix) and entry.acked and min(entry.acked) < below and key not in self.received]

    def wait_for_all(self, ledger, seconds, prefix="watched-", in_order=False):
        deadline = time.monotonic() + seconds
        while self.missing(ledger, prefix) and time.monotonic() < deadline:
            time.sleep(0.05)
        return check_arrivals(ledger, list(self.arrivals), prefix, in_order)
