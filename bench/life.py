"""Rows of a hub's life: its start, its memory, a listener that is dead for long."""

import http.client
import os
import statistics
import subprocess
import time

from machine import at_top_priority, free_port, resident_kib
from programs import Hub, LOAD, Webhooks, end, fail
from webhooks import publish_backlog

GIB = 1 << 30
DRAINED = 400_000  # deliveries that are timed when a listener returns: enough, and done in 10 s
MANY = ("limits.connections=15000",)


def start_ms(session, data):
    """From fork to the first 200 of /readyz, on any processor, as a user's start is."""
    port = free_port()
    process = subprocess.Popen(
        [session.program("start_time"), str(port), session.build / "belfry", "serve", "--listen",
         f"127.0.0.1:{port}", "--data", data, "--set", "logging.level=warn"],
        stdout=subprocess.PIPE, text=True, preexec_fn=at_top_priority(),
    )
    session.processes.append(process)
    line = process.stdout.readline().split()
    if len(line) != 2:
        fail("the hub did not start")
    os.kill(int(line[1]), 15)
    process.wait(timeout=60)
    return float(line[0])


def starts(session, data, count):
    times = [start_ms(session, data) for _ in range(count)]
    return {"value": statistics.median(times), "note": f"{min(times):.1f} to {max(times):.1f} ms in {count} starts"}


def start_empty(session):
    hub = Hub(session)
    end(hub.process)
    return starts(session, hub.data, 3 if session.quick else 15)


def start_1gib(session):
    """The events are small and have ids, so it is a log of the most records, and ids to remember."""
    hub = Hub(session, processor=None)
    wanted = GIB // 16 if session.quick else GIB
    while hub.must("GET", "/api/v1/status")["log"]["bytes"] < wanted:
        session.load(hub.port, 16, 0.5, batch=100, form="ndjson")
    status = hub.must("GET", "/api/v1/status")["log"]
    end(hub.process)
    made = starts(session, hub.data, 3 if session.quick else 5)
    made["note"] += f", {status['next']:,} events, {status['bytes'] / GIB:.2f} GiB"
    return made


def rss_idle(session):
    hub = Hub(session)
    return {"value": resident_kib(hub.pid) / 1024}


def rss_connection(session):
    """Kept-alive connections that have had one answer."""
    count = 1000 if session.quick else 9000
    hub = Hub(session, settings=MANY)
    before = resident_kib(hub.pid)
    connections = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=60)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        connections.append(connection)
    each = (resident_kib(hub.pid) - before) / count
    for connection in connections:
        connection.close()
    return {"value": each, "note": f"{count} of them"}


def rss_reader(session):
    count = 1000 if session.quick else 9000
    hub = Hub(session, settings=MANY)
    before = resident_kib(hub.pid)
    process, _ = session.start(
        [session.program("readers"), str(hub.port), str(count), "1", "1", "0"], LOAD, stdin=subprocess.PIPE
    )
    each = (resident_kib(hub.pid) - before) / count
    process.stdin.close()
    process.wait(timeout=60)
    return {"value": each, "note": f"{count} of them"}


class DeadListener:
    """The whole story, once for its three rows: see `dead_story`."""

    story = None


def dead_story(session):
    """A listener refuses connections while 1,000,000 events come in; the hub is killed and started again; the listener
    returns. The story is told once; its rows ask for parts of it."""
    if DeadListener.story:
        return DeadListener.story
    events = 50_000 if session.quick else 1_000_000
    hub = Hub(session)
    port = free_port()
    hub.subscribe("dead", f"http://127.0.0.1:{port}/in", delivery={"max_in_flight": 64, "retry": ["1s"] * 50})
    before = resident_kib(hub.pid)
    count = publish_backlog(session, hub, events)
    grown = (resident_kib(hub.pid) - before) / 1024
    hub.process.kill()
    hub.process.wait()
    again = Hub(session)
    restart = time.monotonic() - again.began
    webhooks = Webhooks(session, 1, port)
    rate, waited = drain(webhooks, min(count, DRAINED))
    DeadListener.story = {"count": count, "grown": grown, "restart": restart, "rate": rate, "waited": waited}
    return DeadListener.story


def drain(webhooks, wanted):
    """Deliveries a second from the first on, and how long that took to come."""
    opened = time.monotonic()
    while webhooks.received() == 0:
        if time.monotonic() > opened + 60:
            fail("nothing is delivered")
        time.sleep(0.005)
    began, first = time.monotonic(), webhooks.received()
    while webhooks.received() < wanted and time.monotonic() < began + 30:
        time.sleep(0.02)
    return (webhooks.received() - first) / (time.monotonic() - began), began - opened


def dead_rss(session):
    story = dead_story(session)
    return {"value": story["grown"], "note": f"{story['count']:,} events"}


def dead_restart(session):
    return {"value": dead_story(session)["restart"]}


def dead_drain(session):
    story = dead_story(session)
    return {"value": story["rate"], "note": f"over the first {min(story['count'], DRAINED):,}; the first of them after {story['waited']:.1f} s"}
