// What a listener of a program made with the kit answers.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventually } from '../hub.mjs';
import { event, id } from '../steadybit/agent.mjs';
import { startExample, startGated, startScripted } from './kit.mjs';

const execution = 'experiment.execution.completed';
const step = 'experiment.execution.step-started';
const target = 'experiment.execution.target-completed';
const changed = (name, change) => {
  const body = JSON.parse(event(1, name));
  change(body);
  return JSON.stringify(body);
};

const changedTarget = (change) => changed(target, (body) => Object.assign(body.experimentStepTargetExecution, change));

function assertError(answer, status, what) {
  assert.equal(answer.status, status, `${what}: ${answer.text}`);
  assert.match(answer.headers['content-type'], /^application\/json\b/);
  const { title, detail, type, instance, ...more } = answer.json;
  assert.equal(typeof title, 'string');
  assert.ok(title.length > 0);
  assert.deepEqual(more, {}, 'only what an ExtensionError has');
  for (const text of [detail, type, instance]) assert.ok(text === undefined || typeof text === 'string');
  return answer.json;
}

test('eventkit 41: a handler that ends well is 200 and an empty object', async (t) => {
  const kit = await startExample(t);
  const answer = await kit.call(event(1));
  assert.deepEqual([answer.status, answer.text], [200, '{}']);
  assert.match(answer.headers['content-type'], /^application\/json\b/);
  assert.equal((await kit.lines()).length, 1);
});

test('eventkit 41: a handler that says what is wrong is 500 with that title and detail', async (t) => {
  const kit = await startExample(t, { EVENT_LINES_FILE: '/dev/full' });
  const { title, detail } = assertError(await kit.call(event(1)), 500, 'a full disk');
  assert.match(`${title} ${detail}`, /write/i);
  assert.match(`${title} ${detail}`, /space|full/i);
  const scripted = await startScripted(t);
  const told = assertError(await scripted.call(event(1), '/error'), 500, 'an error of its own');
  assert.deepEqual(told, { title: 'Failed to send "ünï"', detail: 'downstream is away\n' });
  assert.deepEqual(assertError(await scripted.call(event(1), '/bare-error'), 500, 'a title alone'), { title: 'No reason' });
});

// What is wrong with an event, and the field that is named for it.
const breaches = [
  ['no JSON', '{"id":', /json/i],
  ['nothing', '', /json|empty|body/i],
  ['an array', `[${event(1)}]`, /object|array/i],
  ['no UTF-8', Buffer.concat([Buffer.from(event(1).slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')]), /utf-?8/i],
  ['two values', `${event(1)} {}`, /json/i],
  ['an empty object', '{}', /\bid\b/],
  ['null', 'null', /object/i],
  ['no UUID', changed(execution, (body) => (body.id = 'seven')), /\bid\b/],
  ['a number as id', changed(execution, (body) => (body.id = 7)), /\bid\b/],
  ['no name', changed(execution, (body) => delete body.eventName), /eventName/],
  ['a zone without a colon', changed(execution, (body) => (body.eventTime = '2026-01-02T03:04:05+0200')), /eventTime/],
  ['seconds as time', changed(execution, (body) => (body.eventTime = 1767323045)), /eventTime/],
  ['a day that is not there', changed(execution, (body) => (body.eventTime = '2026-02-30T03:04:05Z')), /eventTime/],
  ['no principal', changed(execution, (body) => delete body.principal), /principal/],
  ['a principal that is text', changed(execution, (body) => (body.principal = 'tom')), /principal/],
  ['a user without a name', changed(execution, (body) => delete body.principal.username), /principal\.username/],
  ['no tenant', changed(execution, (body) => delete body.tenant), /tenant/],
  ['a tenant without a key', changed(execution, (body) => delete body.tenant.key), /tenant\.key/],
  ['a team without a name', changed(execution, (body) => delete body.team.name), /team\.name/],
  ['an environment without an id', changed(execution, (body) => delete body.environment.id), /environment\.id/],
  ['an unknown state', changed(execution, (body) => (body.experimentExecution.state = 'exploded')), /experimentExecution\.state/],
  ['half an execution', changed(execution, (body) => (body.experimentExecution.executionId = 34.5)), /experimentExecution\.executionId/],
  ['an execution as text', changed(execution, (body) => (body.experimentExecution.executionId = 'many')), /experimentExecution\.executionId/],
  ['a start that is no time', changed(execution, (body) => (body.experimentExecution.startedTime = 'soon')), /experimentExecution\.startedTime/],
  ['a step without an id', changed(step, (body) => delete body.experimentStepExecution.id), /experimentStepExecution\.id/],
  ['a step of no type', changed(step, (body) => (body.experimentStepExecution.type = 'dance')), /experimentStepExecution\.type/],
  ['a target of no step', changedTarget({ stepExecutionId: 'x' }), /experimentStepTargetExecution\.stepExecutionId/],
  ['one value where many are', changedTarget({ targetAttributes: { a: 'b' } }), /experimentStepTargetExecution\.targetAttributes/],
];

for (const [status, env] of [[500, {}], [400, { STEADYBIT_EXTENSION_SCHEMA_STATUS: '400' }]]) {
  test(`eventkit 41: what breaks the schema is ${status}${status === 400 ? ' by option' : ''} and names the field`, async (t) => {
    const kit = await startExample(t, env);
    for (const [what, body, named] of breaches) {
      const { title, detail } = assertError(await kit.call(body), status, what);
      assert.match(`${title} ${detail}`, named, what);
    }
    assert.deepEqual(await kit.lines(), [], 'no handler saw one');
    await kit.send(event(1));
    assert.equal((await kit.lines()).length, 1);
  });
}

test('eventkit 41: by that option an error of a handler stays 500', async (t) => {
  const kit = await startExample(t, { EVENT_LINES_FILE: '/dev/full', STEADYBIT_EXTENSION_SCHEMA_STATUS: '400' });
  assertError(await kit.call(event(1)), 500, 'a full disk');
});

test('eventkit 42: an exception is 500, the process lives on and handles the next event', async (t) => {
  const kit = await startScripted(t);
  for (const [path, says] of [['/throw', /out of luck/], ['/throw-int', /./], ['/throw-nested', /./]]) {
    for (let count = 1; count <= 3; count++) {
      const { title, detail } = assertError(await kit.call(event(count), path), 500, path);
      assert.match(`${title} ${detail}`, says);
    }
  }
  await kit.send(event(9), '/twice');
  assert.ok(!kit.ended);
  assert.match(kit.log, /out of luck/, 'the log says it, too');
});

test('eventkit 42: what the standard library throws in a handler is answered like any exception', async (t) => {
  const kit = await startExample(t, { EVENT_LINES_FILE: '/nowhere/lines.tsv' });
  assertError(await kit.call(event(1)), 500, 'a file that cannot be opened');
  assertError(await kit.call(event(1)), 500, 'the same again: it was not handled');
  assert.equal((await kit.ask('GET', '/')).status, 200);
});

test('eventkit 42: an exception of one call harms none of those beside it', async (t) => {
  const kit = await startScripted(t);
  const paths = Array.from({ length: 60 }, (_, place) => ['/throw', '/twice', '/throw-int'][place % 3]);
  const answers = await Promise.all(paths.map((path, place) => kit.call(event(place), path)));
  assert.deepEqual(answers.map(({ status }) => status), paths.map((path) => (path === '/twice' ? 200 : 500)));
});

test('eventkit 43: at the time that Request-Timeout says the answer is 503 Timeout, and the handler goes on to its end', async (t) => {
  const kit = await startGated(t);
  const { answer } = await kit.outlived(event(1), '/events/all', { 'Request-Timeout': '0.5' });
  assert.deepEqual([answer.status, answer.text], [503, 'Timeout']);
  assert.match(answer.headers['content-type'], /^text\/plain\b/);
  assert.ok(answer.ms >= 490 && answer.ms < 20_000, `after ${answer.ms} ms`);
  await kit.openGate();
  await eventually('the line of the handler that was given up', async () => (await kit.lines()).length === 1);
  await kit.send(event(2));
  assert.equal((await kit.lines()).length, 2);
});

test('eventkit 43: a call that is given up before its handler began is not handled later', async (t) => {
  const kit = await startGated(t, { STEADYBIT_EXTENSION_WORKERS: '1' });
  const first = await kit.begin(event(1));
  const second = await kit.call(event(2), '/events/all', { headers: { 'Request-Timeout': '0.2' } });
  assert.equal(second.status, 503);
  await kit.openGate();
  assert.equal((await first.answer).status, 200);
  await kit.send(event(3));
  assert.equal((await kit.lines()).length, 2);
  await kit.send(event(2));
  assert.equal((await kit.lines()).length, 3);
});

test('eventkit 43: a handler sees that its caller is gone', async (t) => {
  const kit = await startScripted(t);
  const body = event(1);
  const head = `POST /until-cancelled HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
  const socket = connect({ host: kit.where.host, port: kit.where.port }, () => socket.write(head + body));
  await eventually('it is at work', () => /the handler waits/.test(kit.log));
  socket.resetAndDestroy(); // only a reset tells a caller who is gone from one who said all
  await eventually('the handler saw it', () => /saw the cancellation/.test(kit.log));
  await kit.send(event(2), '/twice');
});

test('eventkit 43: X-Request-Timeout serves where the other is missing or bad, and else does not count', async (t) => {
  const kit = await startGated(t);
  const both = [
    { 'X-Request-Timeout': '0.2' },
    { 'Request-Timeout': '0.2', 'X-Request-Timeout': '30' },
    { 'Request-Timeout': 'soon', 'X-Request-Timeout': '0.2' },
  ];
  for (const [place, headers] of both.entries()) {
    const answer = await kit.call(event(place), '/events/all', { headers });
    assert.deepEqual([answer.status, answer.text], [503, 'Timeout']);
    assert.ok(answer.ms < 20_000, `after ${answer.ms} ms`);
  }
});

test('eventkit 43: a value that is bad, zero or negative is ignored', async (t) => {
  const kit = await startScripted(t);
  let count = 0;
  for (const value of ['0', '-1', '-0.5', 'soon', '', '0.0', '1s', '1,5', 'nan', 'inf', '1e400', '0x1p-9', '.', '-']) {
    for (const name of ['Request-Timeout', 'X-Request-Timeout']) {
      const answer = await kit.call(event(++count), '/pause', { headers: { [name]: value } });
      assert.deepEqual([answer.status, answer.text], [200, '{}'], `${name}: ${value}`);
    }
  }
});

test('eventkit 43: a handler that is quicker than its time answers for itself, and may look at what is left', async (t) => {
  const kit = await startScripted(t);
  for (const [place, value] of ['30', '55.5', '86400000', '999999999999999999999'].entries()) {
    await kit.send(event(place), '/pause', { headers: { 'Request-Timeout': value } });
  }
  const { answer } = await kit.outlived(event(9), '/until-cancelled', { 'Request-Timeout': '0.2' });
  assert.deepEqual([answer.status, answer.text], [503, 'Timeout']);
  await eventually('the handler saw it', () => /saw the cancellation, its time is over/.test(kit.log));
});

test('an event that a listener did not ask for is answered 200 and not handed to it', async (t) => {
  const kit = await startExample(t);
  await kit.send(event(1), '/events/experiments', { method: 'PUT' });
  assert.deepEqual(await kit.lines(), []);
});

test('a body that is encoded is refused as such', async (t) => {
  const kit = await startExample(t);
  assertError(await kit.call(gzipSync(event(1)), '/events/all', { headers: { 'Content-Encoding': 'gzip' } }), 415, 'gzip');
  await kit.send(event(2), '/events/all', { headers: { 'Content-Encoding': 'identity' } });
  assert.equal((await kit.lines()).length, 1);
});

test('a handler may look at the headers of its call', async (t) => {
  const kit = await startScripted(t);
  await kit.send(event(1), '/headers', { headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } });
  await eventually('it is told', () => /traceparent is 00-4bf9/.test(kit.log));
  await kit.send(event(2), '/headers');
  await eventually('none is told', () => /traceparent is absent/.test(kit.log));
});

test('eventkit 50: with a character set, without a type and with another one an event is an event', async (t) => {
  const kit = await startExample(t);
  const json = ['application/json', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'APPLICATION/JSON'];
  const types = [...json, 'text/plain', 'application/octet-stream', ''];
  for (const [place, type] of types.entries()) await kit.send(event(place + 1), '/events/all', { headers: { 'Content-Type': type } });
  const bare = await kit.ask('POST', '/events/all', event(20));
  assert.deepEqual([bare.status, bare.text], [200, '{}']);
  assert.equal((await kit.lines()).length, types.length + 1);
});

test('eventkit 50: UUIDs are taken in lower and upper case', async (t) => {
  const kit = await startExample(t);
  const mixed = id(3).replace('da059724', 'DA059724');
  for (const spelling of [id(1), id(2).toUpperCase(), mixed]) {
    const body = JSON.parse(event(1, target));
    body.id = spelling;
    body.experimentStepTargetExecution.stepExecutionId = spelling;
    body.experimentStepTargetExecution.id = spelling;
    await kit.send(JSON.stringify(body));
  }
  assert.equal((await kit.lines()).length, 3);
});
