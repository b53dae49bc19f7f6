// Belfry as the agent: which events reach which listener.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHub } from '../hub.mjs';
import { caughtUp, event, id, number, post, registered } from './agent.mjs';
import { on, startExtension } from './extension.mjs';

test('steadybit 14: names match exactly, and * matches every name', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, {
    listeners: [
      on('/all', '*'),
      on('/exact', 'experiment.execution.step-started', 'experiment.execution.created'),
      on('/short', 'experiment.execution.step'),
      on('/case', 'Experiment.Execution.Created', 'KILLSWITCH.ENGAGED'),
      on('/glob', 'experiment.*', 'experiment.execution.*', 'killswitch*'),
    ],
  });
  const { name } = await registered(hub, extension);
  const execution = ['step-started', 'created', 'step-started2'].map((name) => `experiment.execution.${name}`);
  const names = [...execution, 'killswitch.engaged', 'user.invited', 'never.heard.of'];
  for (const [place, eventName] of names.entries()) await post(hub, event(place + 1, eventName));
  await caughtUp(hub, name);
  const at = (path) => extension.calls.filter((call) => call.path === path).map((call) => call.event.eventName);
  assert.deepEqual(at('/all'), names);
  assert.deepEqual(at('/exact'), names.slice(0, 2));
  for (const path of ['/short', '/case', '/glob']) assert.deepEqual(at(path), [], path);
});

test('steadybit 15: a listener that names an event twice is called once', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [on('/both', '*', 'killswitch.engaged'), on('/twice', 'killswitch.engaged', 'killswitch.engaged')] });
  const { name } = await registered(hub, extension);
  await post(hub, event(1));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(({ path }) => path).sort(), ['/both', '/twice']);
});

test('steadybit 15: two listeners on one path are two', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [on('/same', '*'), on('/same', 'killswitch.engaged')] });
  const { name } = await registered(hub, extension);
  await post(hub, event(1));
  await post(hub, event(2, 'user.invited'));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number).sort(), [1, 1, 2]);
});

test('steadybit 16: events that nobody listens to pass by without a call', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [on('/one', 'user.invited')] });
  const { name } = await registered(hub, extension, { profile: { poll: { interval: '100ms', limit: 2 } } });
  for (let count = 1; count <= 20; count++) await post(hub, event(count));
  await post(hub, event(21, 'user.invited'));
  const { offset } = await caughtUp(hub, name);
  assert.equal(offset, 21);
  assert.deepEqual(extension.calls.map(number), [21]);
});

test('steadybit 17: leader and any are called by a hub that is alone', async (t) => {
  const hub = await startHub(t);
  const restricted = (restrictTo) => ({ ...on(`/${restrictTo}`, '*'), restrictTo });
  const extension = await startExtension(t, { listeners: ['leader', 'any', 'LEADER', 'Any'].map(restricted) });
  const { name } = await registered(hub, extension);
  await post(hub, event(1));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(({ path }) => path).sort(), ['/Any', '/LEADER', '/any', '/leader']);
});

test('steadybit 17: aws is called only by a hub in that mode', async (t) => {
  const listeners = [on('/all', '*'), { ...on('/aws', '*'), restrictTo: 'aws' }];
  const warning = 'only hubs with steadybit.agent_mode aws call it, which this one is not';
  for (const [settings, paths, warned] of [[[], ['/all'], warning], [['--set', 'steadybit.agent_mode=aws'], ['/all', '/aws']]]) {
    const hub = await startHub(t, ...settings);
    const extension = await startExtension(t, { listeners });
    const { name, listeners: shown } = await registered(hub, extension);
    assert.deepEqual(shown.map((listener) => listener.warning), [undefined, warned]);
    await post(hub, event(1));
    await caughtUp(hub, name);
    assert.deepEqual(extension.calls.map(({ path }) => path).sort(), paths);
  }
});

test('steadybit 19: a listener restricted to what nobody knows is refused with a reason', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, {
    listeners: [on('/all', '*'), { ...on('/moon', '*'), restrictTo: 'moon' }, { ...on('/seven', '*'), restrictTo: 7 }],
  });
  const { name, listeners } = await registered(hub, extension);
  assert.deepEqual(listeners.map(({ state }) => state), ['active', 'refused', 'refused']);
  assert.match(listeners[1].reason, /restrictTo.*(leader|moon)/);
  assert.match(listeners[2].reason, /restrictTo/);
  await post(hub, event(1));
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(({ path, event: { id: got } }) => [path, got]), [['/all', id(1)]]);
});
