"""Rows of Consul's API: fire, lists that a fire wakes, lists at rest, long lists."""

import http.client
import json
import socket
import statistics
import subprocess

import publish
from programs import Hub, LOAD, Limit, Meter, fail, resident_kib

NAME = "n"  # of the events; consul_lists asks for it
PAYLOAD = b"x" * 200
REQUEST = f"GET /v1/event/list?name={NAME} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def hub_with_list(session, events):
    """A hub whose lists are full; they hold so many events."""
    hub = Hub(session, settings=("limits.connections=15000", f"consul.list.events={events}"))
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=60)
    for _ in range(256):  # of any row, so that a list's index has as many digits
        connection.request("PUT", f"/v1/event/fire/{NAME}", PAYLOAD)
        answer = connection.getresponse()
        if b'"ID"' not in answer.read():
            fail(f"firing: {answer.status}")
    connection.close()
    return hub


def answer_bytes(port):
    """Of a whole answer to a list, as it comes."""
    with socket.create_connection(("127.0.0.1", port), 60) as peer:
        peer.sendall(REQUEST)
        answer = b""
        while True:
            head, end, body = answer.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            if end and len(body) >= int(length):
                return len(answer)
            piece = peer.recv(1 << 20)
            if not piece:
                fail("a list was cut off")
            answer += piece


def start_lists(session, server, count, seconds, how):
    """The program when all its connections are open, and its blocked lists asked for."""
    process, _ = session.start(
        [session.program("consul_lists"), str(server.port), str(count), str(seconds), how], LOAD, stdin=subprocess.PIPE
    )
    return process


def one(session, server, count, seconds, how):
    process = start_lists(session, server, count, seconds, how)
    meter = Meter(server)
    line, _ = process.communicate("go\n", timeout=300)
    if process.returncode != 0:
        fail(f"consul_lists {how} failed")
    result = json.loads(line)
    return {
        "rate": result["answers"] / result["seconds"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "cpu_us": meter.per(result["all_answers"]),
    }


def both(session, events, count, how, rounds, seconds):
    """Rounds of the limit, which sends as many bytes to an answer, and Belfry in turns."""
    hub = hub_with_list(session, events)
    size = answer_bytes(hub.port)
    servers = (Limit(session, "limit_fanout", str(size)), hub)
    made = [[one(session, server, count, seconds, how) for server in servers] for _ in range(rounds)]
    limit, belfry = ({key: statistics.median(pair[i][key] for pair in made) for key in made[0][i]} for i in (0, 1))
    belfry["path"] = hub.commit_path()
    ratio = statistics.median(b["rate"] / l["rate"] for l, b in made)
    return {"value": ratio, "limit": limit, "belfry": belfry, "note": f"{size:,} bytes an answer"}


def fire(session):
    return publish.durable(session, 64, form="consul", type_="deploy")


def wake(session):
    """Lists of one event, so that what is sent is small; a rate is of the time from a fire to the last answer. The
    processor time has the next request of each in it, too."""
    rounds, seconds = (1, 0.7) if session.quick else (5, 2)
    return both(session, 1, 10_000, "wake", rounds, seconds)


def full_list(session):
    rounds, seconds = (1, 0.7) if session.quick else (5, 1.5)
    return both(session, 256, 16, "list", rounds, seconds)


def blocked(session):
    count = 1000 if session.quick else 9000
    hub = hub_with_list(session, 256)
    before = resident_kib(hub.pid)
    process = start_lists(session, hub, count, 1, "wake")
    each = (resident_kib(hub.pid) - before) / count
    process.stdin.close()
    process.wait(timeout=60)
    return {"value": each, "note": f"{count} of them"}
