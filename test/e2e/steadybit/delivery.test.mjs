// Belfry as the agent: what a call of a listener is, byte by byte, and in which order calls come.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newest } from '../eventkit/schema.mjs';
import { eventually, startHub } from '../hub.mjs';
import { attempts, caughtUp, deadLetters, event, from, id, number, post, postAll, postTogether, quick, registered, show } from './agent.mjs';
import { failure, on, startExtension } from './extension.mjs';

const all = on('/events/all', '*');
const isUuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

test('steadybit 20: one request for each event and listener, with the same bytes on every listener and retry', async (t) => {
  const hub = await startHub(t);
  const fails = ({}, count) => (count <= 2 ? failure('not yet', 'once more') : undefined);
  const listeners = ['/a', '/b', '/c'].map((path) => on(path, '*'));
  const extension = await startExtension(t, { listeners, handlers: { '/b': fails } });
  const { name } = await registered(hub, extension, quick());
  const body = ` ${event(1, 'experiment.execution.failed').replaceAll(',', ' ,\n')} `;
  await post(hub, body);
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(({ path }) => path).sort(), ['/a', '/b', '/b', '/b', '/c'], 'only the unsettled one is repeated');
  for (const call of extension.calls) assert.equal(call.body, body);
});

test('steadybit 21: an event of somebody else is made into a body of the contract, the same on every attempt', async (t) => {
  const hub = await startHub(t);
  const handlers = { '/named': ({}, count) => (count === 1 ? 503 : undefined) };
  const extension = await startExtension(t, { listeners: [all, on('/named', 'deploy')], handlers });
  const { name } = await registered(hub, extension, quick());
  const json = { 'Content-Type': 'application/json' };
  const { id: plain } = await hub.call('POST', '/api/v1/events?type=deploy&source=/ci&subject=web', '{"version": 3, "big": 12345678901234567890}', json);
  await caughtUp(hub, name);
  const [first] = extension.calls;
  assert.deepEqual(extension.calls.map(({ path }) => path).sort(), ['/events/all', '/named', '/named']);
  for (const call of extension.calls) assert.equal(call.body, first.body);
  assert.equal(newest.eventFaults(first.event), null);
  const { eventTime, tenant, ...rest } = first.event;
  assert.match(eventTime, isTime);
  assert.ok(Math.abs(Date.parse(eventTime) - Date.now()) < 60_000, eventTime);
  assert.deepEqual([typeof tenant.key, typeof tenant.name], ['string', 'string']);
  assert.match(rest.id, isUuid);
  const stored = await hub.call('GET', `/api/v1/events/${encodeURIComponent(plain)}`);
  assert.deepEqual(rest, {
    id: stored.uuid,
    eventName: 'deploy',
    principal: { principalType: 'batch_job', username: 'belfry' },
    event: { source: '/ci', subject: 'web', properties: { version: 3, big: 12345678901234567890 } },
  });
  assert.ok(first.body.includes('12345678901234567890'), 'numbers are copied, not read');
});

test('steadybit 21: ids, times and data of other events come through', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  const publish = (attributes, data) => {
    const one = { specversion: '1.0', source: '/ci', type: 'deploy', ...attributes, ...data };
    return hub.call('POST', '/api/v1/events', one, { 'Content-Type': 'application/cloudevents+json' });
  };
  await publish({ id: id(7), time: '2026-01-02T03:04:05.5+02:00' }, { data: [1, null] });
  await publish({ id: 'no uuid' }, { datacontenttype: 'text/plain', data: 'grüße' });
  await publish({ id: 'bytes' }, { datacontenttype: 'image/png', data_base64: '/9j/4A==' });
  await publish({ id: 'nothing' });
  await caughtUp(hub, name);
  const [own, text, bytes, nothing] = extension.calls.map((call) => call.event);
  assert.deepEqual([own.id, own.event.properties], [id(7), [1, null]]);
  assert.equal(Date.parse(own.eventTime), Date.parse('2026-01-02T03:04:05.5+02:00'));
  for (const made of [text, bytes, nothing]) assert.match(made.id, isUuid);
  for (const made of [own, text, bytes, nothing]) assert.match(made.eventTime, isTime);
  assert.equal(Buffer.from(text.event.data_base64, 'base64').toString(), 'grüße');
  assert.equal(bytes.event.data_base64, '/9j/4A==');
  assert.ok(!('properties' in nothing.event), JSON.stringify(nothing));
  assert.equal(new Set(extension.ids()).size, 4);
});

test('steadybit 22: an event carries the payload of its name, and none that it was not given', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  const payloads = ['experimentExecution', 'experimentStepExecution', 'experimentStepTargetExecution'];
  const expected = {
    'experiment.execution.completed': [payloads[0]],
    'experiment.execution.step-failed': [payloads[1]],
    'experiment.execution.target-started': [payloads[2]],
    'killswitch.engaged': [],
  };
  for (const [place, eventName] of Object.keys(expected).entries()) await post(hub, event(place + 1, eventName));
  await hub.publish('deploy', '{"experimentExecution":{}}');
  await caughtUp(hub, name);
  const carried = extension.calls.map((call) => [call.event.eventName, payloads.filter((member) => member in call.event)]);
  assert.deepEqual(carried, [...Object.entries(expected), ['deploy', []]]);
});

test('steadybit 22: a name of Steadybit on an event that is none of its is not sent', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all, on('/named', 'killswitch.engaged', 'experiment.execution.completed')] });
  const { name } = await registered(hub, extension);
  await hub.publish('killswitch.engaged', 'not JSON');
  await hub.publish('experiment.execution.completed', '{"id":"da059724"}');
  await postTogether(hub, [1], 'killswitch.engaged');
  await caughtUp(hub, name);
  assert.deepEqual(extension.ids(), [id(1), id(1)]);
  assert.deepEqual(extension.calls[0].event, JSON.parse(event(1)), 'one that is a body is sent as it is');
});

test('steadybit 25: calls come in the order of events, across listeners and after retries, one event at a time', async (t) => {
  const hub = await startHub(t);
  const steps = ['step-started', 'target-started', 'target-completed', 'step-completed'].map((name) => `experiment.execution.${name}`);
  let failures = 0;
  const shaky = (call) => (number(call) % 3 === 0 && failures++ < 8 ? failure('database is away', 'try again') : undefined);
  const slow = () => new Promise((resolve) => setTimeout(resolve, 5));
  const listeners = [...steps.map((step) => on(`/${step}`, step)), on('/starts', steps[0], steps[1])];
  const handlers = { [`/${steps[0]}`]: slow, [`/${steps[2]}`]: shaky, '/starts': shaky };
  const extension = await startExtension(t, { listeners, handlers });
  const { name } = await registered(hub, extension, quick());
  for (const count of from(1, 40)) await post(hub, event(count, steps[count % 4]));
  await caughtUp(hub, name);
  const numbers = extension.calls.map(number);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), 'no event overtakes another');
  assert.deepEqual([...new Set(numbers)], from(1, 40));
  assert.ok(failures >= 8, 'there were retries');
  assert.ok(extension.mostUnderWay <= 2, 'listeners of one event at most');
  assert.deepEqual(await deadLetters(hub, name), []);
});

test('steadybit 27: Request-Timeout says how long the hub waits', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const usual = await startExtension(t, { listeners: [all] });
  await registered(hub, extension, { delivery: { timeout: '20s' } });
  await registered(hub, usual);
  await post(hub, event(1));
  await Promise.all([extension.received(1), usual.received(1)]);
  for (const [{ calls: [{ headers }] }, most] of [[extension, 20], [usual, 30]]) {
    assert.match(headers['request-timeout'], /^\d+(\.\d+)?$/);
    const seconds = Number(headers['request-timeout']);
    assert.ok(seconds > most / 2 && seconds <= most, headers['request-timeout']);
  }
});

test('steadybit 28: any 2xx settles, whatever the body', async (t) => {
  const hub = await startHub(t);
  const answers = [
    ...['', '{}', '"{}"\n', '<html>thanks</html>', 'x'.repeat(300_000), '{"title":"an error?"}', 'null'].map((body) => ({ status: 200, body })),
    { status: 200, headers: { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' }, body: 'no gzip' },
    201, 202, 204, { status: 206, body: 'part' },
  ];
  const extension = await startExtension(t, { listeners: [all], handlers: { '/events/all': ({}, count) => answers[count - 1] } });
  const { name } = await registered(hub, extension, quick());
  await postAll(hub, from(1, answers.length));
  const shown = await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number), from(1, answers.length));
  assert.deepEqual([shown.last_error ?? null, await attempts(hub, name, 'failed')], [null, []]);
});

test('steadybit 34: an event that is published twice is delivered once', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  await postAll(hub, [1, 1, 2, 1, 2]);
  await hub.restart();
  await postAll(hub, [1, 3]);
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(number), [1, 2, 3]);
});

test('steadybit 35: odd and large events pass unchanged', async (t) => {
  const hub = await startHub(t, '--set', 'limits.body_bytes=4MiB');
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  const targetAttributes = { 'steadybit.label': ['Größe', '名前', '🔔'], many: Array(1024).fill('é'.repeat(512)) };
  const odd = { targetAttributes, properties: [null, true, 1.5, 'x', { deep: [] }], fresh: { members: { nobody: 'knows' } } };
  const bodies = [
    event(1, 'experiment.execution.target-started', odd),
    `\t${event(2).replace('{', '{ "exact": 1e400, "big":12345678901234567890,"escaped":"\\u00e9\\/\\ud83d\\udd14",\r\n')}\n`,
    event(3, 'ein.ñame/☃'),
  ];
  assert.ok(bodies[0].length > 500_000 && Buffer.byteLength(bodies[0]) > 1024 * 1024);
  for (const body of bodies) await post(hub, body);
  await caughtUp(hub, name);
  assert.deepEqual(extension.calls.map(({ body }) => body), bodies);
});

test('steadybit 36: calls are not compressed, have a length and share a connection', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  const body = event(1, 'made.up', { text: 'é'.repeat(10_000) });
  await post(hub, body);
  await postAll(hub, from(2, 20));
  await caughtUp(hub, name);
  const [{ headers, method }] = extension.calls;
  assert.equal(method, 'POST');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['content-length'], String(Buffer.byteLength(body)));
  for (const absent of ['content-encoding', 'transfer-encoding', 'expect', 'authorization']) assert.equal(headers[absent], undefined, absent);
  assert.equal(extension.calls.length, 20);
  assert.ok(extension.connections <= 2, `${extension.connections} connections`);
});

test('steadybit 36: a connection that was closed while idle is opened again without a failure', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension);
  for (const count of from(1, 10)) {
    await post(hub, event(count));
    await caughtUp(hub, name);
    extension.hangUp();
  }
  assert.deepEqual(extension.calls.map(number), from(1, 10));
  assert.deepEqual(await attempts(hub, name, 'failed'), []);
  assert.equal((await show(hub, name)).last_error ?? null, null);
});

test('an extension that answers at once has an event within a moment', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  await registered(hub, extension);
  const took = [];
  for (const count of from(1, 20)) {
    const began = Date.now();
    await post(hub, event(count));
    await eventually('it is there', () => extension.calls.length === count);
    took.push(Date.now() - began);
  }
  assert.ok(took.sort((a, b) => a - b)[10] < 1000, `${took} ms, and the interval of polling is 5 s`);
});
