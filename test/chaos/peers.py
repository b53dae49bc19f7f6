"""What the network fault tests share: a client that tells every answer's status and time, many connections at once, and
what the hub's process takes meanwhile."""

import asyncio
import itertools
import json
import os
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import time

from hub import Broken
from oracle import check

TICKS = os.sysconf("SC_CLK_TCK")


def p99(samples):
    return percentile(samples, 0.99)


def percentile(samples, part):
    if not samples:
        raise Broken("nothing was measured")
    ordered = sorted(samples)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def enter_network():
    """Runs this program again in a network of its own with a loopback device; False where that is not allowed."""
    if os.environ.get("BELFRY_OWN_NETWORK"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return True
    if os.geteuid() != 0 or not all(shutil.which(name) for name in ("unshare", "ip", "nft")):
        return False
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0:
        return False
    os.environ["BELFRY_OWN_NETWORK"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _status_field(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    raise Broken(f"the hub is gone: process {pid} has no {name}")


def resident_bytes(pid):
    return _status_field(pid, "VmRSS")


def peak_resident_bytes(pid):
    return _status_field(pid, "VmHWM")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Client:
    """One kept connection to the hub, opened again when it broke."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def request(self, method, path, body=b"", kind="application/octet-stream", timeout=30):
        """(status, headers in lower case, body); 0 and the reason if there was no answer."""
        try:
            return await asyncio.wait_for(self._request(method, path, body, kind), timeout)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError) as error:
            self.close()
            return 0, "", repr(error).encode()

    async def _request(self, method, path, body, kind):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        if method != "GET":
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(answer.split("content-length:")[1].split("\r\n")[0]) if "content-length:" in answer else 0
        content = await self.reader.readexactly(length)
        if "connection: close" in answer:
            self.close()
        return int(answer.split(" ", 2)[1]), answer, content

    async def publish(self, ledger, key, data, query, kind="application/octet-stream"):
        """One event whose subject is `key`, entered in the ledger with what became of it: (status, body)."""
        ledger.attempt(key, data, False)
        status, _, body = await self.request("POST", f"/api/v1/events?{query}&subject={key}", data, kind)
        if status == 200:
            ledger.acked(key, json.loads(body)["offset"])
        elif status == 0 or (status == 503 and b'"outcome_unknown"' in body):
            ledger.unknown(key)
        else:
            ledger.refused(key, status)
        return status, body

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Load:
    """Small events at an even pace over a few kept connections: how long each answer took, and which were none. The ledger
    has them all."""

    loads = itertools.count(1)

    def __init__(self, port, ledger, a_second, clients=4):
        self.port, self.ledger, self.pause, self.clients = port, ledger, clients / a_second, clients
        self.name = f"load{next(self.loads)}"
        self.seconds, self.failures = [], []
        self._stop = asyncio.Event()
        self._tasks = []

    def start(self):
        self._tasks = [asyncio.create_task(self._run(number)) for number in range(self.clients)]
        return self

    async def _run(self, number):
        client = Client(self.port)
        await asyncio.sleep(self.pause * number / self.clients)
        for event in itertools.count(1):
            if self._stop.is_set():
                break
            key = f"{self.name}-{number}-{event}"
            began = time.monotonic()
            status, body = await client.publish(self.ledger, key, key.ljust(200, "x").encode(), "type=normal&source=/load")
            took = time.monotonic() - began
            self.seconds.append(took)
            if status != 200:
                self.failures.append(f"{status} {body[:120]!r}")
            await asyncio.sleep(max(self.pause - took, 0.001))
        client.close()

    async def stop(self):
        self._stop.set()
        await asyncio.gather(*self._tasks)

    def success(self):
        return 1 - len(self.failures) / max(len(self.seconds), 1)


def check_ledger(run, hub):
    """The oracle's findings about the events of this test, among those that attackers brought."""
    return check(run.ledger, hub.read_all(), hub.status()["log"]["first"])


class Crowd:
    """Plain connections, opened without waiting for one another; each sends `first` when it is there."""

    def __init__(self, port, count, first=b""):
        self.sockets = []
        selector = selectors.DefaultSelector()
        for _ in range(count):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            self.sockets.append(one)
            selector.register(one, selectors.EVENT_WRITE)
        waiting, end = count, time.monotonic() + 10
        while waiting and time.monotonic() < end:
            for key, _ in selector.select(0.2):
                selector.unregister(key.fileobj)
                waiting -= 1
                try:
                    if first:
                        key.fileobj.send(first)
                except OSError:
                    pass  # shed already
        selector.close()

    def answers(self):
        """The first bytes of those that were answered."""
        said = []
        for one in self.sockets:
            try:
                said.append(one.recv(64, socket.MSG_PEEK))
            except OSError:
                continue
        return [text for text in said if text]

    def close(self):
        for one in self.sockets:
            one.close()
        self.sockets = []
