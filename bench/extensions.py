"""Rows of Steadybit's extensions: how soon their listeners have an event, how many calls there can be, and whether one
extension that sleeps holds up the others."""

import json
import statistics

from programs import Hub, LOAD, SERVER, fail

EXTENSIONS = 100
EVENTS_A_SECOND = 10_000
CALLS_OF_AN_EVENT = 2


class Extensions:
    """The program of that name, its extensions registered with the hub; the slow one is not."""

    def __init__(self, session, hub):
        self.hub = hub
        self.process, line = session.start([session.program("extensions"), str(EXTENSIONS)], LOAD, stdin=-1)
        *self.ports, self.slow_port = (int(port) for port in line.split())
        for number, port in enumerate(self.ports):
            shown = hub.must("POST", "/api/v1/extensions", self.document(f"e{number}", port))
            if len(shown["listeners"]) != 5:
                fail(f"an extension shows {shown['listeners']}")

    @staticmethod
    def document(name, port):
        return {"name": name, "url": f"http://127.0.0.1:{port}/"}

    def do(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            fail("extensions failed")
        return json.loads(line)

    def pace(self, seconds):
        figures = self.do("paced", self.hub.port, EVENTS_A_SECOND, seconds)
        # Nobody dies and nothing is late enough to be tried again, so none comes twice.
        if figures["calls"] != CALLS_OF_AN_EVENT * figures["events"]:
            fail(f"{figures['calls']} calls came of {figures['events']} events, {CALLS_OF_AN_EVENT} of each are due")
        if figures["rate"] < 0.98 * EVENTS_A_SECOND:
            figures["note"] = f"only {figures['rate']:,.0f} events/s"
        return figures


def rounds_of(session):
    return (1, 1) if session.quick else (5, 3)


def paced(session):
    rounds, seconds = rounds_of(session)
    hub = Hub(session)
    extensions = Extensions(session, hub)
    made = [extensions.pace(seconds) for _ in range(rounds)]
    belfry = {key: statistics.median(each[key] for each in made) for key in ("rate", "p50_us", "p99_us")}
    belfry["path"] = hub.commit_path()
    notes = [each["note"] for each in made if "note" in each]
    return {"value": belfry["p99_us"] / 1e3, "belfry": belfry, **({"note": notes[0]} if notes else {})}


def most(session):
    rounds, seconds = (1, 0.5) if session.quick else (5, 1.5)
    hub = Hub(session)
    extensions = Extensions(session, hub)
    limits, belfries = [], []
    for _ in range(rounds):
        limits.append(session.run(
            [session.program("limit_webhook"), EXTENSIONS, seconds, *extensions.ports], SERVER))
        events = extensions.do("backlog", hub.port, int(limits[-1]["rate"] * seconds * 0.8))["events"]
        drained = extensions.do("drain", seconds)
        belfries.append(drained)
        if not drained["goes_on"]:
            fail("the backlog was too small")
        # What was held for longer than an attempt may take comes again.
        while drained["calls"] < CALLS_OF_AN_EVENT * events or drained["goes_on"]:
            drained = extensions.do("drain", 0.5)
            if not drained["goes_on"] and drained["calls"] < CALLS_OF_AN_EVENT * events:
                fail(f"{drained['calls']} calls came of {events} events, {CALLS_OF_AN_EVENT} of each are due")
    limit = {key: statistics.median(each[key] for each in limits) for key in ("rate", "p50_us", "p99_us", "cpu_us")}
    ratio = statistics.median(b["rate"] / l["rate"] for l, b in zip(limits, belfries))
    return {"value": ratio, "limit": limit, "belfry": {"rate": statistics.median(b["rate"] for b in belfries)}}


def slow(session):
    """Rounds with and without it take turns; the limit's column is without."""
    rounds, seconds = rounds_of(session)
    hub = Hub(session)
    extensions = Extensions(session, hub)
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(extensions.pace(seconds))
        hub.must("POST", "/api/v1/extensions", extensions.document("slow", extensions.slow_port))
        beside.append(extensions.pace(seconds))
        hub.must("DELETE", "/api/v1/extensions/slow")
    limit, belfry = ({key: statistics.median(each[key] for each in made) for key in ("rate", "p50_us", "p99_us")}
                     for made in (alone, beside))
    belfry["path"] = hub.commit_path()
    return {"value": belfry["p99_us"] / limit["p99_us"], "limit": limit, "belfry": belfry}
