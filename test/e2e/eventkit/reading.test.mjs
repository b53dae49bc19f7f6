// How a program made with the kit reads events: what its handlers see of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { event, id } from '../steadybit/agent.mjs';
import { startExample } from './kit.mjs';

const execution = 'experiment.execution.completed';
const step = 'experiment.execution.step-started';
const target = 'experiment.execution.target-completed';
const states = ['created', 'prepared', 'running', 'failed', 'completed', 'canceled', 'errored'];

// The line of one event.
async function lineOf(kit, body) {
  const before = (await kit.lines()).length;
  await kit.send(typeof body === 'string' ? body : JSON.stringify(body));
  const lines = await kit.lines();
  assert.equal(lines.length, before + 1);
  return lines.at(-1);
}

let number = 0;
function made(name, change = () => {}) {
  const body = JSON.parse(event(++number, name));
  change(body);
  return body;
}
const withPrincipal = (principal) => made('killswitch.engaged', (body) => (body.principal = principal));
const withExecution = (change) => made(execution, (body) => change(body.experimentExecution));

test('eventkit 44: each of the three principals is told for what it is, an unknown one keeps its JSON', async (t) => {
  const kit = await startExample(t);
  const told = async (principal) => (await lineOf(kit, withPrincipal(principal))).principal;
  assert.equal(await told({ principalType: 'user', username: 'tom.mason', name: 'Tom Mason', email: 'tom.mason@example.com' }), 'user tom.mason');
  assert.equal(await told({ principalType: 'user', username: 'tom.mason', name: 'Tom Mason' }), 'user tom.mason');
  assert.equal(await told({ principalType: 'access_token', id: 'tok-1', name: 'ci', tokenType: 'team' }), 'access_token tok-1 team');
  assert.equal(await told({ principalType: 'batch_job', username: 'scheduler' }), 'batch_job scheduler');
  const robot = { principalType: 'robot', serial: 12345678901234567890n, arms: [1, { left: null }] };
  const text = '{"principalType":"robot","serial":12345678901234567890,"arms":[1,{"left":null}]}';
  assert.equal(typeof robot.serial, 'bigint');
  const body = JSON.stringify(withPrincipal('HERE')).replace('"HERE"', text);
  assert.equal((await lineOf(kit, body)).principal, `unknown ${text}`);
});

test('eventkit 44: a state is read in either case', async (t) => {
  const kit = await startExample(t);
  for (const state of states) {
    for (const spelling of [state, state.toUpperCase()]) {
      assert.equal((await lineOf(kit, withExecution((one) => (one.state = spelling)))).state, state);
    }
  }
  for (const [name, part] of [[step, 'experimentStepExecution'], [target, 'experimentStepTargetExecution']]) {
    for (const spelling of ['skipped', 'SKIPPED']) {
      assert.equal((await lineOf(kit, made(name, (body) => (body[part].state = spelling)))).state, 'skipped');
    }
  }
});

test('eventkit 44: absent, null and empty are told apart', async (t) => {
  const kit = await startExample(t);
  const reason = async (value) => (await lineOf(kit, withExecution((one) => (one.reason = value)))).reason;
  assert.equal(await reason(undefined), '-');
  assert.equal(await reason(null), '-');
  assert.equal(await reason(''), '');
  assert.equal(await reason('too slow'), 'too slow');
  const team = async (value) => (await lineOf(kit, made(execution, (body) => (body.team = value)))).team;
  assert.equal(await team(undefined), '-');
  assert.equal(await team({ id: '', key: '', name: '' }), '');
  assert.equal(await team({ id: '7', key: 'ADM', name: 'Administrators' }), 'ADM');
});

test('eventkit 44: a name that nobody knows reaches the listener of all', async (t) => {
  const kit = await startExample(t);
  for (const name of ['never.heard.of', 'experiment.execution.target-skipped', 'ünï', 'x'.repeat(255)]) {
    assert.equal((await lineOf(kit, made(name))).name, name);
  }
});

test('eventkit 44: an executionId is exact up to 2^53, however the integer is written', async (t) => {
  const kit = await startExample(t);
  const told = async (text) => (await lineOf(kit, JSON.stringify(withExecution((one) => (one.executionId = 'HERE'))).replace('"HERE"', text))).what;
  for (const exact of [0, 1, 16_777_216, 16_777_217, 2_147_483_648, 4_294_967_297, 2 ** 53 - 1, 2 ** 53]) {
    assert.equal(await told(String(exact)), `ADM-4/${exact}`);
  }
  assert.equal(await told('34.0'), 'ADM-4/34');
  assert.equal(await told('3.4e1'), 'ADM-4/34');
});

test('eventkit 44: an event of 1 MiB less a little, with members that nobody knows, is read', async (t) => {
  const kit = await startExample(t);
  const many = Array.from({ length: 4000 }, (_, place) => `value ${place} ${'x'.repeat(200)}`);
  const body = made(target, (one) => (one.experimentStepTargetExecution.targetAttributes['a.b'] = many));
  body.surprise = { a: [1, 2, { b: null }] };
  const text = JSON.stringify(body);
  assert.ok(text.length > 800_000 && text.length < 1024 * 1024);
  assert.equal((await lineOf(kit, text)).name, target);
});

test('eventkit 45: a body of 1.2 with its tree of steps and failureReason is read, and its stepExecutionId names the step', async (t) => {
  const kit = await startExample(t);
  const targets = [{ id: id(2000), state: 'FAILED', agentHostname: 'agent-1', targetName: 'web-1', targetType: 'container', targetAttributes: {} }];
  const steps = [
    { id: id(1001), type: 'wait', state: 'SKIPPED' },
    { id: id(1000), type: 'action', actionId: 'com.steadybit.extension_container.stop', state: 'ERRORED', targetExecutions: targets },
  ];
  const tree = {
    experimentKey: 'ADM-4', executionId: 34, name: 'Rollout', hypothesis: 'none', state: 'FAILED', steps,
    preparedTime: '2022-11-08T16:42:32.303762Z', startedTime: '2022-11-08T16:42:32.329718Z', failureReason: 'web-1 is away', failureReasonDetails: 'for long',
  };
  const failed = await lineOf(kit, made('experiment.execution.failed', (body) => (body.experimentExecution = tree)));
  assert.deepEqual([failed.what, failed.state, failed.reason], ['ADM-4/34', 'failed', 'web-1 is away']);
  const errored = await lineOf(kit, made('experiment.execution.step-errored', (body) => {
    delete body.experimentStepExecution;
    Object.assign(body, { experimentExecution: tree, stepExecutionId: id(1000) });
  }));
  assert.deepEqual([errored.what, errored.state], ['ADM-4/34', 'errored']);
});

test('eventkit 45: of both spellings of a reason the new one counts', async (t) => {
  const kit = await startExample(t);
  const both = withExecution((one) => Object.assign(one, { failureReason: 'old', reason: 'new' }));
  assert.equal((await lineOf(kit, both)).reason, 'new');
});

test("eventkit 45: the documents' own example is read: a state in upper case, a team without an id, no hypothesis", async (t) => {
  const kit = await startExample(t);
  const example = {
    id: 'da059724-a8ae-4b4b-b4f0-ee01898232d2',
    eventName: 'experiment.execution.created',
    eventTime: '2021-09-01T12:00:00Z',
    tenant: { key: 'exmpl', name: 'Example Inc.' },
    principal: { principalType: 'user', username: 'tom.mason', name: 'Tom Mason', email: 'tom.mason@example.com' },
    environment: { id: 'STG', name: 'Staging' },
    team: { key: 'ADM', name: 'Administrators' },
    experimentExecution: {
      experimentKey: 'ADM-4', executionId: 34, name: 'Rollout restart does not impact service availability', state: 'COMPLETED',
      preparedTime: '2022-11-08T16:42:32.303762Z', startedTime: '2022-11-08T16:42:32.329718Z', endedTime: '2022-11-08T16:42:42.636157Z',
    },
  };
  const { name, what, state, team, principal } = await lineOf(kit, example);
  assert.deepEqual([name, what, state, team, principal], ['experiment.execution.created', 'ADM-4/34', 'completed', 'ADM', 'user tom.mason']);
});

test('eventkit 45: an execution that has not begun, and one without an end, are read', async (t) => {
  const kit = await startExample(t);
  for (const change of [
    (one) => ['startedTime', 'endedTime', 'preparedTime'].forEach((name) => delete one[name]),
    (one) => Object.assign(one, { startedTime: null, endedTime: null }),
  ]) {
    assert.equal((await lineOf(kit, withExecution(change))).what, 'ADM-4/34');
  }
});

test('eventkit 45: bodies from before there were payloads and principals by kind are read', async (t) => {
  const kit = await startExample(t);
  const { principal, what } = await lineOf(kit, withPrincipal({ username: 'tom.mason', name: 'Tom Mason' }));
  assert.match(principal, /tom\.mason/);
  assert.equal(what, '-');
  assert.equal((await lineOf(kit, made('user.invited'))).name, 'user.invited');
});
