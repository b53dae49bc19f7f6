// Bodies that the kit accepts and makes, beside the schemas of Steadybit's own documents: each member of
// a few good bodies is taken away or made something else, and both must judge alike but for what is listed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { startExample, startScripted } from './kit.mjs';
import { early, newest } from './schema.mjs';

const echo = join(dirname(process.env.BELFRY_BINARY), 'event_echo');

const user = { principalType: 'user', username: 'tom.mason', name: 'Tom Mason', email: 'tom.mason@example.com' };
const token = { principalType: 'access_token', id: 'a1', name: 'CI', tokenType: 'team' };
const batch = { principalType: 'batch_job', username: 'nightly' };
const base = (eventName, principal, payload) => ({
  id: 'da059724-a8ae-4b4b-b4f0-ee01898232d2',
  eventName,
  eventTime: '2021-09-01T12:00:00.000000Z',
  principal,
  tenant: { key: 'exmpl', name: 'Example Inc.' },
  ...payload,
});
const place = {
  team: { id: '1', key: 'ADM', name: 'Administrators' },
  environment: { id: 'STG', name: 'Staging' },
};
const execution = {
  experimentKey: 'ADM-4',
  executionId: 9007199254740991,
  name: 'Rollout "restart" – ünïcode \u0000',
  state: 'completed',
  hypothesis: 'It holds',
  preparedTime: '2022-11-08T16:42:32.303762Z',
  startedTime: '2022-11-08T16:42:32.329718Z',
  endedTime: '2022-11-08T16:42:42.636157Z',
  reason: 'r',
  reasonDetails: 'd',
  tags: ['a', 'b'],
  variables: { k: 'v' },
  properties: { any: [1, { b: null }], text: 'x' },
};
const step = {
  experimentKey: 'ADM-4',
  executionId: 34,
  id: '1b4e28ba-2fa1-11d2-883f-0016d3cca427',
  type: 'action',
  state: 'failed',
  actionId: 'com.example.stop',
  actionName: 'Stop',
  actionKind: 'attack',
  customLabel: 'l',
  startedTime: '2022-11-08T16:42:32.329718Z',
  endedTime: '2022-11-08T16:42:42.636157Z',
};
const target = {
  experimentKey: 'ADM-4',
  executionId: 34,
  stepExecutionId: '1b4e28ba-2fa1-11d2-883f-0016d3cca427',
  id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  state: 'skipped',
  agentHostname: 'h',
  targetName: 't',
  targetType: 'container',
  targetAttributes: { 'steadybit.label': ['x', 'y'], none: [] },
  startedTime: '2022-11-08T16:42:32.329718Z',
  endedTime: '2022-11-08T16:42:42.636157Z',
  reason: 'r',
  reasonDetails: 'd',
};
const good = [
  base('killswitch.engaged', batch, {}),
  base('experiment.execution.completed', user, { ...place, experimentExecution: execution }),
  base('experiment.execution.step-failed', token, { ...place, experimentStepExecution: step }),
  base('experiment.execution.target-completed', batch, { ...place, experimentStepTargetExecution: target }),
];

// What the kit makes of each body: {made} or {field, detail}.
function echoed(bodies) {
  const input = bodies.map((body) => `${JSON.stringify(body)}\n`).join('');
  const run = spawnSync(echo, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, `${run.error ?? ''} ${run.stderr}`);
  const lines = run.stdout.split('\n').slice(0, -1);
  assert.equal(lines.length, bodies.length);
  return lines.map((line) => {
    const [verdict, first, second] = line.split('\t');
    return verdict === 'made' ? { made: JSON.parse(first) } : { field: first, detail: second };
  });
}

// Every path of members and elements in a value, as arrays of names.
function paths(value, at = []) {
  if (value === null || typeof value !== 'object') return [at];
  return [at, ...Object.entries(value).flatMap(([name, inner]) => paths(inner, [...at, name]))];
}

const gone = Symbol('gone');
function changed(body, path, value) {
  const copy = structuredClone(body);
  const holder = path.slice(0, -1).reduce((at, name) => at[name], copy);
  if (value !== gone) holder[path.at(-1)] = value;
  else if (Array.isArray(holder)) holder.splice(Number(path.at(-1)), 1);
  else delete holder[path.at(-1)];
  return copy;
}

const others = [
  gone, null, true, 0, 1.5, 1e300, '', 'x', '7', 'COMPLETED', 'skipped', '2022-11-08T16:42:32+02:00', [], [1], ['a', 'a'], {}, { a: 1 },
];
const shown = (path) => path.map((name, i) => (/^\d+$/.test(name) ? `[${name}]` : i ? `.${name}` : name)).join('');

const neverNull = [
  'id', 'eventName', 'eventTime', 'principal', 'tenant', 'key', 'name', 'username', 'tokenType', 'experimentKey', 'executionId',
  'state', 'type', 'stepExecutionId', 'agentHostname', 'targetName', 'targetType',
];

// Where the kit takes more than the schema: [path, value] => why, or undefined.
function tolerated(path, value) {
  const name = path.at(-1);
  if (value === null && (path.join('.') === 'team.id' || !neverNull.includes(name))) {
    return 'null is absent, and what Go writes for an empty map or list';
  }
  if (value === gone && path.join('.') === 'team.id') return "the document's own example has none";
  if (value === gone && ['hypothesis', 'preparedTime', 'startedTime'].includes(name)) {
    return 'the example has no hypothesis, and an execution may not have begun';
  }
  if (name === 'state' && value === 'COMPLETED') return 'early versions wrote upper case';
  if (name === 'state' && value === 'skipped') return 'allowed for executions up to 1.4';
  if (name === 'executionId' && value === '7') return 'the first version had strings';
  if (name === 'tags' && value[0] === 'a') return 'a tag said twice harms nobody';
  if (path.join('.') === 'principal' || name === 'principalType') return 'kinds to come keep their JSON';
  return undefined;
}

// Where it takes less.
function refusedBeyondSchema(path, value) {
  const name = path.at(-1);
  if (['id', 'stepExecutionId'].includes(name) && typeof value === 'string') return 'a UUID, say the prose and the Go types';
  if (name === 'executionId') return 'a whole number that 63 bits can hold';
  if (path[0] === 'principal') return 'the kind decides which members must be there, not any of the three';
  return undefined;
}

function cases() {
  const list = [];
  for (const body of good) {
    for (const path of paths(body).slice(1)) {
      for (const value of others) list.push({ body: changed(body, path, value), path, value });
    }
  }
  return list;
}

test('eventkit: the good bodies are valid, and made again they are the same', () => {
  const answers = echoed(good);
  good.forEach((body, i) => {
    assert.equal(newest.eventFaults(body), null);
    assert.deepEqual(answers[i].made, body);
  });
});

test('eventkit: each change of a body is judged as the schema judges it, naming the member', () => {
  const list = cases();
  const answers = echoed(list.map(({ body }) => body));
  const count = { accepted: 0, refused: 0, tolerated: 0, stricter: 0 };
  list.forEach(({ body, path, value }, i) => {
    const faults = newest.eventFaults(body);
    const said = `${shown(path)} = ${value === gone ? 'gone' : JSON.stringify(value)}: ${faults ?? 'valid'}; ${JSON.stringify(answers[i])}`;
    if (answers[i].made) {
      count.accepted += 1;
      if (faults !== null) {
        count.tolerated += 1;
        assert.ok(tolerated(path, value), `accepted: ${said}`);
      }
      return;
    }
    count.refused += 1;
    if (faults === null) {
      count.stricter += 1;
      assert.ok(refusedBeyondSchema(path, value), `refused: ${said}`);
    }
    // The member itself, one inside it that the new value lacks, or the one that the changed kind calls for.
    const { field, detail } = answers[i];
    assert.ok(field === shown(path) || field.startsWith(`${shown(path)}.`) || field.startsWith(`${shown(path)}[`)
      || (path.at(-1) === 'principalType' && field.startsWith('principal.')), said);
    assert.ok(detail.startsWith(`${field} `), said);
  });
  assert.ok(count.accepted > 300 && count.refused > 700 && count.tolerated > 50 && count.stricter > 20, JSON.stringify(count));
});

test('eventkit: what is made of a valid body is valid', () => {
  const list = cases();
  const answers = echoed(list.map(({ body }) => body));
  let checked = 0;
  list.forEach(({ body }, i) => {
    if (!answers[i].made) return;
    for (const schema of [newest, early]) {
      if (schema.eventFaults(body) !== null) continue;
      checked += 1;
      assert.equal(schema.eventFaults(answers[i].made), null, `${schema.version}: ${JSON.stringify(body)}`);
    }
  });
  assert.ok(checked > 500, `${checked}`);
});

test('eventkit: the bodies of old versions are made valid ones of today', () => {
  const old = [
    // The example of the API's document, but for what its schema requires.
    base('experiment.execution.created', user, {
      ...place,
      experimentExecution: { ...execution, state: 'COMPLETED', tags: undefined, variables: undefined, properties: undefined },
    }),
    // The first week.
    base('experiment.execution.created', user, {
      experimentExecution: { ...execution, executionId: '34', state: 'PREPARED', triggeredVia: 'API', properties: undefined },
    }),
    // 1.2: the steps in each event.
    base('experiment.execution.step-failed', user, {
      stepExecutionId: step.id,
      experimentExecution: {
        ...execution,
        state: 'FAILED',
        reason: undefined,
        reasonDetails: undefined,
        failureReason: 'why',
        failureReasonDetails: 'more',
        steps: [{ id: step.id, type: 'action', state: 'FAILED', actionId: 'a', targetExecutions: [{ state: 'FAILED' }] }],
      },
    }),
  ];
  const [document, firstWeek, tree] = echoed(old).map(({ made, detail }) => {
    assert.ok(made, detail);
    assert.equal(newest.eventFaults(made), null);
    return made;
  });
  assert.equal(document.experimentExecution.state, 'completed');
  assert.equal(firstWeek.experimentExecution.executionId, 34);
  assert.equal(tree.experimentExecution.reason, 'why');
  assert.equal(tree.experimentExecution.reasonDetails, 'more');
  assert.deepEqual(tree.experimentStepExecution.id, step.id);
  assert.deepEqual(tree.experimentStepExecution.experimentKey, 'ADM-4');
});

// The documents write methods in lower case; every extension and every example of theirs in upper case.
test('eventkit: the index of a program made with the kit is valid', async (t) => {
  for (const kit of [await startExample(t), await startScripted(t), await startScripted(t, { SCRIPTED_LISTENERS: 'none' })]) {
    const { json } = await kit.ask('GET', '/');
    const eventListeners = json.eventListeners.map((listener) => ({ ...listener, method: listener.method.toLowerCase() }));
    for (const schema of [newest, early]) assert.equal(schema.indexFaults({ ...json, eventListeners }), null);
  }
});

test('eventkit: the schemas say no when they should', () => {
  for (const schema of [newest, early]) {
    assert.notEqual(schema.eventFaults({}), null);
    assert.notEqual(schema.eventFaults({ ...good[1], experimentExecution: { ...execution, state: 'lost' } }), null);
    assert.notEqual(schema.eventFaults({ ...good[0], tenant: 'x' }), null);
    assert.notEqual(schema.indexFaults({ eventListeners: null }), null);
    assert.notEqual(schema.indexFaults({ eventListeners: [{ path: 'x', method: 'post', listenTo: ['*'] }] }), null);
    assert.equal(schema.indexFaults({ eventListeners: [{ path: '/x', method: 'post', listenTo: ['*'] }] }), null);
  }
});
