"""Rows of server-sent events: one event to many readers, and many events to many."""

import statistics

from programs import Hub, LOAD, Limit, Meter

MANY = ("limits.connections=15000",)


def one(session, server, readers, seconds, batch=1, window=1):
    meter = Meter(server)
    result = session.run([session.program("readers"), server.port, readers, batch, window, seconds], LOAD)
    return {
        "rate": result["deliveries"] / result["seconds"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "cpu_us": meter.per(result["all_deliveries"]),
    }


def both(session, rounds, measure):
    servers = (Limit(session, "limit_fanout"), Hub(session, settings=MANY))
    made = [[measure(server) for server in servers] for _ in range(rounds)]
    limit, belfry = ({key: statistics.median(pair[i][key] for pair in made) for key in made[0][i]} for i in (0, 1))
    belfry["path"] = servers[1].commit_path()
    return limit, belfry, statistics.median(b["rate"] / l["rate"] for l, b in made)


def single(session, readers):
    """The next event when the last reader has the one before; processor time is per delivery."""
    rounds, seconds = (1, 0.7) if session.quick else (5, 1.5)
    limit, belfry, ratio = both(session, rounds, lambda s: one(session, s, readers, seconds))
    return {"value": ratio, "limit": limit, "belfry": belfry}


def gathered(session):
    """Sixteen events to a request, two requests under way."""
    rounds, seconds = (1, 0.7) if session.quick else (3, 2)
    limit, belfry, ratio = both(session, rounds, lambda s: one(session, s, 1000, seconds, batch=16, window=2))
    return {"value": belfry["rate"], "limit": limit, "belfry": belfry, "note": f"{ratio:.2f} of the raw sender"}
