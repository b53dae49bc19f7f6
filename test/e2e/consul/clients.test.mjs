// The clients that people have: npm's `consul` and Debian's python3-consul.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Consul from 'consul';
import { bearer, startClosedHub } from '../closed_hub.mjs';
import { eventually, startHub } from '../hub.mjs';
import { fired, indexOf, settled } from './consul.mjs';

const portOf = (hub) => Number(new URL(hub.url).port);

function connect(t, port, defaults) {
  const client = new Consul({ host: '127.0.0.1', port, defaults });
  t.after(() => client.destroy());
  return client;
}

// A watch that keeps the payloads that each change showed: { changes, errors, lists }, the last being how many were asked for.
function startWatch(t, client, options) {
  const seen = { changes: [], errors: [], lists: 0 };
  const method = (...args) => (seen.lists++, client.event.list(...args));
  const watch = client.watch({ method, options: { timeout: 60_000, ...options }, backoffFactor: 10 });
  t.after(() => watch.end());
  const text = ({ Payload }) => Payload && Buffer.from(Payload, 'base64').toString();
  watch.on('change', (events) => seen.changes.push(events.map(text)));
  watch.on('error', (error) => seen.errors.push(error));
  return seen;
}

test('consul 65: npm consul fires, lists and round-trips names and payloads', async (t) => {
  const client = connect(t, portOf(await startHub(t, '--set', 'node.name=web-1')));
  const binary = Buffer.from([0, 1, 0xff, 0x80]);
  const event = await client.event.fire({ name: 'a/b c', payload: binary, node: '^web' });
  assert.deepEqual([event.Name, event.Payload, event.NodeFilter], ['a/b c', binary, '^web']);
  assert.equal((await client.event.fire('bare')).Payload, null);
  await client.event.fire('text', 'grüße');
  const events = await client.event.list();
  assert.deepEqual(events.map(({ Name }) => Name), ['a/b c', 'bare', 'text']);
  assert.equal(events[2].Payload, 'grüße');
  assert.deepEqual((await client.event.list('text')).map(({ Name }) => Name), ['text']);
  await assert.rejects(client.event.fire({ name: 'x', node: '(' }), /Invalid node filter/);
});

test('consul 65: a watch of npm consul changes once for each fire, and once at first', async (t) => {
  const hub = await startHub(t);
  const client = connect(t, portOf(hub));
  const watch = startWatch(t, client, { name: 'deploy', wait: '1s' });
  const { changes, errors } = watch;
  await eventually('the first list', () => changes.length === 1);
  const payloads = [];
  for (let number = 1; number <= 30; number++) {
    payloads.push(`payload ${number}`);
    await client.event.fire('deploy', payloads.at(-1));
    await client.event.fire('other', 'x');
    await eventually(`change ${number}`, () => changes.length > number);
  }
  // A wait that ends with nothing new is no change: after the list that may be under way there are one of a second, and the next.
  const lists = watch.lists;
  await eventually('a wait ends', () => watch.lists >= lists + 2);
  assert.equal(changes.length, 31);
  assert.deepEqual(errors, []);
  assert.deepEqual(changes[0], []);
  changes.forEach((seen, at) => assert.deepEqual(seen, payloads.slice(0, at)));
});

test('consul 65: a watch sees every payload of a burst', async (t) => {
  const hub = await startHub(t);
  const { changes } = startWatch(t, connect(t, portOf(hub)), { name: 'deploy' });
  await eventually('the first list', () => changes.length === 1);
  const all = Array.from({ length: 100 }, (_, number) => String(number));
  await Promise.all(all.map((payload) => fired(hub, 'deploy', payload)));
  await eventually('all payloads', () => new Set(changes.flat()).size === all.length);
  assert.ok(changes.length <= 101);
});

test('consul 65: a watch changes for nothing old when the hub restarts under it', async (t) => {
  const hub = await startHub(t);
  const proxy = net.createServer((client) => {
    const onward = net.connect(portOf(hub), '127.0.0.1');
    client.pipe(onward).pipe(client);
    for (const [one, other] of [[client, onward], [onward, client]]) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  t.after(() => proxy.close());
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  await fired(hub, 'deploy', 'before');
  const { changes } = startWatch(t, connect(t, proxy.address().port), { name: 'deploy' });
  await eventually('the first list', () => changes.length === 1);
  await hub.restart();
  await settled(hub);
  await fired(hub, 'deploy', 'after');
  await eventually('the new event', () => changes.at(-1).length === 2);
  assert.deepEqual(changes, [['before'], ['before', 'after']]);
});

const python = async (hub, ...args) => {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'clients.py');
  // Debian's own: another python on the path has no python3-consul.
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [script, String(portOf(hub)), ...args]);
  return JSON.parse(stdout);
};

function checkPython(said) {
  assert.deepEqual(said.first.map(({ ID, Payload }) => [ID, Payload]), [[said.fired, '1.2.3']]);
  assert.deepEqual(said.second.map(({ Payload }) => Payload), ['1.2.3', '1.2.4']);
  assert.deepEqual(said.indexes, [said.first[0].ID, said.second[1].ID, said.second[1].ID].map(indexOf));
  assert.match(said.refusal, /500 Invalid node filter/);
  assert.equal(said.node, 'web-1');
  assert.match(said.leader, /^127\.0\.0\.1:\d+$/);
}

test('consul 65: python3-consul fires, lists, waits and is refused', async (t) => {
  checkPython(await python(await startHub(t, '--set', 'node.name=web-1')));
});

test('consul 65: python3-consul shows its token in the query where it fires, and none elsewhere', async (t) => {
  const { hub, secret } = await startClosedHub(t, '--set', 'node.name=web-1');
  await assert.rejects(python(hub), /Permission denied/);
  const rules = { event_prefix: { '': 'read' }, agent: 'read' };
  await hub.call('POST', '/api/v1/policies', { name: 'anonymous', rules }, bearer(secret));
  checkPython(await python(hub, secret));
});
