// GET /v1/event/list without waiting: what is in it, in which order, and its index.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHub } from '../hub.mjs';
import { Connection, fire, fired, indexOf, isError, list, names, send } from './consul.mjs';

const firedAll = async (hub, ...all) => {
  const events = [];
  for (const name of all) events.push(await fired(hub, name));
  return events;
};

test('consul 17: list after one fire shows exactly it', async (t) => {
  const hub = await startHub(t);
  const event = await fired(hub, 'deploy', 'x');
  assert.deepEqual((await list(hub)).events, [{ ...event, LTime: 1 }]);
});

test('consul 18: a fresh hub lists nothing, with index 1', async (t) => {
  const hub = await startHub(t);
  const answer = await list(hub);
  assert.deepEqual([answer.status, answer.text, answer.index], [200, '[]', '1']);
  assert.equal(answer.headers['content-type'], 'application/json');
});

test('consul 19: the index is a decimal number and not zero', async (t) => {
  const hub = await startHub(t);
  for (let number = 0; number < 20; number++) {
    await fired(hub, 'deploy');
    assert.match((await list(hub)).index, /^[1-9][0-9]*$/);
  }
});

test('consul 20: the index is that of the last event, as clients compute it, and rises', async (t) => {
  const hub = await startHub(t);
  let before = 1n;
  for (let number = 0; number < 20; number++) {
    const { ID } = await fired(hub, 'deploy');
    const { index } = await list(hub);
    assert.equal(index, indexOf(ID));
    assert.ok(BigInt(index) > before && BigInt(index) < 2n ** 53n, `${index} after ${before}`);
    before = BigInt(index);
  }
});

test('consul 21: an index is computed as Consul computes it', () => {
  assert.equal(indexOf('cb9a81ad-fff6-52ac-92a7-5f70687805ec'), '6430540886266763072');
});

test('consul 22: list of a name shows that name only, by its exact letters', async (t) => {
  const hub = await startHub(t);
  await firedAll(hub, 'foo', 'Foo', 'foobar', 'fo', 'bar', 'foo');
  assert.deepEqual(names(await list(hub, 'name=foo')), ['foo', 'foo']);
  assert.deepEqual(names(await list(hub, 'name=fo.')), []);
  assert.deepEqual(names(await list(hub, 'name=')), ['foo', 'Foo', 'foobar', 'fo', 'bar', 'foo']);
  assert.deepEqual(names(await list(hub, 'name=bar&name=foo')), ['bar']);
});

test('consul 23: list of a name keeps the order', async (t) => {
  const hub = await startHub(t);
  const events = await firedAll(hub, 'foo', 'bar', 'foo', 'foo', 'bar');
  const listed = (await list(hub, 'name=foo')).events.map(({ ID }) => ID);
  assert.deepEqual(listed, [0, 2, 3].map((at) => events[at].ID));
});

test('consul 24: a name that never was lists nothing, with index 1', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'foo');
  const { text, index } = await list(hub, 'name=nomatch');
  assert.deepEqual([text, index], ['[]', '1']);
});

test('consul 25: the index of a name follows its newest event and no other', async (t) => {
  const hub = await startHub(t);
  const [foo] = await firedAll(hub, 'foo', 'bar');
  assert.equal((await list(hub, 'name=foo')).index, indexOf(foo.ID));
  await fired(hub, 'bar');
  assert.equal((await list(hub, 'name=foo')).index, indexOf(foo.ID));
  const newer = await fired(hub, 'foo');
  assert.equal((await list(hub, 'name=foo')).index, indexOf(newer.ID));
  assert.equal((await list(hub)).index, indexOf(newer.ID));
});

test('consul 34: a list shows the newest 256, oldest first, and each name has its own', async (t) => {
  const hub = await startHub(t);
  const rare = await fired(hub, 'rare');
  const ids = [];
  const connection = new Connection(hub);
  for (let number = 0; number < 300; number++) {
    ids.push((await connection.send('PUT', '/v1/event/fire/load', { body: String(number) })).json().ID);
  }
  connection.close();
  for (const query of ['', 'name=load']) {
    const { events, index } = await list(hub, query);
    assert.deepEqual(events.map(({ ID }) => ID), ids.slice(-256), query);
    assert.equal(index, indexOf(ids.at(-1)), query);
  }
  assert.deepEqual((await list(hub, 'name=rare')).events.map(({ ID }) => ID), [rare.ID]);
});

test('consul 35: events are listed as they arrived, and LTime rises', async (t) => {
  const hub = await startHub(t);
  const ids = [];
  for (let number = 0; number < 50; number++) ids.push((await fired(hub, `n${number % 3}`)).ID);
  const { events } = await list(hub);
  assert.deepEqual(events.map(({ ID }) => ID), ids);
  assert.deepEqual(events.map(({ LTime }) => LTime), ids.map((_, at) => at + 1));
});

test('consul 35: fires of many clients at once are all listed, once', async (t) => {
  const hub = await startHub(t);
  const ids = await Promise.all(Array.from({ length: 100 }, async () => (await fired(hub, 'deploy')).ID));
  const { events } = await list(hub);
  assert.deepEqual(events.map(({ ID }) => ID).sort(), ids.sort());
  assert.ok(events.every(({ LTime }, at) => LTime === at + 1));
});

test('consul 32: a wait that is no duration is 400, and is looked at first', async (t) => {
  const hub = await startHub(t);
  for (const wait of ['60foo', '10', 's', '1', '-', '1.2.3s', '1h2', '%205s', '+5s', '1d', '2562048h', '1e3s', '0x1s']) {
    isError(await list(hub, `wait=${wait}`), 400, 'Invalid wait time', wait);
    isError(await list(hub, `index=foo&wait=${wait}`), 400, 'Invalid wait time', wait);
  }
  for (const wait of ['', '0', '10s', '1m30s', '250ms', '1.5h', '.5s', '1.s', '100us', '100%C2%B5s', '1ns', '1h2m3s', '%2B5s', '20m', '2562047h', '-0']) {
    assert.equal((await list(hub, `wait=${wait}`)).status, 200, wait);
  }
});

test('consul 33: an index that is no unsigned 64-bit number is 400', async (t) => {
  const hub = await startHub(t);
  const wrong = ['foo', '-1', '1.5', '18446744073709551616', '0x10', '%201', '%2B1', '1e3', '1_000', '99999999999999999999999999'];
  for (const index of wrong) {
    isError(await list(hub, `index=${index}`), 400, 'Invalid index', index);
  }
  for (const index of ['', '0', '18446744073709551615', '007', '2']) {
    assert.equal((await list(hub, `index=${index}&wait=10m`)).status, 200, index);
  }
});

test('consul 52: list ignores dc, consistency and what it does not know', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'foo');
  const ignored = ['dc=x', 'datacenter=x', 'stale&consistent', 'stale=1&consistent=1&dc=x', 'cached', 'filter=(', 'hash=1', 'ns=team', 'nonsense='];
  for (const query of ignored) {
    assert.deepEqual(names(await list(hub, query)), ['foo'], query);
  }
});

test('consul 17: what other doors took in is listed, too', async (t) => {
  const hub = await startHub(t);
  await hub.publish('deploy.shop', 'hello');
  await hub.publish('deploy.own', 'x', { id: 'mine', source: '/ci' });
  const bare = { specversion: '1.0', id: '1', source: '/a', type: 'nothing' };
  await hub.call('POST', '/api/v1/events', bare, { 'Content-Type': 'application/cloudevents+json' });
  const { events, index } = await list(hub);
  assert.deepEqual(events.map(({ Name, Payload }) => [Name, Payload]), [
    ['deploy.shop', Buffer.from('hello').toString('base64')], ['deploy.own', 'eA=='], ['nothing', null]]);
  for (const { ID } of events) assert.match(ID, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(index, indexOf(events[2].ID));
  assert.deepEqual(events.map(({ ID }) => indexOf(ID)), ['2', '3', '4']);
});

test('consul 17: what was fired is an event for every other door', async (t) => {
  const hub = await startHub(t, '--set', 'node.name=web-1');
  const { ID } = await fired(hub, 'deploy?node=web&service=%5Eshop&tag=v1', 'payload');
  const { events } = await hub.call('GET', '/api/v1/events');
  const [{ id, type, source, nodefilter, servicefilter, tagfilter }] = events;
  assert.deepEqual([id, type, source, nodefilter, servicefilter, tagfilter], [ID, 'deploy', '/consul/web-1', 'web', '^shop', 'v1']);
});

test('consul 17: the list is found again after a restart, and after a crash', async (t) => {
  const hub = await startHub(t);
  for (let number = 0; number < 10; number++) await fire(hub, number % 2 ? 'odd' : 'even', String(number));
  const before = await list(hub);
  const odd = await list(hub, 'name=odd');
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    await hub.restart(signal);
    const after = await list(hub);
    assert.deepEqual([after.text, after.index], [before.text, before.index], signal);
    assert.deepEqual((await list(hub, 'name=odd')).text, odd.text, signal);
  }
  assert.equal((await send(hub, 'GET', '/v1/event/list?name=even')).json().length, 5);
});
