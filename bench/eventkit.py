"""Rows of the kit for extensions: how fast a listener that does nothing answers beside a server that does not even look
at what it is sent, and what such a program takes of memory and disk."""

import os
import re
import select
import statistics
import subprocess
import time

from machine import at_top_priority, cpu_us, resident_kib
from programs import LOAD, SERVER, Webhooks, fail

CONNECTIONS = 64
# An event as an agent sends it; limit_webhook puts a number in the place of ############.
BODY = (
    '{"id":"da059724-a8ae-4b4b-b4f0-############","eventName":"experiment.execution.completed",'
    '"eventTime":"2026-01-02T03:04:05.678901Z","tenant":{"key":"exmpl","name":"Example Inc."},'
    '"principal":{"principalType":"user","username":"tom.mason","name":"Tom Mason","email":"tom.mason@example.com"},'
    '"environment":{"id":"STG","name":"Staging"},"team":{"id":"7","key":"ADM","name":"Administrators"},'
    '"experimentExecution":{"experimentKey":"ADM-4","executionId":34,"name":"Rollout","hypothesis":"none",'
    '"preparedTime":"2026-01-02T03:04:00.1Z","state":"completed","startedTime":"2026-01-02T03:04:00.1Z",'
    '"endedTime":"2026-01-02T03:04:05.6+02:00"}}'
)


class Nothing:
    """The program whose listener does nothing; it says on standard error where it listens."""

    def __init__(self, session):
        own = {name: value for name, value in os.environ.items() if not name.startswith("STEADYBIT_")}
        self.process = subprocess.Popen(
            [session.program("eventkit_nothing")], stderr=subprocess.PIPE, preexec_fn=at_top_priority(SERVER),
            env={**own, "STEADYBIT_EXTENSION_HOST": "127.0.0.1", "STEADYBIT_EXTENSION_PORT": "0"},
        )
        session.processes.append(self.process)
        self.pid = self.process.pid
        said, deadline = b"", time.monotonic() + 30
        while not (found := re.search(rb"listening on http://127\.0\.0\.1:(\d+)", said)):
            if not select.select([self.process.stderr], [], [], max(0, deadline - time.monotonic()))[0]:
                fail(f"eventkit_nothing does not listen: {said.decode()}")
            more = os.read(self.process.stderr.fileno(), 4096)
            if not more:
                fail(f"eventkit_nothing ended: {said.decode()}")
            said += more
        self.port = int(found[1])


def request_file(session):
    path = session.directory / "request"
    head = ("POST /events HTTP/1.1\r\nHost: 127.0.0.1:40000\r\nUser-Agent: steadybit\r\nContent-Type: application/json\r\n"
            f"Request-Timeout: 30\r\nContent-Length: {len(BODY)}\r\n\r\n")
    path.write_text(head + BODY, newline="")
    return path


def one(session, pid, port, request, seconds):
    before = cpu_us(pid)
    made = session.run([session.program("limit_webhook"), "--request", request, CONNECTIONS, seconds, port], LOAD)
    return {**made, "cpu_us": (cpu_us(pid) - before) / made["calls_with_warm_up"]}


def calls(session):
    rounds, seconds = (1, 0.7) if session.quick else (5, 2)
    # The raw server is started as a load, so that it is bound to the processor of servers by hand.
    raw, kit, request = Webhooks(session, 1), Nothing(session), request_file(session)
    os.sched_setaffinity(raw.process.pid, {SERVER})
    limits, kits = [], []
    for _ in range(rounds):
        limits.append(one(session, raw.process.pid, raw.ports[0], request, seconds))
        kits.append(one(session, kit.pid, kit.port, request, seconds))
    keys = ("rate", "p50_us", "p99_us", "cpu_us")
    limit, belfry = ({key: statistics.median(each[key] for each in made) for key in keys} for made in (limits, kits))
    ratio = statistics.median(k["rate"] / l["rate"] for l, k in zip(limits, kits))
    return {"value": ratio, "limit": limit, "belfry": belfry}


def resident(session):
    """After calls over 64 connections, which are gone again."""
    kit = Nothing(session)
    idle = resident_kib(kit.pid) / 1024
    one(session, kit.pid, kit.port, request_file(session), 0.5 if session.quick else 2)
    return {"value": resident_kib(kit.pid) / 1024, "note": f"{idle:.1f} before the first call"}


def size(session):
    stripped = session.directory / "stripped"
    subprocess.run(["llvm-strip-19", "-o", stripped, session.program("eventkit_nothing")], check=True)
    return {"value": stripped.stat().st_size / 1e6}
