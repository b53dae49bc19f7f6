// Belfry as the agent of an extension that was made with the kit: the example, which turns events into lines of a file.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { makeAuthority } from '../certificates.mjs';
import { startExample, startGated } from '../eventkit/kit.mjs';
import { eventually, startHub, temporaryDirectory } from '../hub.mjs';
import { attempts, caughtUp, event, from, hasty, post, postAll, quick, refresh, registered, show, states } from './agent.mjs';

const lineCount = (kit, count) => eventually(`${count} lines`, async () => (await kit.lines()).length >= count && kit.lines());
const namesOf = async (kit) => (await kit.lines()).map(({ name }) => name);

test('the example is registered, and each event of a run is a line of its own, those of others, too', async (t) => {
  const hub = await startHub(t);
  const kit = await startExample(t);
  const { name, index, listeners } = await registered(hub, kit, quick());
  assert.equal(index.error ?? null, null);
  assert.deepEqual(new Set(listeners.map(({ state }) => state)), new Set(['active']));
  assert.deepEqual(states(await show(hub, name))['/events/all'], 'active');
  const run = ['killswitch.engaged', 'experiment.execution.step-started', 'experiment.execution.step-completed', 'killswitch.disengaged', 'user.invited'];
  for (const [place, eventName] of run.entries()) await post(hub, event(place + 1, eventName));
  await hub.publish('deploy', '{"version":3}');
  await caughtUp(hub, name);
  const lines = await kit.lines();
  assert.deepEqual(lines.map((line) => line.name), [...run, 'deploy']);
  assert.equal(lines[0].principal, 'user tom.mason');
  assert.equal(lines[1].what, 'ADM-4/34');
  assert.equal(lines.at(-1).principal, 'batch_job belfry');
  assert.deepEqual(await attempts(hub, name, 'failed'), []);
});

test('targets find the step that the hub delivered before, though the example was restarted meanwhile', async (t) => {
  const hub = await startHub(t, '--set', 'circuit.probe_interval=20ms');
  const directory = await temporaryDirectory(t);
  const where = path.join(directory, 'example.sock');
  const kit = await startExample(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: where, STEADYBIT_EXTENSION_STEP_CACHE_FILE: path.join(directory, 'steps') });
  const { name } = await registered(hub, kit, quick());
  const step = JSON.parse(event(1, 'experiment.execution.step-started'));
  step.experimentStepExecution.customLabel = 'stop web';
  await post(hub, JSON.stringify(step));
  await caughtUp(hub, name);
  await kit.stop();
  await post(hub, event(2, 'experiment.execution.target-completed'));
  await kit.start();
  await caughtUp(hub, name);
  // One line by the listener of all, which does not ask for steps, one by that of targets.
  const targets = (await kit.lines()).filter((line) => line.name === 'experiment.execution.target-completed');
  assert.deepEqual(targets.map((line) => line.step).sort(), ['-', 'stop web']);
});

test('the ETag of the example is kept by the hub, and a restart of it is noticed', async (t) => {
  const hub = await startHub(t);
  const kit = await startExample(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: path.join(await temporaryDirectory(t), 'x.sock') });
  const { name, index } = await registered(hub, kit, quick());
  assert.match(index.etag, /\S/);
  assert.equal((await refresh(hub, name)).index.etag, index.etag);
  await kit.restart();
  const { index: later, listeners } = await refresh(hub, name);
  assert.notEqual(later.etag, index.etag);
  assert.ok(listeners.every(({ state }) => state === 'active'));
});

test('the example is called over a Unix socket', async (t) => {
  const hub = await startHub(t);
  const socket = path.join(await temporaryDirectory(t), 'run', 'example.sock');
  const kit = await startExample(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: socket });
  const { name } = await registered(hub, kit, quick());
  await postAll(hub, from(1, 20));
  await caughtUp(hub, name);
  assert.deepEqual(await namesOf(kit), Array(20).fill('killswitch.engaged'));
});

test('the example is called over TLS with a client certificate, and not without', async (t) => {
  const hub = await startHub(t);
  const authority = await makeAuthority(await temporaryDirectory(t), 'a');
  const [own, client] = [await authority.issue('server', 'DNS:localhost,IP:127.0.0.1'), await authority.issue('client', 'DNS:belfry')];
  const kit = await startExample(t, {
    STEADYBIT_EXTENSION_TLS_SERVER_CERT: own.certificate,
    STEADYBIT_EXTENSION_TLS_SERVER_KEY: own.key,
    STEADYBIT_EXTENSION_TLS_CLIENT_CAS: authority.certificate,
  });
  const tls = { ca: authority.certificate };
  const { index, name: refused } = await registered(hub, kit, { name: 'refused', tls, ...quick() });
  assert.match(index.error, /certificate|tls|handshake/i);
  await hub.call('DELETE', `/api/v1/extensions/${refused}`);
  const { name } = await registered(hub, kit, { tls: { ...tls, cert: client.certificate, key: client.key }, ...quick() });
  await postAll(hub, from(1, 20));
  await caughtUp(hub, name);
  assert.equal((await kit.lines()).length, 20);
});

test('an example that is killed and started again misses nothing', async (t) => {
  const hub = await startHub(t, '--set', 'circuit.probe_interval=20ms');
  const kit = await startExample(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: path.join(await temporaryDirectory(t), 'x.sock') });
  const { name } = await registered(hub, kit, quick());
  const made = (number) => event(number, `number.${number}`);
  for (const number of from(1, 30)) {
    await post(hub, made(number));
    if (number % 10 === 5) await kit.restart('SIGKILL');
  }
  await caughtUp(hub, name);
  const names = await namesOf(kit);
  assert.deepEqual([...new Set(names)], from(1, 30).map((number) => `number.${number}`), 'in order, each once or again after a kill');
  assert.ok(names.length <= 33, `${names.length} lines`);
});

test('a handler that outlives the time of its call is not called again beside itself, and its event is settled once', async (t) => {
  const hub = await startHub(t, '--set', 'circuit.probe_interval=20ms');
  const kit = await startGated(t);
  const { name } = await registered(hub, kit, hasty);
  await post(hub, event(1));
  await eventually('the first call was cut', async () => (await attempts(hub, name)).length > 1);
  await kit.openGate();
  await caughtUp(hub, name);
  assert.equal((await kit.lines()).length, 1);
});

test('an example whose queue is full has every event in the end', async (t) => {
  const hub = await startHub(t, '--set', 'circuit.probe_interval=20ms');
  const kit = await startGated(t, { STEADYBIT_EXTENSION_ASYNCHRONOUS: 'true', STEADYBIT_EXTENSION_QUEUE_EVENTS: '2', STEADYBIT_EXTENSION_WORKERS: '1' });
  const { name } = await registered(hub, kit, { delivery: { retry: Array(50).fill('100ms') } });
  const made = (number) => event(number, `number.${number}`);
  for (const number of from(1, 12)) await post(hub, made(number));
  await eventually('the queue was full', async () => (await attempts(hub, name)).some(({ status }) => status === 503));
  assert.ok((await show(hub, name)).lag > 0);
  await kit.openGate();
  await caughtUp(hub, name);
  await lineCount(kit, 12);
  assert.deepEqual(await namesOf(kit), from(1, 12).map((number) => `number.${number}`));
});
