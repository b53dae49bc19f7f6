// What programs made with the kit remember: events that were handled, and the steps that targets belong to.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { eventually, temporaryDirectory } from '../hub.mjs';
import { event, from } from '../steadybit/agent.mjs';
import { startExample, startGated, startScripted } from './kit.mjs';

test('an event that was handled is answered 200 again without the handler, one that failed is handled again', async (t) => {
  const kit = await startExample(t, { STEADYBIT_EXTENSION_DEDUP_EVENTS: '100' });
  for (let again = 0; again < 3; again++) await kit.send(event(1));
  await kit.send(event(2));
  assert.equal((await kit.lines()).length, 2);
  const failing = await startScripted(t, { STEADYBIT_EXTENSION_DEDUP_EVENTS: '100' });
  assert.equal((await failing.call(event(1), '/first-fails')).status, 500);
  await failing.send(event(1), '/first-fails');
  await failing.send(event(1), '/first-fails');
  assert.equal((failing.log.match(/first-fails is called/g) ?? []).length, 2);
});

test('one event to two listeners is no repetition, and the oldest ids are forgotten first', async (t) => {
  const kit = await startExample(t, { STEADYBIT_EXTENSION_DEDUP_EVENTS: '3' });
  const execution = event(1, 'experiment.execution.completed');
  await kit.send(execution);
  await kit.send(execution, '/events/experiments', { method: 'PUT' });
  assert.equal((await kit.lines()).length, 2);
  for (const number of from(2, 5)) await kit.send(event(number));
  await kit.send(execution);
  assert.equal((await kit.lines()).length, 7);
});

test('an event that comes again while its handler is at work is not handled beside it', async (t) => {
  const kit = await startGated(t, { STEADYBIT_EXTENSION_DEDUP_EVENTS: '100' });
  const { answer, next } = await kit.outlived(event(1), '/events/all', { 'Request-Timeout': '0.2' });
  assert.equal(answer.status, 503);
  assert.equal(next.status, 503);
  assert.match(next.headers['retry-after'], /^[1-9]\d*$/);
  await kit.openGate();
  await eventually('its handler ended', async () => (await kit.call(event(1))).status === 200);
  assert.equal((await kit.lines()).length, 1);
});

const stepEvent = (label) => {
  const body = JSON.parse(event(1, 'experiment.execution.step-started'));
  body.experimentStepExecution.customLabel = label;
  return JSON.stringify(body);
};
const targetEvent = (number) => event(number, 'experiment.execution.target-completed');
const stepOf = async (kit) => (await kit.lines()).at(-1).step;

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`a target event finds its step after a restart by ${signal}`, async (t) => {
    const file = path.join(await temporaryDirectory(t), 'steps.json');
    const kit = await startExample(t, { STEADYBIT_EXTENSION_STEP_CACHE_FILE: file });
    await kit.send(targetEvent(2), '/events/targets');
    assert.equal(await stepOf(kit), '-', 'nobody has heard of it');
    await kit.send(stepEvent('stop "web"'));
    await kit.send(targetEvent(3), '/events/targets');
    assert.equal(await stepOf(kit), 'stop "web"');
    if (signal === 'SIGKILL') await eventually('the file is there', () => kit.restart(signal).then(() => true));
    else await kit.restart(signal);
    await kit.send(targetEvent(4), '/events/targets');
    assert.equal(await stepOf(kit), 'stop "web"');
  });
}

test('a step cache that is damaged is a warning and begins empty', async (t) => {
  const file = path.join(await temporaryDirectory(t), 'steps.json');
  await writeFile(file, '{"half": ');
  const kit = await startExample(t, { STEADYBIT_EXTENSION_STEP_CACHE_FILE: file });
  assert.match(kit.log, /steps\.json/);
  await kit.send(targetEvent(2), '/events/targets');
  assert.equal(await stepOf(kit), '-');
  await kit.send(stepEvent('stop web'));
  await kit.restart();
  await kit.send(targetEvent(3), '/events/targets');
  assert.equal(await stepOf(kit), 'stop web');
});
