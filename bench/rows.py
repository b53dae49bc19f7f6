"""The table of rows: what is measured, how, and what it is held to."""

from dataclasses import dataclass
from typing import Callable

import consul
import eventkit
import extensions
import inside
import life
import publish
import streams
import webhooks


@dataclass(frozen=True)
class Row:
    name: str
    what: str
    measure: Callable  # (Session) -> {"value", and what else there is to say}
    unit: str          # of the value; "ratio": of the limit
    least: float       # what is held: at least, or at most if `down`
    aim: float
    down: bool = False       # less is better
    p99_ratio: float = None  # p99 at most so many times the limit's
    disk: bool = True        # says nothing on a slow disk

    def holds(self, value, bound):
        return value <= bound if self.down else value >= bound


ROWS = [
    Row("durable_64", "durable publish, 64 connections", lambda s: publish.durable(s, 64), "ratio", 0.70, 0.85, p99_ratio=2),
    Row("durable_1", "durable publish, 1 connection", lambda s: publish.durable(s, 1), "ratio", 0.60, 0.75),
    Row("durable_512", "durable publish, 512 connections", lambda s: publish.durable(s, 512), "ratio", 0.60, 0.90),
    Row("batch_json", "batches of 100, CloudEvents JSON", lambda s: publish.batches(s, "json"), "events/s", 400e3, 1e6),
    Row("batch_ndjson", "batches of 100, NDJSON", lambda s: publish.batches(s, "ndjson"), "events/s", 400e3, 1e6),
    Row("append_64", "log append alone, batch 64", lambda s: inside.append(s, 64), "ratio", 0.80, 0.90),
    Row("append_1000", "log append alone, batch 1,000", lambda s: inside.append(s, 1000), "ratio", 0.50, 0.70),
    Row("sse_1000", "SSE, one event to 1,000 readers", lambda s: streams.single(s, 1000), "ratio", 0.80, 0.95),
    Row("sse_10000", "SSE, one event to 10,000 readers", lambda s: streams.single(s, 10000), "ratio", 0.70, 0.90),
    Row("sse_gathered", "SSE under load, 1,000 readers", streams.gathered, "deliveries/s", 1.6e6, 2.4e6),
    Row("webhooks", "webhooks, 64 in flight, 16 endpoints", webhooks.deliveries, "ratio", 0.60, 0.85, disk=False),
    Row("end_to_end", "publish to webhook 2xx, idle", webhooks.end_to_end, "fdatasyncs", 3, 2, down=True),
    Row("steadybit_calls", "an event to two of 100 extensions, 10,000/s", extensions.paced, "ms, p99", 20, 5, down=True),
    Row("steadybit_most", "calls of 100 extensions, at most", extensions.most, "ratio", 0.50, 0.70, disk=False),
    Row("steadybit_slow", "p99 beside an extension that sleeps", extensions.slow, "ratio", 1.20, 1.05, down=True),
    Row("eventkit", "an extension of the kit that does nothing", eventkit.calls, "ratio", 0.60, 0.75, disk=False),
    Row("eventkit_rss", "resident, that extension after its calls", eventkit.resident, "MiB", 8, 6, down=True, disk=False),
    Row("eventkit_size", "that extension, stripped", eventkit.size, "MB", 4, 3, down=True, disk=False),
    Row("match", "match among 10,000 subscriptions", inside.match, "ns", 1000, 150, down=True, disk=False),
    Row("consul_fire", "Consul's fire, durable, 64 connections", consul.fire, "ratio", 0.65, 0.80),
    Row("consul_wake", "one fire to 10,000 blocked lists", consul.wake, "ratio", 0.60, 0.80),
    Row("consul_blocked", "resident, a blocked list", consul.blocked, "KiB", 3, 1.5, down=True, disk=False),
    Row("consul_list", "lists of 256 events", consul.full_list, "ratio", 0.80, 0.90, disk=False),
    Row("no_match", "10,000 subscriptions that do not match", publish.unmatched, "ratio", 1.10, 1.03, down=True),
    Row("access_cost", "durable publish, judged by 1,000 policies", lambda s: publish.access(s, True), "ratio", 1.03, 1.01, down=True),
    Row("access_header", "the same beside no token at all", lambda s: publish.access(s, False), "ratio", 1.03, 1.01, down=True),
    Row("start_empty", "start, initialised and empty", life.start_empty, "ms", 15, 6, down=True),
    Row("start_1gib", "start, log of 1 GiB", life.start_1gib, "ms", 500, 250, down=True),
    Row("rss_idle", "resident, idle", life.rss_idle, "MiB", 14, 8, down=True, disk=False),
    Row("rss_connection", "resident, an idle connection", life.rss_connection, "KiB", 2, 1, down=True, disk=False),
    Row("rss_reader", "resident, an SSE reader", life.rss_reader, "KiB", 2, 1, down=True, disk=False),
    Row("dead_rss", "1,000,000 events behind a dead listener", life.dead_rss, "MiB", 256, 64, down=True),
    Row("dead_restart", "the same, restart", life.dead_restart, "s", 5, 1, down=True),
    Row("dead_drain", "the same, drained when it returns", life.dead_drain, "events/s", 5e3, 50e3),
]
