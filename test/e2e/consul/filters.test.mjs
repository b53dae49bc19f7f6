// For whom an event is: judged once, when it is fired, with the name and the services of this node at that moment.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHub } from '../hub.mjs';
import { Connection, deregister, fired, indexOf, list, names, register, startBlocked } from './consul.mjs';

const q = encodeURIComponent;
const startNode = (t) => startHub(t, '--set', 'node.name=web-1.fra');

async function registered(hub, ...services) {
  for (const service of services) assert.equal((await register(hub, service)).status, 200, JSON.stringify(service));
}

// Fires one event per row with that query; gives which of them are listed.
async function accepted(hub, rows) {
  const numbers = new Map();
  for (const [number, query] of rows.entries()) numbers.set((await fired(hub, `e?${query}`)).ID, number);
  return (await list(hub)).events.map(({ ID }) => rows[numbers.get(ID)]);
}

test('consul 36: an event for other nodes is taken and not listed', async (t) => {
  const hub = await startNode(t);
  assert.deepEqual(await accepted(hub, ['node=db', 'node=%5Eeb', 'node=WEB', 'node=web%24', 'node=web-2']), []);
  assert.equal((await list(hub)).index, '1');
  assert.equal((await hub.call('GET', '/api/v1/events')).events.length, 5, 'it is an event nevertheless');
});

test('consul 36: an event of another door that brings filters is judged, too, and a bad filter loses none', async (t) => {
  const hub = await startNode(t);
  const publish = (extensions) => hub.call('POST', '/api/v1/events', { specversion: '1.0', source: '/a', type: 'deploy', ...extensions },
    { 'Content-Type': 'application/cloudevents+json' });
  for (const nodefilter of ['^nobody$', 'web-1', '(', 'x'.repeat(1025)]) await publish({ nodefilter });
  await publish({ servicefilter: 'shop' });
  await publish({});
  assert.deepEqual((await list(hub)).events.map(({ NodeFilter }) => NodeFilter), ['web-1', '']);
  assert.deepEqual((await list(hub, 'node=%5Enobody')).events.map(({ NodeFilter }) => NodeFilter), [''], 'an event without one is for all');
  assert.equal((await hub.call('GET', '/api/v1/events')).events.length, 6, 'they are events nevertheless');
  await register(hub, { Name: 'shop' });
  assert.equal((await list(hub)).events.length, 2, 'judged once');
  await hub.restart('SIGTERM');
  assert.equal((await list(hub)).events.length, 2);
});

test('consul 37: a node filter is searched in the name, not compared with it', async (t) => {
  const hub = await startNode(t);
  const rows = ['node=%5Eweb', 'node=eb-', 'node=web-1.fra', 'node=fra%24', 'node=', `node=${q('(?i)WEB-\\d')}`, 'node=db|web', `node=${q('^web-1\\.fra$')}`];
  assert.deepEqual(await accepted(hub, rows), rows);
});

test('consul 38: a service filter asks for a service of that name here', async (t) => {
  const hub = await startNode(t);
  await registered(hub, { ID: 'mysql-7', Name: 'mysql', Port: 3306 }, { Name: 'cache' });
  const rows = ['service=.*sql', 'service=%5Ecache%24', 'service=.', 'service=s'];
  assert.deepEqual(await accepted(hub, [...rows, 'service=mysql-7', 'service=web', 'service=SQL']), rows);
});

test('consul 39: a tag filter asks for a tag of that service', async (t) => {
  const hub = await startNode(t);
  await registered(hub, { Name: 'web', Tags: ['v1', 'blue'] }, { Name: 'bare' });
  const rows = ['service=web&tag=blue', 'service=web&tag=%5Ev%5B0-9%5D%24', 'service=.&tag=v'];
  assert.deepEqual(await accepted(hub, [...rows, 'service=web&tag=green', 'service=bare&tag=.', 'service=db&tag=v1']), rows);
});

test('consul 40: the tag must belong to a service that the service filter found', async (t) => {
  const hub = await startNode(t);
  await registered(hub, { Name: 'web', Tags: ['v1'] }, { Name: 'db', Tags: ['v2'] });
  const rows = ['service=db&tag=v2', 'service=web|db&tag=v2'];
  assert.deepEqual(await accepted(hub, [...rows, 'service=web&tag=v2', 'service=db&tag=v1']), rows);
});

test('consul 40: node and service must both hold', async (t) => {
  const hub = await startNode(t);
  await registered(hub, { Name: 'web', Tags: ['v1'] });
  const rows = ['node=web&service=web', 'node=fra&service=web&tag=v1'];
  assert.deepEqual(await accepted(hub, [...rows, 'node=db&service=web', 'node=web&service=db', 'node=db&service=web&tag=v1']), rows);
});

test('consul 38: what was for this node stays listed when the service goes, also over a restart', async (t) => {
  const hub = await startNode(t);
  await registered(hub, { ID: 'web-a', Name: 'web', Tags: ['v1'] });
  const { ID } = await fired(hub, 'deploy?service=web&tag=v1');
  assert.equal((await deregister(hub, 'web-a')).status, 200);
  for (const signal of [undefined, 'SIGTERM', 'SIGKILL']) {
    if (signal) await hub.restart(signal);
    const { events, index } = await list(hub);
    assert.deepEqual(events.map((event) => event.ID), [ID], signal);
    assert.equal(index, indexOf(ID));
  }
  assert.deepEqual(await accepted(hub, ['service=web']), [undefined], 'the control: the next one is not for this node');
});

test('consul 38: what was not for this node is not listed when the service comes, also over a restart', async (t) => {
  const hub = await startNode(t);
  await fired(hub, 'deploy?service=web');
  await registered(hub, { Name: 'web' });
  for (const signal of [undefined, 'SIGTERM', 'SIGKILL']) {
    if (signal) await hub.restart(signal);
    assert.equal((await list(hub)).text, '[]', signal);
  }
  assert.deepEqual(await accepted(hub, ['service=web']), ['service=web'], 'the control: services outlive a restart');
});

test('consul 36: the name of the node counts when an event is fired, not when it is listed', async (t) => {
  const hub = await startNode(t);
  await fired(hub, 'mine?node=web-1');
  await fired(hub, 'other?node=db-1');
  hub.args.push('--set', 'node.name=db-1');
  await hub.restart();
  assert.deepEqual(names(await list(hub)), ['mine']);
});

test('consul 31: an event for others does not end a wait', async (t) => {
  const hub = await startNode(t);
  const blocked = await startBlocked(hub, 'index=1');
  await fired(hub, 'deploy?node=db');
  await fired(hub, 'deploy?service=db');
  await fired(hub, 'mine');
  assert.deepEqual(names(await blocked.answer), ['mine']);
});

// What the document says of the list's parameters: each is searched in the event's own filter of that kind.
async function withFilters(t) {
  const hub = await startNode(t);
  await registered(hub, { Name: 'web', Tags: ['v1', 'blue'] }, { Name: 'db', Tags: ['v2'] });
  for (const event of ['all', 'node?node=%5Eweb-', 'web?service=web&tag=v1', 'db?service=%5Edb', 'both?node=fra&service=web&tag=blue']) {
    await fired(hub, event);
  }
  return hub;
}

test('consul 52: node, service and tag of a list are searched in the filters of the events', async (t) => {
  const hub = await withFilters(t);
  const rows = [
    ['node=fra', ['all', 'web', 'db', 'both']],
    [`node=${q('^\\^web')}`, ['all', 'node', 'web', 'db']],
    ['node=nothing', ['all', 'web', 'db']],
    ['service=web', ['all', 'node', 'web', 'both']],
    ['service=%5Eweb%24', ['all', 'node', 'web', 'both']],
    ['service=d', ['all', 'node', 'db']],
    ['tag=blue', ['all', 'node', 'db', 'both']],
    ['service=web&tag=v', ['all', 'node', 'web']],
    ['node=fra&service=web&tag=blue', ['all', 'both']],
    ['node=&service=&tag=', ['all', 'node', 'web', 'db', 'both']],
    ['name=both&tag=v1', []],
    ['name=both&tag=blue', ['both']],
  ];
  for (const [query, expected] of rows) {
    const { events, index } = await list(hub, query);
    assert.deepEqual(names({ events }), expected, query);
    assert.equal(index, expected.length ? indexOf(events.at(-1).ID) : '1', query);
  }
});

test('consul 52: a bad expression in a list is 400', async (t) => {
  const hub = await withFilters(t);
  for (const kind of ['node', 'service', 'tag']) {
    const answer = await list(hub, `${kind}=(`);
    assert.deepEqual([answer.status, answer.text], [400, `Invalid ${kind} filter: error parsing regexp: missing closing ): \`(\``]);
    assert.equal((await list(hub, `${kind}=${'a'.repeat(1025)}`)).status, 400);
  }
});

test('consul 52: a list with a filter waits for an event that passes it', async (t) => {
  const hub = await startNode(t);
  await registered(hub, { Name: 'web' }, { Name: 'db' });
  const blocked = await startBlocked(hub, 'service=web&index=1');
  await fired(hub, 'first?service=db');
  await fired(hub, 'second?service=web');
  assert.deepEqual(names(await blocked.answer), ['second']);
});

test('consul 34: a filter finds its events behind 300 others', async (t) => {
  const hub = await startNode(t);
  await registered(hub, { Name: 'rare' }, { Name: 'load' });
  await fired(hub, 'first?service=rare');
  const connection = new Connection(hub);
  for (let number = 0; number < 300; number++) await connection.send('PUT', '/v1/event/fire/load?service=load');
  connection.close();
  assert.deepEqual(names(await list(hub, 'service=rare')), ['first']);
});

test('consul 34: events for other nodes take no place in the list', async (t) => {
  const hub = await startNode(t);
  await fired(hub, 'mine');
  const connection = new Connection(hub);
  for (let number = 0; number < 300; number++) await connection.send('PUT', '/v1/event/fire/load?node=db');
  connection.close();
  assert.deepEqual(names(await list(hub)), ['mine']);
});
