// Belfry as the agent, in the profile that the documentation of Steadybit describes: a number of events in every
// interval, and no event between them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHub } from '../hub.mjs';
import { attempts, caughtUp, event, from, number, post, postAll, postTogether, quick, registered, show } from './agent.mjs';
import { failure, on, startExtension } from './extension.mjs';

const all = on('/events/all', '*');
const poll = (interval, limit) => ({ profile: { poll: { interval, limit } } });

// How many calls came together, when the longest pauses lie between `count` groups of them.
function groups(calls, count) {
  const pauses = calls.slice(1).map(({ at }, place) => ({ ms: at - calls[place].at, end: place + 1 }));
  const longest = pauses.sort((a, b) => b.ms - a.ms).slice(0, count - 1);
  const ends = [...longest.map(({ end }) => end).sort((a, b) => a - b), calls.length];
  return ends.map((end, place) => end - (ends[place - 1] ?? 0));
}

test('steadybit 23: an event waits for an interval at most, and the interval is what was set', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name, profile } = await registered(hub, extension, poll('600ms', 1));
  assert.deepEqual(profile, { poll: { interval: '600ms', limit: 1 } });
  await postTogether(hub, from(1, 4));
  await caughtUp(hub, name);
  // By the clock of the hub, because a call may be noticed late; the first may have come late in its interval.
  const times = (await attempts(hub, name)).map(({ at }) => Date.parse(at)).reverse();
  assert.equal(times.length, 4);
  assert.ok(times[3] - times[0] > 1100, `${times[3] - times[0]} ms for two whole intervals`);
  const pauses = times.slice(1).map((at, place) => at - times[place]);
  assert.ok(Math.min(...pauses) < 3000, `${pauses} ms: a machine that stands still makes one longer, but not each`);
  for (const count of from(5, 7)) {
    await new Promise((resume) => setTimeout(resume, (count - 5) * 350)); // early, in the middle and late in an interval
    await post(hub, event(count));
    await extension.received(count);
  }
  assert.deepEqual(extension.calls.map(number), from(1, 7));
});

test('steadybit 23: the profile without numbers is every 5 s, 50 events at most', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name, profile } = await registered(hub, extension, { profile: { poll: {} } });
  assert.deepEqual(profile, { poll: { interval: '5s', limit: 50 } });
  assert.deepEqual((await show(hub, name)).profile, profile);
});

test('steadybit 24: 120 events leave as 50, 50, 20, oldest first', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension, poll('8s', 50));
  await postTogether(hub, from(1, 120));
  await caughtUp(hub, name);
  const { calls } = extension;
  assert.deepEqual(calls.map(number), from(1, 120));
  assert.deepEqual(groups(calls, 3), [50, 50, 20]);
  const interval = calls[100].at - calls[50].at;
  assert.ok(interval > 2000, `${interval} ms of 8,000`);
});

test('steadybit 24: the limit counts events that a listener wants, however many want them', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [on('/one', 'killswitch.engaged'), on('/two', 'killswitch.engaged')] });
  const { name } = await registered(hub, extension, poll('2s', 3));
  for (const first of [1, 21, 41, 61]) {
    await postTogether(hub, from(first, first + 9), 'made.up');
    await postTogether(hub, [first + 10, first + 11]);
  }
  const { offset } = await caughtUp(hub, name);
  assert.equal(offset, 48);
  assert.deepEqual(extension.calls.map(number), [11, 12, 31, 32, 51, 52, 71, 72].flatMap((count) => [count, count]));
  const took = extension.calls[15].at - extension.calls[0].at;
  assert.ok(took > 500 && took < 20_000, `${took} ms; with the others counted it would be 16 intervals`);
});

test('steadybit 25: a retry that is due goes before what comes after it', async (t) => {
  const hub = await startHub(t);
  let failures = 0;
  const extension = await startExtension(t, {
    listeners: [all],
    handlers: { '/events/all': (call) => (number(call) === 2 && failures++ < 2 ? failure('not yet', 'wait') : undefined) },
  });
  const { name } = await registered(hub, extension, { ...poll('500ms', 4), ...quick() });
  await postTogether(hub, from(1, 6));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number), [1, 2, 2, 2, 3, 4, 5, 6]);
});

test('a poll that takes longer than the interval loses and doubles nothing', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, {
    listeners: [all],
    handlers: { '/events/all': () => new Promise((resolve) => setTimeout(resolve, 40)) },
  });
  const { name } = await registered(hub, extension, poll('100ms', 10));
  await postAll(hub, from(1, 30));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number), from(1, 30));
  assert.equal(extension.mostUnderWay, 1);
});

test('both profiles stand beside each other', async (t) => {
  const hub = await startHub(t);
  const pushed = await startExtension(t, { listeners: [all] });
  const polled = await startExtension(t, { listeners: [all] });
  await registered(hub, pushed, { name: 'a' });
  await registered(hub, polled, { name: 'b', ...poll('5m', 50) });
  await postAll(hub, [1, 2]);
  await pushed.received(2);
  const listed = (await hub.call('GET', '/api/v1/extensions')).extensions;
  assert.deepEqual(listed.map(({ profile }) => profile), ['push', { poll: { interval: '5m', limit: 50 } }]);
  await caughtUp(hub, 'a');
  assert.ok(polled.calls.length === 0 || polled.calls.length === 2, 'one interval at most');
});
