// The asynchronous mode of programs made with the kit.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from '../hub.mjs';
import { event, from } from '../steadybit/agent.mjs';
import { startGated, startScripted } from './kit.mjs';

const asynchronous = (more = {}) => ({ STEADYBIT_EXTENSION_ASYNCHRONOUS: 'true', ...more });
// Events of one execution, told apart by their reason.
function named(number) {
  const body = JSON.parse(event(number, 'experiment.execution.created'));
  body.experimentExecution.reason = `number ${number}`;
  return JSON.stringify(body);
}
const name = (number) => `number ${number}`;
const namesOf = async (kit) => (await kit.lines()).map(({ reason }) => reason);

test('eventkit 49: the answer does not wait for the handler, and every event that was answered 200 is handled, those of an execution in order', async (t) => {
  const kit = await startGated(t, asynchronous({ STEADYBIT_EXTENSION_QUEUE_EVENTS: '100' }));
  for (const number of from(1, 20)) await kit.send(named(number));
  await kit.openGate();
  await eventually('all lines', async () => (await kit.lines()).length === 20);
  assert.deepEqual(await namesOf(kit), from(1, 20).map(name));
});

test('eventkit 49: a full queue answers 503 with Retry-After and takes nothing silently', async (t) => {
  const kit = await startGated(t, asynchronous({ STEADYBIT_EXTENSION_QUEUE_EVENTS: '5' }));
  const taken = [];
  const refused = [];
  for (const number of from(1, 30)) {
    const answer = await kit.call(named(number));
    assert.ok([200, 503].includes(answer.status), answer.text);
    if (answer.status === 503) assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
    (answer.status === 200 ? taken : refused).push(number);
  }
  assert.ok(taken.length >= 5 && taken.length <= 5 + 4, `${taken.length} were taken, beside 5 that wait 4 workers have one each`);
  await kit.openGate();
  await eventually('what was taken', async () => (await kit.lines()).length === taken.length);
  for (const number of refused) await eventually('there is room', async () => (await kit.call(named(number))).status === 200);
  await eventually('what was sent again', async () => (await kit.lines()).length === 30);
  assert.deepEqual((await namesOf(kit)).sort(), from(1, 30).map(name).sort());
});

test('eventkit 49: a queue of large events is full before it fills the memory', async (t) => {
  const kit = await startGated(t, asynchronous());
  const large = (number) => named(number).replace(/}$/, `,"more":"${'x'.repeat(3 << 20)}"}`);
  for (const number of from(1, 5)) await kit.send(large(number));
  const refused = await kit.call(large(6));
  assert.equal(refused.status, 503);
  assert.match(refused.headers['retry-after'], /^[1-9]\d*$/);
  await kit.send(named(7));
  await kit.openGate();
  await eventually('there is room', async () => (await kit.call(large(6))).status === 200);
  await eventually('all lines', async () => (await kit.lines()).length === 7);
  assert.deepEqual((await namesOf(kit)).sort(), from(1, 7).map(name));
});

test('eventkit 49: an event that comes again while it waits is answered 200 and handled once', async (t) => {
  const kit = await startGated(t, asynchronous({ STEADYBIT_EXTENSION_QUEUE_EVENTS: '2', STEADYBIT_EXTENSION_WORKERS: '1' }));
  for (const number of [1, 2, 1, 2, 1, 2]) await kit.send(named(number));
  await kit.openGate();
  await eventually('both lines', async () => (await kit.lines()).length === 2);
  await kit.send(named(3));
  await eventually('the third', async () => (await kit.lines()).length >= 3);
  assert.deepEqual(await namesOf(kit), from(1, 3).map(name));
});

test('eventkit 49: the queue is drained at SIGTERM, then the process exits 0', async (t) => {
  const kit = await startGated(t, asynchronous({ STEADYBIT_EXTENSION_QUEUE_EVENTS: '100', STEADYBIT_EXTENSION_DRAIN_TIME: '60s' }));
  for (const number of from(1, 50)) await kit.send(named(number));
  const stopped = kit.stop();
  await eventually('it accepts nobody', () => kit.ask('GET', '/').then(() => false, (error) => error.code === 'ECONNREFUSED'));
  await kit.openGate();
  assert.equal(await stopped, 0);
  assert.deepEqual(await namesOf(kit), from(1, 50).map(name));
});

test('eventkit 49: what is malformed is still refused at once, and a handler that fails is told in the log', async (t) => {
  const kit = await startScripted(t, asynchronous());
  const wrong = await kit.call('{"id":"x"}', '/twice');
  assert.equal(wrong.status, 500);
  await kit.send(event(1), '/error');
  await eventually('the log says it', () => /downstream is away/.test(kit.log));
  await kit.send(event(2), '/throw');
  await eventually('the log says it', () => /out of luck/.test(kit.log));
  await kit.send(event(3), '/twice');
});
