"""The programs that the rows start: a hub, a limit, a listener, a load. All are ended with the Session."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import at_top_priority, cpu_us, durable_call, free_port, resident_kib

SERVER, LOAD = 0, 1  # processors


def fail(text):
    sys.exit(f"bench: {text}")


class Session:
    """One row's directory and processes. A context manager: nothing of it is left behind."""

    def __init__(self, options):
        self.build = options.build
        self.quick = options.quick
        self.directory = Path(tempfile.mkdtemp(prefix="bench-", dir=options.directory))
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            end(process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def program(self, name):
        return self.build / "bench" / name

    def start(self, command, processor, **more):
        """A process that prints its first line when it is ready; gives the process and the line."""
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, preexec_fn=at_top_priority(processor), **more
        )
        self.processes.append(process)
        line = process.stdout.readline()
        if not line:
            fail(f"{Path(command[0]).name} did not start")
        return process, line.strip()

    def run(self, command, processor, **environment):
        """A program that ends by itself and prints one JSON object."""
        done = subprocess.run(
            [str(part) for part in command], env={**os.environ, **environment},
            capture_output=True, text=True, preexec_fn=at_top_priority(processor), timeout=300,
        )
        if done.returncode != 0:
            fail(f"{' '.join(str(part) for part in command)} failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def load(self, port, connections, seconds, batch=1, form="plain", token="", type_="bench"):
        return self.run(
            [self.build / "belfry", "bench", "--json", "--url", f"http://127.0.0.1:{port}",
             "--connections", connections, "--duration", f"{int(seconds * 1000)}ms",
             "--warm-up", f"{int(seconds * 200)}ms", "--batch", batch, "--format", form, "--type", type_],
            LOAD, BELFRY_TOKEN=token,
        )


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Limit:
    """One of the limit servers: its first line is its port, and what else it has to say."""

    def __init__(self, session, name, *arguments):
        command = [session.program(name), *arguments]
        self.process, line = session.start(command, SERVER)
        self.port, _, self.path = line.partition(" ")
        self.pid = self.process.pid

    def commit_path(self):
        return f"inline {self.path}".strip()


class Hub:
    """A `belfry serve`, ready when the constructor returns."""

    def __init__(self, session, data="data", settings=(), processor=SERVER):
        self.port = free_port()
        self.token = ""  # of whoever calls
        self.paths = set()
        self.call_of_log = durable_call(session.directory)
        self.data = session.directory / data
        output = session.directory / f"{data}.out"
        command = [session.build / "belfry", "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.data,
                   "--set", "logging.level=warn"]
        for setting in settings:
            command += ["--set", setting]
        with open(output, "ab") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=file, preexec_fn=at_top_priority(processor)
            )
        session.processes.append(self.process)
        self.pid = self.process.pid
        self.began = time.monotonic()
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > self.began + 60:
                fail("belfry did not become ready:\n" + output.read_text())
            time.sleep(0.002)

    def ready(self):
        try:
            return self.call("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def call(self, method, path, document=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            body = None if document is None else json.dumps(document)
            headers = {"Content-Type": "application/json"} if body else {}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def must(self, method, path, document=None):
        status, answer = self.call(method, path, document)
        if not 200 <= status < 300:
            fail(f"{method} {path}: {status} {answer}")
        return answer

    def commit_path(self):
        """How it commits now and did whenever this was asked; a Meter asks when it begins."""
        log = self.must("GET", "/api/v1/status")["log"]
        self.paths.add("log thread" if log["on_log_thread"] else "inline")
        return f"{' and '.join(sorted(self.paths))} {self.call_of_log}"

    def subscribe(self, name, url, **more):
        self.must("POST", "/api/v1/subscriptions", {"name": name, "sink": {"kind": "webhook", "url": url}, **more})


class Webhooks:
    """The listener program: COUNT ports, and how many deliveries they had."""

    def __init__(self, session, count, *port):
        self.process, line = session.start([session.program("listener"), str(count), *map(str, port)], LOAD)
        self.ports = [int(port) for port in line.split()]
        self.connection = http.client.HTTPConnection("127.0.0.1", self.ports[0], timeout=60)

    def received(self):
        self.connection.request("GET", "/")
        return int(self.connection.getresponse().read())


class Meter:
    """Processor time per event of a server, between two looks."""

    def __init__(self, server):
        self.server = server
        server.commit_path()
        self.before = cpu_us(server.pid)

    def per(self, events):
        return (cpu_us(self.server.pid) - self.before) / events if events else float("nan")


__all__ = ["Hub", "LOAD", "Limit", "Meter", "SERVER", "Session", "Webhooks", "end", "fail", "resident_kib"]
