"""Rows of parts without the hub around them: the log, the match index."""

from programs import SERVER


def append(session, batch):
    """Not bound to one processor: the log thread fills with zeros what the next commits will write over."""
    rounds, seconds = (1, 0.5) if session.quick else (5, 1)
    made = session.run([session.program("append"), session.directory, batch, rounds, seconds], None)
    made["belfry"]["path"] = made["path"]
    return {"value": made["ratio"], "limit": made["limit"], "belfry": made["belfry"],
            "note": f"{made['event_bytes']} bytes an event"}


def match(session):
    seconds = 0.2 if session.quick else 1
    made = session.run(
        [session.program("match"), "--benchmark_format=json", f"--benchmark_min_time={seconds}"], SERVER
    )
    times = {each["name"]: each["cpu_time"] for each in made["benchmarks"]}
    return {"value": times["match/some"], "note": f"{times['match/none']:.0f} ns when nothing matches"}
