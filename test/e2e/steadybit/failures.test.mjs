// Belfry as the agent: extensions that are slow, away, wrong or on the way back, and their neighbours.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, patienceMs, startHub } from '../hub.mjs';
import { startListener } from '../listener.mjs';
import { attempts, caughtUp, deadLetters, event, from, hasty, id, number, post, postAll, quick, refresh, registered, show, states } from './agent.mjs';
import { failure, hang, on, redirect, reset, startExtension } from './extension.mjs';

const all = on('/events/all', '*');
const probes = ['--set', 'circuit.probe_interval=20ms'];
const answering = (handler, more = {}) => ({ listeners: [all], handlers: { '/events/all': handler }, ...more });

test('three extensions of different behaviour each get every event, the good one while another fails', async (t) => {
  const hub = await startHub(t, ...probes);
  const good = await startExtension(t, answering(() => undefined));
  const slow = await startExtension(t, answering(() => new Promise((resolve) => setTimeout(resolve, 50))));
  let well = false;
  const failing = await startExtension(t, answering(() => (well ? undefined : failure('Failed to send', 'downstream is away'))));
  const names = [];
  for (const extension of [good, slow, failing]) names.push((await registered(hub, extension, quick(...Array(50).fill('100ms')))).name);
  await postAll(hub, from(1, 20));
  await good.received(20);
  await failing.received(2);
  assert.deepEqual(new Set(failing.ids()), new Set([id(1)]), 'order: the first holds up the others');
  assert.equal((await show(hub, names[0])).lag, 0);
  assert.equal((await show(hub, names[2])).lag, 20);
  well = true;
  for (const name of names) await caughtUp(hub, name);
  assert.deepEqual(good.calls.map(number), from(1, 20));
  assert.deepEqual(slow.calls.map(number), from(1, 20));
  assert.deepEqual([...new Set(failing.calls.map(number))], from(1, 20));
});

test('three listeners of one extension, good, slow and failing, each get every event in order', async (t) => {
  const hub = await startHub(t);
  let failures = 0;
  const handlers = {
    '/slow': () => new Promise((resolve) => setTimeout(resolve, 20)),
    '/failing': (call) => (number(call) < 4 && failures++ < 6 ? failure('Failed to send', 'downstream is away') : undefined),
  };
  const extension = await startExtension(t, { listeners: ['/good', '/slow', '/failing'].map((path) => on(path, '*')), handlers });
  const { name } = await registered(hub, extension, quick());
  await postAll(hub, from(1, 10));
  await caughtUp(hub, name);
  const at = (path) => extension.calls.filter((call) => call.path === path).map(number);
  assert.deepEqual([at('/good'), at('/slow')], [from(1, 10), from(1, 10)], 'who has an event is not asked again');
  assert.equal(at('/failing').length, 16);
  assert.deepEqual([...new Set(at('/failing'))], from(1, 10));
  const numbers = extension.calls.map(number);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
  assert.deepEqual(await deadLetters(hub, name), []);
});

test('steadybit 26: a listener that is too slow is cut off and tried again, others are not delayed', async (t) => {
  const hub = await startHub(t, ...probes);
  let awake = false;
  const sleeper = await startExtension(t, answering((call) => {
    delete call.headers['request-timeout']; // this one does not look at it
    return awake ? undefined : hang;
  }));
  const good = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, sleeper, hasty);
  const { name: other } = await registered(hub, good);
  await postAll(hub, from(1, 5));
  await caughtUp(hub, other);
  assert.deepEqual([...new Set(sleeper.calls.map(number))], [1], 'the good one had all while the first of the slow one hung');
  await sleeper.received(2);
  assert.notEqual(await sleeper.calls[0].cut, 0, 'it was not answered');
  const { duration_ms: took, error } = (await attempts(hub, name, 'failed')).at(-1);
  assert.ok(took > 900 && took < patienceMs, `cut after ${took} ms of 1,000`);
  assert.match(error, /timeout|time/i);
  awake = true;
  await caughtUp(hub, name);
  assert.deepEqual([...new Set(sleeper.calls.map(number))], from(1, 5));
});

test('steadybit 29: title and detail of a 500 are in the attempts; after the schedule it is a dead letter and the next goes on', async (t) => {
  const hub = await startHub(t);
  const poison = (call) => (number(call) === 2 ? failure('Failed to decode event request body', 'invalid memory address') : undefined);
  const extension = await startExtension(t, { ...answering(poison), listeners: [all, on('/fine', '*')] });
  const { name } = await registered(hub, extension, quick('20ms', '20ms'));
  await postAll(hub, [1, 2, 3]);
  await caughtUp(hub, name);
  const at = (path) => extension.calls.filter((call) => call.path === path).map(number);
  assert.deepEqual([at('/events/all'), at('/fine')], [[1, 2, 2, 2, 3], [1, 2, 3]]);
  const failed = await attempts(hub, name, 'failed');
  assert.ok(failed.length > 0);
  for (const { status, error, response } of failed) {
    assert.equal(status, 500);
    const text = `${error} ${response}`;
    assert.ok(text.includes('Failed to decode event request body') && text.includes('invalid memory address'), text);
  }
  const [letter, ...more] = await deadLetters(hub, name);
  assert.deepEqual(more, []);
  assert.deepEqual([letter.listener, letter.reason, letter.event.id], ['/events/all', 'exhausted', id(2)]);
  assert.ok(JSON.stringify(letter.attempts).includes('invalid memory address'));
  assert.ok((await show(hub, name)).last_error.includes('Failed to decode'), 'it is in the status');
});

test('steadybit 29: a listener that is away makes dead letters of its own, the others of its extension get every event', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, {
    listeners: [all, on('/away', '*')],
    handlers: { '/away': () => ({ status: 503, headers: {}, body: '' }) },
  });
  const { name } = await registered(hub, extension, quick(...Array(6).fill('20ms')));
  await postAll(hub, from(1, 3));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.filter(({ path }) => path === all.path).map(number), from(1, 3));
  assert.deepEqual((await deadLetters(hub, name)).map(({ listener, reason }) => [listener, reason]),
    Array(3).fill(['/away', 'exhausted']));
});

test('steadybit 29: a dead letter that is replayed has the same bytes, for that listener alone', async (t) => {
  const hub = await startHub(t);
  let fixed = false;
  const extension = await startExtension(t, { ...answering(() => (fixed ? undefined : failure('no', 'never'))), listeners: [all, on('/fine', '*')] });
  const { name } = await registered(hub, extension, quick('20ms'));
  await post(hub, event(1));
  const [letter] = await eventually('a dead letter', async () => {
    const letters = await deadLetters(hub, name);
    return letters.length > 0 && letters;
  });
  fixed = true;
  const before = extension.calls.length;
  await hub.call('POST', `/api/v1/dead-letters/${letter.id}/replay`);
  await eventually('it is gone', async () => (await deadLetters(hub, name)).length === 0);
  const replayed = extension.calls.slice(before);
  assert.deepEqual(replayed.map(({ path, body }) => [path, body]), [['/events/all', event(1)]]);
});

test('steadybit 29: without other words a 500 is tried again after a second', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, answering(({}, count) => (count % 2 === 1 ? failure('no', 'not yet') : undefined)));
  const { name } = await registered(hub, extension);
  // A machine that stalls makes one of them late, but not each.
  for (let count = 1, waited = Infinity; waited > 3000; count++) {
    assert.ok(count <= 5, `${waited} ms`);
    await post(hub, event(count));
    await caughtUp(hub, name);
    const [first, second] = extension.calls.slice(-2);
    assert.deepEqual([first, second].map(number), [count, count]);
    waited = second.at - first.at;
    assert.ok(waited >= 750, `${waited} ms`);
  }
});

test('steadybit 30: a 503 by Request-Timeout is tried again', async (t) => {
  const hub = await startHub(t, ...probes);
  const extension = await startExtension(t, answering(({}, count) => (count === 1 ? new Promise((resolve) => setTimeout(resolve, 3000).unref()) : undefined)));
  const { name } = await registered(hub, extension, hasty);
  await post(hub, event(1));
  await caughtUp(hub, name);
  // Twice, but for a machine that stalls for a second in the second call.
  assert.ok(extension.calls.length >= 2);
  assert.deepEqual([...new Set(extension.calls.map(number))], [1]);
  const failed = await attempts(hub, name, 'failed');
  assert.ok(failed.length > 0);
  for (const { status, error } of failed) assert.ok(status === 503 || /time/i.test(error), `${status} ${error}`);
});

test('steadybit 30: Retry-After is waited for', async (t) => {
  const hub = await startHub(t);
  const late = { status: 429, headers: { 'Retry-After': '1' }, body: 'slow down' };
  const extension = await startExtension(t, answering(({}, count) => (count === 1 ? late : undefined)));
  const { name } = await registered(hub, extension, quick());
  await post(hub, event(1));
  await caughtUp(hub, name);
  const [first, second] = extension.calls;
  assert.ok(second.at - first.at >= 1000, `${second.at - first.at} ms`);
});

test('steadybit 30: refused connections and answers that end half way are tried again', async (t) => {
  const hub = await startHub(t, ...probes);
  const extension = await startExtension(t, answering(({}, count) => (count === 2 ? reset : undefined)));
  const { name } = await registered(hub, extension, quick());
  await post(hub, event(1));
  await extension.received(1);
  await post(hub, event(2));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number), [1, 2, 2]);
  await extension.stop();
  await postAll(hub, [3, 4]);
  await eventually('the refusal is shown', async () => /refused|connect/i.test((await show(hub, name)).last_error ?? ''));
  await extension.start();
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number), [1, 2, 2, 3, 4]);
});

test('steadybit 31: a redirect is never followed, and the failure names its target', async (t) => {
  const hub = await startHub(t);
  const elsewhere = await startListener(t);
  const { host } = new URL(elsewhere.url);
  const statuses = [301, 302, 303, 307, 308];
  const handlers = Object.fromEntries(statuses.map((status) => [`/${status}`, () => redirect(status, `${elsewhere.url}?key=hunter2secret`)]));
  handlers['/user'] = () => redirect(301, `http://someone:hunter2secret@${host}/`);
  const paths = Object.keys(handlers);
  const extension = await startExtension(t, { listeners: paths.map((path) => on(path, '*')), handlers });
  const { name } = await registered(hub, extension, quick('20ms'));
  await post(hub, event(1));
  const letters = await eventually('all are dead letters', async () => {
    const found = await deadLetters(hub, name);
    return found.length === paths.length && found;
  });
  assert.deepEqual(letters.map(({ listener }) => listener).sort(), paths.sort());
  assert.deepEqual(elsewhere.deliveries, []);
  const failed = await attempts(hub, name, 'failed');
  assert.ok(failed.length > 0);
  for (const { error } of failed) assert.equal(error.split(host).length - 1, statuses.length, error);
  assert.deepEqual(new Set(extension.calls.map(({ method }) => method)), new Set(['POST']));
  for (const text of [hub.log, JSON.stringify(failed), JSON.stringify(letters), JSON.stringify(await show(hub, name))]) {
    assert.ok(!text.includes('hunter2secret'), text);
  }
});

test('steadybit 32: a 200 that is the index again settles, with a warning', async (t) => {
  const hub = await startHub(t);
  // Advertised, but nobody serves it: the root of the mux answers.
  const extension = await startExtension(t, { listeners: [all, on('/events/off', '*')], unserved: ['/events/off'] });
  const { name } = await registered(hub, extension, quick());
  await post(hub, event(1));
  const shown = await caughtUp(hub, name);
  assert.deepEqual([extension.calls.length, extension.strays.length], [1, 1]);
  assert.match(JSON.stringify(shown), /path probably not served/);
  assert.match(hub.log, /path probably not served/);
  assert.deepEqual(await deadLetters(hub, name), []);
  assert.equal(shown.listeners.find(({ path }) => path === '/events/all').reason ?? null, null, 'its sibling is not suspected');
});

test('a 410 ends the calls of that listener until the index changes', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { ...answering(() => ({ status: 410 })), listeners: [all, on('/stays', '*')] });
  const { name } = await registered(hub, extension, quick());
  await postAll(hub, [1, 2]);
  const shown = await caughtUp(hub, name);
  assert.deepEqual(states(shown), { '/events/all': 'refused', '/stays': 'active' });
  assert.match(shown.listeners[0].reason, /410/);
  const at = (path) => extension.calls.filter((call) => call.path === path).map(number);
  assert.deepEqual([at('/events/all'), at('/stays')], [[1], [1, 2]]);
  const letters = await deadLetters(hub, name);
  assert.deepEqual(letters.map(({ listener, reason }) => [listener, reason]), [['/events/all', 'rejected']], 'it does not have the first');
  await refresh(hub, name);
  assert.equal(states(await show(hub, name))['/events/all'], 'refused', 'the index is the same');
  extension.handlers['/events/all'] = () => undefined;
  extension.change(extension.listeners);
  await refresh(hub, name);
  assert.equal(states(await show(hub, name))['/events/all'], 'active');
  await post(hub, event(3));
  await caughtUp(hub, name);
  assert.deepEqual([at('/events/all'), at('/stays')], [[1, 3], [1, 2, 3]]);
});

test('a listener that refuses an event does not make its siblings repeat it', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { ...answering(() => 400), listeners: [all, on('/fine', '*')] });
  const { name } = await registered(hub, extension, quick());
  await postAll(hub, [1, 2]);
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(({ path }) => path).sort(), ['/events/all', '/events/all', '/fine', '/fine']);
  const letters = await deadLetters(hub, name);
  assert.deepEqual(letters.map(({ listener, reason }) => [listener, reason]), Array(2).fill(['/events/all', 'rejected']));
});

test('an extension that dies right after its 200 has that event, and gets the others when it is back', async (t) => {
  const hub = await startHub(t, ...probes);
  const neighbour = await startExtension(t, { listeners: [all] });
  const dying = await startExtension(t, answering((call) => {
    if (number(call) === 2) call.dies = true;
    return undefined;
  }));
  const { name } = await registered(hub, dying, quick());
  const { name: other } = await registered(hub, neighbour);
  await postAll(hub, [1, 2]);
  await dying.received(2);
  assert.equal(await dying.calls[1].cut, 0, 'the 200 was sent whole');
  await dying.stop();
  await postAll(hub, [3, 4]);
  await caughtUp(hub, other);
  assert.deepEqual(neighbour.calls.map(number), from(1, 4));
  await eventually('its absence is shown', async () => /\S/.test((await show(hub, name)).last_error ?? ''));
  await dying.start();
  await caughtUp(hub, name);
  assert.deepEqual(dying.calls.map(number), from(1, 4));
});
