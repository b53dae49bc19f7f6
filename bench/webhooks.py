"""Rows of webhooks: deliveries of a backlog, and the way of one event on an idle hub."""

import json
import statistics
import time

from machine import sync_us
from programs import Hub, LOAD, Meter, SERVER, Webhooks, fail

ENDPOINTS = 16
IN_FLIGHT = 64


def publish_backlog(session, hub, events):
    """So many events and a few more, as quickly as the hub takes them; gives their number."""
    status = hub.must("GET", "/api/v1/status")["log"]
    begin = status["next"]
    while hub.must("GET", "/api/v1/status")["log"]["next"] - begin < events:
        session.load(hub.port, 16, 0.2, batch=100, form="ndjson")
    return hub.must("GET", "/api/v1/status")["log"]["next"] - begin


def drained(hub, webhooks, seconds):
    """Deliveries a second while there are more to come; processor time is per delivery."""
    begin = webhooks.received()
    deadline = time.monotonic() + 60
    while webhooks.received() < begin + 1000:  # connections are made, the first reads done
        if time.monotonic() > deadline:
            fail("nothing is delivered")
        time.sleep(0.01)
    first, meter, began = webhooks.received(), Meter(hub), time.monotonic()
    time.sleep(seconds)
    count, took = webhooks.received() - first, time.monotonic() - began
    return {"rate": count / took, "cpu_us": meter.per(count)}


def deliveries(session):
    rounds, seconds = (1, 0.7) if session.quick else (5, 1.5)
    hub, webhooks = Hub(session), Webhooks(session, ENDPOINTS)
    backlog = publish_backlog(session, hub, 20_000 * max(1, int(seconds * 1.5)))
    limits, belfries = [], []
    for number in range(rounds):
        limits.append(session.run([session.program("limit_webhook"), IN_FLIGHT, seconds, *webhooks.ports], SERVER))
        names = [f"r{number}-{i}" for i in range(ENDPOINTS)]
        for name, port in zip(names, webhooks.ports):
            hub.subscribe(name, f"http://127.0.0.1:{port}/in", start="earliest",
                          delivery={"max_in_flight": IN_FLIGHT // ENDPOINTS})
        belfries.append(drained(hub, webhooks, seconds))
        pending = [hub.must("GET", f"/api/v1/subscriptions/{name}")["pending"] for name in names]
        if min(pending) == 0:
            fail(f"the backlog of {backlog} events was too small")
        for name in names:
            hub.must("DELETE", f"/api/v1/subscriptions/{name}")
    limit = {key: statistics.median(each[key] for each in limits) for key in ("rate", "p50_us", "p99_us", "cpu_us")}
    belfry = {key: statistics.median(each[key] for each in belfries) for key in ("rate", "cpu_us")}
    ratio = statistics.median(b["rate"] / l["rate"] for l, b in zip(limits, belfries))
    return {"value": ratio, "limit": limit, "belfry": belfry}


def end_to_end(session):
    """In syncs of the same disk, taken before and after each round."""
    rounds, count = (1, 300) if session.quick else (5, 1500)
    hub = Hub(session)
    times, syncs, values, cpu = [], [], [], []
    for number in range(rounds):
        before = sync_us(session.directory)
        process, port = session.start([session.program("end_to_end"), str(hub.port), str(count)], LOAD, stdin=-1)
        hub.subscribe(f"e{number}", f"http://127.0.0.1:{port}/in")
        meter = Meter(hub)
        process.stdin.write("\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            fail("end_to_end failed")
        cpu.append(meter.per(count))
        times.append(json.loads(line))
        hub.must("DELETE", f"/api/v1/subscriptions/e{number}")
        syncs.append(statistics.mean((before, sync_us(session.directory))))
        values.append(times[-1]["p50_us"] / syncs[-1])
    belfry = {key: statistics.median(each[key] for each in times) for key in ("p50_us", "p99_us")}
    belfry["cpu_us"] = statistics.median(cpu)
    belfry["path"] = hub.commit_path()
    return {"value": statistics.median(values), "limit": {"p50_us": statistics.median(syncs)}, "belfry": belfry}
