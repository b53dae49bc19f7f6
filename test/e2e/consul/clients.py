"""What clients.test.mjs runs with Debian's python3-consul: `clients.py PORT [TOKEN]` prints one line of JSON."""

import json
import sys
import threading

import consul

token = sys.argv[2] if len(sys.argv) > 2 else None
client = consul.Consul(host="127.0.0.1", port=int(sys.argv[1]), token=token)


def text(event):
    return {**event, "Payload": event["Payload"] and event["Payload"].decode()}


fired = client.event.fire("deploy", "1.2.3", node="web", token=token)
index, events = client.event.list(name="deploy")
later = threading.Timer(0.2, lambda: client.event.fire("deploy", "1.2.4"))
later.start()
next_index, next_events = client.event.list(name="deploy", index=index, wait="10s")
later.join()
same_index, _ = client.event.list(name="deploy", index=next_index, wait="100ms")
try:
    client.event.fire("deploy", "x", node="(")
    refusal = None
except consul.ConsulException as error:
    refusal = str(error)
print(json.dumps({
    "fired": fired["ID"],
    "indexes": [index, next_index, same_index],
    "first": [text(event) for event in events],
    "second": [text(event) for event in next_events],
    "refusal": refusal,
    "node": client.agent.self()["Config"]["NodeName"],
    "services": sorted(client.agent.services()),
    "leader": client.status.leader(),
}))
