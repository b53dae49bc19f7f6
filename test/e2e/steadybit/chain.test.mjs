// Hubs as extensions of each other.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bearer, startClosedHub } from '../closed_hub.mjs';
import { startHub } from '../hub.mjs';
import { caughtUp, event, from, id, post, postAll, quick, register, remove, show } from './agent.mjs';

const events = async (hub) => (await hub.call('GET', '/api/v1/events')).events;
const bytes = async (hub, offset) => (await hub.request('GET', `/api/v1/events/${offset}/data`)).text;
const at = (hub) => `${hub.url}/steadybit`;

test('a hub that registers another one passes events on, byte for byte', async (t) => {
  const [first, second] = await Promise.all([startHub(t), startHub(t)]);
  const { name, listeners } = await register(first, { url: at(second) });
  assert.deepEqual(listeners.map(({ method, path, listenTo, state }) => [method, path, listenTo, state]), [['POST', '/events', ['*'], 'active']]);
  const body = ` ${event(1, 'experiment.execution.failed')}\n`;
  await post(first, body);
  await postAll(first, from(2, 20), 'killswitch.engaged');
  await caughtUp(first, name);
  const [one, ...others] = await events(second);
  assert.deepEqual([one.id, one.type, one.source, one.subject], [id(1), 'experiment.execution.failed', '/steadybit/exmpl', 'ADM-4/34']);
  assert.equal(await bytes(second, 0), body);
  assert.deepEqual(others.map((other) => other.id), from(2, 20).map(id));
});

test('events of every door reach the second hub as bodies that it takes', async (t) => {
  const [first, second] = await Promise.all([startHub(t), startHub(t)]);
  const { name } = await register(first, { url: at(second), ...quick() });
  await first.publish('deploy', '{"version":3}');
  await first.request('PUT', '/v1/event/fire/restart', 'now');
  const odd = { specversion: '1.0', id: 'x y', source: '/ci', type: 'ünï', data: { a: 1 } };
  await first.call('POST', '/api/v1/events', odd, { 'Content-Type': 'application/cloudevents+json' });
  const shown = await caughtUp(first, name);
  assert.equal(shown.last_error ?? null, null);
  const theirs = await events(first);
  const got = await events(second);
  assert.deepEqual(got.map(({ type }) => type), theirs.map(({ type }) => type));
  assert.deepEqual(got.map((one) => one.id), theirs.map(({ uuid }) => uuid));
});

test('through a chain of three hubs, killed in the middle, every event comes once', async (t) => {
  const [first, second, third] = await Promise.all([startHub(t), startHub(t), startHub(t)]);
  const { name: onward } = await register(second, { url: at(third), ...quick() });
  const { name } = await register(first, { url: at(second), ...quick() });
  await postAll(first, from(1, 60));
  await first.restart('SIGKILL');
  await caughtUp(first, name);
  await caughtUp(second, onward);
  assert.deepEqual((await events(third)).map((one) => one.id), from(1, 60).map(id));
});

test('two hubs that register each other do not pass an event round and round', async (t) => {
  const [first, second] = await Promise.all([startHub(t), startHub(t)]);
  const { name: there } = await register(first, { url: at(second), ...quick() });
  const { name: back } = await register(second, { url: at(first), ...quick() });
  await postAll(first, [1, 2]);
  await postAll(second, [3]);
  for (let turn = 0; turn < 3; turn++) {
    await caughtUp(first, there);
    await caughtUp(second, back);
  }
  const ids = async (hub) => (await events(hub)).map((one) => one.id).sort();
  assert.deepEqual(await ids(first), from(1, 3).map(id));
  assert.deepEqual(await ids(second), from(1, 3).map(id));
});

test('a hub does not call itself, and says so', async (t) => {
  const hub = await startHub(t);
  const { name, index, listeners } = await register(hub, { url: at(hub) });
  assert.match(index.error, /blocked_address/);
  assert.deepEqual(listeners, []);
  await postAll(hub, [1, 2]);
  assert.equal((await show(hub, name)).lag, 2);
  assert.equal((await events(hub)).length, 2);
});

test('a closed hub is registered with a token as password; without it, it says so', async (t) => {
  const first = await startHub(t);
  const { hub: second, makePolicy, makeToken } = await startClosedHub(t);
  await makePolicy('agent', 'event_prefix "" { policy = "write" }');
  const { secret } = await makeToken('agent');
  const { name: refused } = await register(first, { name: 'refused', url: at(second), ...quick('20ms') });
  await post(first, event(1));
  await caughtUp(first, refused);
  assert.match((await show(first, refused)).last_error, /401/);
  await remove(first, refused);
  const { name } = await register(first, { url: at(second), basic: { username: 'belfry', password: secret }, ...quick() });
  await post(first, event(2));
  await caughtUp(first, name);
  const { events: [stored, ...more] } = await second.call('GET', '/api/v1/events', undefined, bearer(secret));
  assert.deepEqual([stored.id, more.length], [id(2), 0]);
});
