// Belfry as the agent, killed and started again: what was under way comes again with the same id, nothing is lost.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startHub } from '../hub.mjs';
import {
  attempts, caughtUp, deadLetters, event, from, id, number, post, postAll, postTogether, quick, refresh, registered, show, states,
} from './agent.mjs';
import { failure, hang, on, startExtension } from './extension.mjs';

const all = on('/events/all', '*');

test('steadybit 33: a hub that is killed between call and settlement calls again with the same id and bytes', async (t) => {
  const hub = await startHub(t);
  let answers = false;
  const handlers = { '/events/all': () => (answers ? undefined : hang) };
  const extension = await startExtension(t, { listeners: [all, on('/fine', '*')], handlers });
  const { name } = await registered(hub, extension, { delivery: { timeout: '30s' } });
  await postAll(hub, from(1, 5));
  await hub.publish('deploy', 'a made body');
  await extension.received(2);
  assert.deepEqual(new Set(extension.ids()), new Set([id(1)]));
  answers = true;
  await hub.restart('SIGKILL');
  await caughtUp(hub, name);
  const hung = extension.calls.filter(({ path }) => path === '/events/all');
  assert.deepEqual(hung.slice(0, 2).map(({ body }) => body), [event(1), event(1)]);
  assert.deepEqual(hung.slice(2, 6).map(number), from(2, 5));
  assert.deepEqual(hung[6].event.eventName, 'deploy');
  const fine = extension.calls.filter(({ path }) => path === '/fine');
  assert.deepEqual([...new Set(fine.map(({ event: { id: got } }) => got))].slice(0, 5), from(1, 5).map(id));
});

test('steadybit 33: killed again and again in the middle of deliveries, a hub loses nothing', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const polled = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  const { name: second } = await registered(hub, polled, { profile: { poll: { interval: '100ms', limit: 20 } } });
  for (const round of [0, 1, 2]) {
    await postTogether(hub, from(round * 100 + 1, round * 100 + 100));
    await extension.received(round * 100 + 30);
    await hub.restart('SIGKILL');
  }
  await caughtUp(hub, name);
  await caughtUp(hub, second);
  for (const { calls } of [extension, polled]) {
    assert.deepEqual([...new Set(calls.map(number))].sort((a, b) => a - b), from(1, 300));
    for (const call of calls) assert.deepEqual(call.event, JSON.parse(event(number(call))));
  }
});

test('steadybit 33: a hub that is asked to stop does not call twice', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  await postTogether(hub, from(1, 200));
  await extension.received(20);
  assert.equal(await hub.stop(), 0);
  await hub.start();
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number), from(1, 200));
});

test('an extension with its credentials, cursor and listeners outlives the hub', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const before = await registered(hub, extension, { name: 'kept', basic: { username: 'agent', password: 'hunter2hunter2' }, ...quick() });
  await postAll(hub, [1, 2]);
  await caughtUp(hub, 'kept');
  await hub.stop();
  await extension.stop();
  await hub.start();
  await post(hub, event(3));
  const kept = await show(hub, 'kept');
  assert.deepEqual([kept.url, kept.profile, kept.lag, kept.index.etag], [before.url, before.profile, 1, extension.etag]);
  assert.deepEqual(kept.listeners, before.listeners);
  await extension.start();
  await caughtUp(hub, 'kept');
  assert.equal(extension.calls.at(-1).headers.authorization, `Basic ${Buffer.from('agent:hunter2hunter2').toString('base64')}`);
  assert.equal(extension.calls.map(number).at(-1), 3);
});

test('steadybit 7: the last good listeners are called after a restart, though the index fails', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all, on('/narrow', 'deploy')] });
  const { name, listeners } = await registered(hub, extension, quick());
  extension.indexAnswer = () => ({ status: 500 });
  for (const [signal, count] of [['SIGTERM', 1], ['SIGKILL', 2]]) {
    await hub.restart(signal);
    await post(hub, event(count));
    await caughtUp(hub, name);
    const shown = await eventually('the failure is shown', async () => {
      const now = await show(hub, name);
      return now.index.error && now;
    });
    assert.match(shown.index.error, /500/);
    assert.deepEqual(shown.listeners, listeners);
  }
  extension.indexAnswer = undefined;
  await refresh(hub, name);
  assert.equal(extension.indexes.at(-1).headers['if-none-match'], extension.etag, 'the ETag outlived it, too');
  assert.deepEqual([...new Set(extension.calls.map((call) => `${call.path} ${number(call)}`))], ['/events/all 1', '/events/all 2']);
});

test('a 410 refuses a listener over a restart, until the index changes', async (t) => {
  const hub = await startHub(t);
  const handlers = { '/gone': () => ({ status: 410 }) };
  const extension = await startExtension(t, { listeners: [all, on('/gone', '*')], handlers });
  const { name } = await registered(hub, extension, quick());
  await post(hub, event(1));
  await caughtUp(hub, name);
  const gone = () => extension.calls.filter(({ path }) => path === '/gone').map(number);
  const { listeners } = await show(hub, name);
  assert.match(listeners[1].reason, /410/);
  for (const [signal, count] of [['SIGTERM', 2], ['SIGKILL', 3]]) {
    await hub.restart(signal);
    await refresh(hub, name);
    await post(hub, event(count));
    await caughtUp(hub, name);
    assert.deepEqual((await show(hub, name)).listeners, listeners);
  }
  assert.deepEqual(gone(), [1]);
  assert.equal((await deadLetters(hub, name)).length, 1);
  delete extension.handlers['/gone'];
  extension.change(extension.listeners);
  await hub.restart('SIGTERM');
  await refresh(hub, name);
  await post(hub, event(4));
  await caughtUp(hub, name);
  assert.deepEqual(gone(), [1, 4]);
});

test('an extension that was removed leaves nothing to a restart or to the next of its name', async (t) => {
  const hub = await startHub(t);
  const first = await startExtension(t, { listeners: [all] });
  const second = await startExtension(t, { listeners: [all] });
  await registered(hub, first, { name: 'one', ...quick() });
  await hub.call('DELETE', '/api/v1/extensions/one');
  await second.stop();
  const { listeners } = await registered(hub, second, { name: 'one', ...quick() });
  assert.deepEqual(listeners, []);
  await hub.restart('SIGKILL');
  assert.deepEqual((await show(hub, 'one')).listeners, []);
  await post(hub, event(1));
  await second.start();
  await refresh(hub, 'one');
  await caughtUp(hub, 'one');
  assert.deepEqual([first.calls.length, second.calls.map(number)], [0, [1]]);
});

test('failed attempts and dead letters of a listener outlive the hub', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all], handlers: { '/events/all': () => failure('no', 'never') } });
  const { name } = await registered(hub, extension, quick('20ms', '20ms'));
  await post(hub, event(1));
  const at = `/api/v1/dead-letters?subscription=${encodeURIComponent(`steadybit/${name}`)}`;
  const letters = async () => (await hub.call('GET', at)).dead_letters;
  const before = await eventually('a dead letter', async () => (await letters()).length === 1 && letters());
  await caughtUp(hub, name);
  await hub.restart('SIGTERM');
  assert.deepEqual(await letters(), before);
  assert.match(JSON.stringify(before), /never/);
  assert.equal((await attempts(hub, name)).length, 3);
});
