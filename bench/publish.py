"""Rows of durable publish: beside the limit, in batches, with subscriptions that want none of it, with a token."""

import statistics
from concurrent.futures import ThreadPoolExecutor

from programs import Hub, Limit, Meter, fail

KEYS = ("rate", "p50_us", "p99_us", "cpu_us")
# Batches fill a disk quickly.
SMALL_LOG = ("log.retention.bytes=1GiB",)


def one(session, server, connections, seconds, **shape):
    """A round of load against a limit or a hub."""
    meter = Meter(server)
    result = session.load(server.port, connections, seconds, **shape)
    if result["failed"] or not result["events"]:
        fail(f"{result['failed']} requests failed, {result['events']} events; nothing to compare")
    return {
        "rate": result["events_per_second"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "cpu_us": meter.per(result["events_with_warm_up"]),
        "path": server.commit_path(),
    }


def medians(rounds):
    made = {key: statistics.median(each[key] for each in rounds) for key in KEYS}
    made["path"] = ", ".join(sorted({each["path"] for each in rounds}))
    return made


def interleaved(session, servers, measure, rounds):
    """Medians by server, and the median of the ratios of the second's rate to the first's."""
    results = [[], []]
    for _ in range(rounds):
        for server, made in zip(servers, results):
            made.append(measure(server))
    limit, belfry = (medians(made) for made in results)
    ratios = [b["rate"] / l["rate"] for l, b in zip(*results)]
    return limit, belfry, statistics.median(ratios)


def durable(session, connections, **shape):
    rounds, seconds = (1, 0.7) if session.quick else (5, 2)
    servers = (Limit(session, "limit_durable", session.directory / "limit.log"), Hub(session))
    limit, belfry, ratio = interleaved(session, servers, lambda s: one(session, s, connections, seconds, **shape), rounds)
    return {"value": ratio, "limit": limit, "belfry": belfry}


def batches(session, form):
    rounds, seconds = (1, 0.7) if session.quick else (3, 2)
    hub = Hub(session, settings=SMALL_LOG)
    made = medians([one(session, hub, 16, seconds, batch=100, form=form) for _ in range(rounds)])
    return {"value": made["rate"], "belfry": made}


def unmatched(session):
    """The processor time of an event with and without 10,000 subscriptions to types that never come."""
    rounds, seconds, count = (1, 0.7, 1000) if session.quick else (5, 1.5, 10000)
    hubs = (Hub(session, "without"), Hub(session, "with"))

    def subscribe(number):
        types = [f"never.{number}"] if number % 2 else [f"not.{number}.*"]
        hubs[1].subscribe(f"s{number}", "http://127.0.0.1:9/in", filter={"types": types})

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(subscribe, range(count)))
    without, belfry, _ = interleaved(session, hubs, lambda s: one(session, s, 64, seconds), rounds)
    note = f"{count} subscriptions"
    return {"value": belfry["cpu_us"] / without["cpu_us"], "limit": without, "belfry": belfry, "note": note}


def close(hub, policies, rules, named):
    """Closes the hub; gives the secret of a token with `named` of its policies, one of which lets it publish."""
    hub.token = hub.must("POST", "/api/v1/tokens", {"policies": ["operator"]})["secret"]

    def create(number):
        types = range(rules // 2)
        hub.must("POST", "/api/v1/policies", {"name": f"p{number}", "rules": {
            "event": {f"team{number}.service{i}.done": "write" for i in types},
            "event_prefix": {f"be{number}.area{i}.": "read" for i in types} | ({"be": "write"} if number == 0 else {}),
        }})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(create, range(policies)))
    names = [f"p{number}" for number in range(named)]
    return hub.must("POST", "/api/v1/tokens", {"policies": names})["secret"]


def access(session, open_shows_token):
    """The processor time of an event on a hub with policies and on an open one: that gets the same requests, token and
    all, and does not look at it, or that gets them without."""
    rounds, seconds, policies = (1, 0.7, 50) if session.quick else (30, 0.4, 1000)
    hubs = {"open": Hub(session, "open"), "closed": Hub(session, "closed")}
    token = close(hubs["closed"], policies, rules=100, named=8)
    turns = [("open", token if open_shows_token else ""), ("closed", token)]
    made = {name: [] for name, _ in turns}
    for _ in range(rounds):
        for name, shown in turns:
            made[name].append(one(session, hubs[name], 64, seconds, token=shown))
        turns.reverse()  # each is first as often
    ratio = statistics.median(c["cpu_us"] / o["cpu_us"] for c, o in zip(made["closed"], made["open"]))
    note = f"{policies} policies of 100 rules, 8 of the token"
    return {"value": ratio, "limit": medians(made["open"]), "belfry": medians(made["closed"]), "note": note}
