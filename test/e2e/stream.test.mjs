// Server-sent events: live, resumed, filtered, and over a restart.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { eventually, startHub } from './hub.mjs';
import { openStream } from './stream.mjs';

async function open(t, hub, query = '', headers = {}) {
  const stream = await openStream(`${hub.url}/api/v1/events/stream${query}`, headers);
  t.after(() => stream.close());
  return stream;
}

test('a stream begins now and shows each event once, in order', async (t) => {
  const hub = await startHub(t);
  await hub.publish('before');
  const stream = await open(t, hub);
  for (let number = 0; number < 20; number++) await hub.publish('live', String(number));
  for (let number = 0; number < 20; number++) {
    const { id, data } = await stream.next();
    assert.deepEqual([id, data.type, data.data], [String(number + 1), 'live', String(number)]);
  }
});

test('Last-Event-ID resumes behind that event, also over a restart', async (t) => {
  const hub = await startHub(t);
  for (let number = 0; number < 5; number++) await hub.publish('live', String(number));
  const first = await open(t, hub, '?after=0');
  assert.equal((await first.next()).id, '1');
  assert.equal((await first.next()).id, '2');
  first.close();
  await hub.restart('SIGKILL');
  const second = await open(t, hub, '', { 'Last-Event-ID': '2' });
  assert.equal((await second.next()).id, '3');
  assert.equal((await second.next()).id, '4');
  await hub.publish('live', '5');
  assert.equal((await second.next()).id, '5');
});

test('a filtered stream shows its type only', async (t) => {
  const hub = await startHub(t);
  const stream = await open(t, hub, '?type=deploy.*');
  await hub.publish('other');
  await hub.publish('deploy.shop');
  const { id, data } = await stream.next();
  assert.deepEqual([id, data.type], ['1', 'deploy.shop']);
});

test('a stream ends whole when the hub stops, and is seen to be cut when the hub is killed', async (t) => {
  const hub = await startHub(t);
  for (const [signal, outcome] of [['SIGTERM', 'whole'], ['SIGKILL', 'cut']]) {
    const stream = await open(t, hub);
    const { offset } = await hub.publish('live');
    assert.equal((await stream.next()).id, String(offset));
    const end = stream.next().then(() => 'whole', () => 'cut');
    await hub.restart(signal);
    assert.equal(await end, outcome, signal);
  }
});

test('a reader of HTTP/1.0 gets the text without chunks', async (t) => {
  const hub = await startHub(t);
  const { hostname, port } = new URL(hub.url);
  const socket = net.connect(Number(port), hostname);
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (bytes) => (text += bytes));
  socket.write('GET /api/v1/events/stream HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n');
  await eventually('the stream begins', () => text.includes('waiting'));
  await hub.publish('live', 'x');
  await eventually('the event is there', () => text.endsWith('}\n\n'));
  assert.doesNotMatch(text, /Transfer-Encoding/i);
  assert.match(text, /\r\n\r\nretry: 2000\n: waiting\n\nid: 0\ndata: \{.*\}\n\n$/);
});

test('a hundred readers all see an event', async (t) => {
  const hub = await startHub(t);
  const streams = await Promise.all(Array.from({ length: 100 }, () => open(t, hub)));
  await hub.publish('live');
  const seen = await Promise.all(streams.map((stream) => stream.next()));
  assert.deepEqual(new Set(seen.map(({ id }) => id)), new Set(['0']));
});
