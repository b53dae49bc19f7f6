// GET /v1/event/list?index=: who waits, for what, how long, and who is let go.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import test from 'node:test';
import { eventually, patienceMs, startHub } from '../hub.mjs';
import { Connection, fired, indexOf, list, names, settled, startBlocked, startList } from './consul.mjs';

const current = async (hub, name) => (await list(hub, name ? `name=${name}` : '')).index;

test('consul 26: list of the current index waits for the next event and ends with it', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'foo');
  const blocked = await startBlocked(hub, `index=${await current(hub)}`);
  const { ID } = await fired(hub, 'bar');
  const answer = await blocked.answer;
  assert.deepEqual(names(answer), ['foo', 'bar']);
  assert.equal(answer.events.at(-1).ID, ID);
  assert.equal(answer.index, indexOf(ID));
});

test('consul 27: list of any other index answers at once', async (t) => {
  const hub = await startHub(t);
  const { ID: stale } = await fired(hub, 'foo');
  await fired(hub, 'foo');
  const now = BigInt(await current(hub));
  for (const index of [BigInt(indexOf(stale)), 1n, now - 1n, now + 1n, 2n ** 64n - 1n]) {
    const asked = startList(hub, `index=${index}&wait=10m`);
    await eventually(`the answer to ${index}`, () => asked.answered);
    const answer = await asked.answer;
    assert.deepEqual([names(answer), answer.index], [['foo', 'foo'], String(now)], String(index));
  }
});

test('consul 28: list of index 0 never waits', async (t) => {
  const hub = await startHub(t);
  for (const query of ['index=0', 'index=0&wait=10m', 'wait=10m', 'index=&wait=10m', 'index=00']) {
    assert.equal((await list(hub, query)).text, '[]', query);
  }
});

test('consul 29: list of index 1 waits for the first event of all, or of a name', async (t) => {
  const hub = await startHub(t);
  const first = await startBlocked(hub, 'index=1');
  const named = await startBlocked(hub, 'name=foo&index=1');
  await fired(hub, 'bar');
  assert.deepEqual(names(await first.answer), ['bar']);
  await settled(hub);
  assert.ok(!named.answered);
  await fired(hub, 'foo');
  assert.deepEqual(names(await named.answer), ['foo']);
});

test('consul 30: after its wait a list answers 200 with the same index', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'foo');
  const index = await current(hub);
  for (const [wait, ms] of [['200ms', 200], ['0.3s', 300]]) {
    const blocked = startList(hub, `index=${index}&wait=${wait}`);
    const answer = await blocked.answer;
    assert.deepEqual([answer.status, answer.index, names(answer)], [200, index, ['foo']]);
    assert.ok(blocked.tookMs >= ms - 1 && blocked.tookMs < ms + patienceMs, `${wait}: ${blocked.tookMs} ms`);
  }
  const empty = startList(hub, 'name=none&index=1&wait=50ms');
  const answer = await empty.answer;
  assert.deepEqual([answer.text, answer.index], ['[]', '1']);
  assert.ok(empty.tookMs >= 49, `${empty.tookMs} ms`);
});

test('consul 31: another name neither ends a wait nor makes it longer', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'a');
  const index = await current(hub, 'a');
  const blocked = startList(hub, `name=a&index=${index}&wait=500ms`);
  await eventually('it ends', () => fired(hub, 'b').then(() => blocked.answered));
  assert.equal((await blocked.answer).index, index);
  assert.ok(blocked.tookMs >= 499, `${blocked.tookMs} ms`);
});

test('consul 58: a wait past the limit is taken, and 0 is the default and not "now"', async (t) => {
  const hub = await startHub(t);
  const waits = ['20m', '100000h', '0', '0s', '', '-1s'];
  const blocked = [];
  for (const wait of waits) blocked.push(await startBlocked(hub, `index=1&wait=${wait}`));
  await fired(hub, 'foo');
  for (const { answer } of blocked) assert.deepEqual(names(await answer), ['foo']);
});

test('consul 58: the limits of other requests do not end a wait', async (t) => {
  const hub = await startHub(t, '--set', 'limits.request_ms=200', '--set', 'limits.idle_ms=200', '--set', 'limits.body_grace_ms=200');
  const blocked = startList(hub, 'index=1&wait=700ms');
  assert.equal((await blocked.answer).text, '[]');
  assert.ok(blocked.tookMs >= 699, `${blocked.tookMs} ms`);
});

test('consul 56: of 1,000 lists that wait none answers early and one event ends all', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'before');
  const index = await current(hub);
  const waiting = Array.from({ length: 1000 }, (_, number) => startList(hub, `index=${index}${number % 2 ? '&name=' : ''}`));
  t.after(() => waiting.forEach((blocked) => blocked.close()));
  await eventually('all are connected', async () => (await readdir(`/proc/${hub.process.pid}/fd`)).length > 1000);
  await settled(hub);
  assert.equal(waiting.filter(({ answered }) => answered).length, 0, 'some answered early');
  const { ID } = await fired(hub, 'now');
  const answers = await Promise.all(waiting.map(({ answer }) => answer));
  assert.deepEqual(new Set(answers.map(({ index: seen }) => seen)), new Set([indexOf(ID)]));
  assert.ok(answers.every((answer) => answer.events.length === 2));
});

test('consul 57: of 10,000 clients that hang up while they wait nothing is left', async (t) => {
  const hub = await startHub(t);
  const open = async () => (await readdir(`/proc/${hub.process.pid}/fd`)).length;
  await settled(hub);
  const before = await open(); // some of which may still be about to close
  assert.ok(before < 100, `${before} descriptors`);
  for (let round = 0; round < 40; round++) {
    const waiting = Array.from({ length: 250 }, () => startList(hub, 'index=1'));
    await settled(hub);
    if (round === 0) await eventually('all are there', async () => (await open()) >= 250);
    assert.ok(waiting.every(({ answered }) => !answered));
    waiting.forEach((blocked) => blocked.close());
  }
  await eventually('all are closed', async () => (await open()) <= before);
  const blocked = await startBlocked(hub, 'index=1');
  await fired(hub, 'foo');
  assert.deepEqual(names(await blocked.answer), ['foo']);
});

test('consul 64: an event between two lists is never slept over', async (t) => {
  const hub = await startHub(t);
  let index = await current(hub);
  for (let round = 0; round < 100; round++) {
    const { ID } = await fired(hub, 'foo');
    const answer = await list(hub, `index=${index}`);
    assert.equal(answer.events.at(-1).ID, ID);
    index = answer.index;
  }
});

test('consul 64: an event that comes together with a list ends it', async (t) => {
  const hub = await startHub(t);
  let index = await current(hub);
  for (let round = 0; round < 200; round++) {
    const asked = startList(hub, `index=${index}`);
    const { ID } = await fired(hub, 'foo');
    await eventually(`the answer of round ${round}`, () => asked.answered);
    const answer = await asked.answer;
    assert.equal(answer.events.at(-1).ID, ID);
    index = answer.index;
  }
});

test('consul 26: a wait and what follows share a connection', async (t) => {
  const hub = await startHub(t);
  const connection = new Connection(hub);
  t.after(() => connection.close());
  let index = '1';
  for (let round = 0; round < 20; round++) {
    const next = connection.send('GET', `/v1/event/list?index=${index}`);
    const { ID } = await fired(hub, 'foo');
    index = (await next).headers['x-consul-index'];
    assert.equal(index, indexOf(ID));
  }
  const late = await connection.send('GET', `/v1/event/list?index=${index}&wait=20ms`);
  assert.equal(late.headers['x-consul-index'], index);
});

test('consul 26: an event of another door ends a wait', async (t) => {
  const hub = await startHub(t);
  const blocked = await startBlocked(hub, 'name=deploy&index=1');
  await hub.publish('deploy');
  assert.deepEqual(names(await blocked.answer), ['deploy']);
});

test('consul 26: a stop lets those who wait go, and a restart gives the same index to wait with', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'foo');
  const index = await current(hub);
  const waiting = await Promise.all(Array.from({ length: 50 }, () => startBlocked(hub, `index=${index}`)));
  const began = Date.now();
  assert.equal(await hub.stop(), 0);
  assert.ok(Date.now() - began < patienceMs, `the stop took ${Date.now() - began} ms`);
  for (const { status, index: shown } of await Promise.all(waiting.map(({ answer }) => answer))) {
    assert.deepEqual([status, shown], [200, index], 'an answer that stops a wait shows nothing new');
  }
  await hub.start();
  const again = await startBlocked(hub, `index=${index}`);
  await fired(hub, 'bar');
  assert.deepEqual(names(await again.answer), ['foo', 'bar']);
});
