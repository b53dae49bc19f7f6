// Belfry as the agent: by which ways extensions are registered.
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { startClosedHub, bearer } from '../closed_hub.mjs';
import { belfry, eventually, makeHub, startHub, temporaryDirectory } from '../hub.mjs';
import { caughtUp, event, id, number, post, quick, register, registered, show } from './agent.mjs';
import { on, startExtension } from './extension.mjs';

const all = on('/events/all', '*');
const listed = async (hub) => (await hub.call('GET', '/api/v1/extensions')).extensions;
const basicOf = (call) => Buffer.from(call.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString();

// A hub that finds extensions in its environment, its file and its drop-in directory.
async function prepare(t) {
  const directory = await temporaryDirectory(t);
  const dropIns = path.join(directory, 'extensions.d');
  await mkdir(dropIns);
  const file = path.join(directory, 'belfry.yaml');
  const drop = (name, text) => writeFile(path.join(dropIns, name), text);
  const start = async (env = {}, extensions = []) => {
    await writeFile(file, JSON.stringify({ steadybit: { extensions } }));
    const hub = makeHub(t, path.join(directory, 'data'), '--config', file, '--set', `steadybit.extensions_directory=${dropIns}`);
    hub.env = env;
    return hub.start();
  };
  return { directory, drop, start };
}

async function allDeliver(hub, extensions) {
  await post(hub, event(1));
  await Promise.all(extensions.map((extension) => extension.received(1)));
  for (const { name } of await listed(hub)) await caughtUp(hub, name);
  for (const extension of extensions) assert.deepEqual(extension.ids(), [id(1)]);
}

test('the API answers 201 with the extension, lists it, shows it and forgets it', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const answer = await hub.request('POST', '/api/v1/extensions', { url: extension.url });
  assert.equal(answer.status, 201);
  const { name, url, profile, index, listeners, offset, lag } = answer.json;
  assert.match(name, /^[a-z0-9._:-]{1,128}$/);
  assert.deepEqual([profile, offset, lag], ['push', 0, 0]);
  assert.ok(url.startsWith(extension.url), url);
  assert.equal(index.etag, 'kit-1');
  assert.deepEqual(listeners, [{ method: 'POST', path: '/events/all', listenTo: ['*'], restrictTo: 'leader', state: 'active' }]);
  assert.deepEqual((await listed(hub)).map((one) => one.name), [name]);
  const removed = await hub.request('DELETE', `/api/v1/extensions/${encodeURIComponent(name)}`);
  assert.equal(removed.status, 204);
  assert.deepEqual(await listed(hub), []);
});

test('steadybit 13: registering one URL again merges, whatever it is called and however it is spelt', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all] });
  const { port } = new URL(extension.url);
  await register(hub, { url: extension.url, name: 'first' });
  await post(hub, event(1));
  await extension.received(1);
  for (const url of [extension.url, `${extension.url}/`, `HTTP://127.0.0.1:${port}`, `http://agent:word-of-passing@127.0.0.1:${port}/`]) {
    const answer = await hub.request('POST', '/api/v1/extensions', { url });
    assert.ok(answer.status < 300, `${url}: ${answer.text}`);
  }
  assert.equal((await listed(hub)).length, 1);
  await post(hub, event(2));
  await extension.received(2);
  await caughtUp(hub, (await listed(hub))[0].name);
  assert.deepEqual(extension.calls.map(number), [1, 2], 'the cursor stayed');
});

test('the environment of an agent registers, typed and untyped, with credentials and method', async (t) => {
  const { start } = await prepare(t);
  const [typed, untyped, second, put, actions] = await Promise.all(Array.from({ length: 5 }, () => startExtension(t, { listeners: [all] })));
  const hub = await start({
    STEADYBIT_AGENT_EVENTS_EXTENSIONS_0_URL: typed.url,
    STEADYBIT_AGENT_EVENTS_EXTENSIONS_0_BASIC_USERNAME: 'agent',
    STEADYBIT_AGENT_EVENTS_EXTENSIONS_0_BASIC_PASSWORD: 'hunter2hunter2',
    STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_0_URL: untyped.url,
    STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_1_URL: second.url,
    STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_2_URL: put.url,
    STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_2_METHOD: 'PUT',
    STEADYBIT_AGENT_ACTIONS_EXTENSIONS_0_URL: actions.url,
    STEADYBIT_AGENT_REGISTER_INTERVAL: '5s',
  });
  await eventually('all indexes are there', async () => (await listed(hub)).filter(({ listeners }) => listeners.length === 1).length === 4);
  await allDeliver(hub, [typed, untyped, second, put]);
  assert.equal(basicOf(typed.calls[0]), 'agent:hunter2hunter2');
  assert.equal(basicOf(untyped.calls[0]), '');
  assert.deepEqual([put.indexes[0].method, second.indexes[0].method], ['PUT', 'GET']);
  assert.deepEqual(actions.calls.concat(actions.indexes), [], 'actions are no events');
  const told = hub.log + JSON.stringify(await listed(hub)) + (await hub.request('GET', '/api/v1/status')).text;
  assert.ok(!told.includes('hunter2hunter2'));
});

test('drop-in files register by URL and by socket, with the types of either spelling', async (t) => {
  const { directory, drop, start } = await prepare(t);
  const socket = path.join(directory, 'x.sock');
  const [event_, events, untyped, action] = await Promise.all(Array.from({ length: 4 }, () => startExtension(t, { listeners: [all] })));
  const local = await startExtension(t, { listeners: [all], where: { path: socket } });
  await drop('extension-one.yaml', `url: ${event_.url}\ntypes:\n  - ACTION\n  - EVENT\n`);
  await drop('extension-two.yaml', `url: "${events.url}"\ntypes: [DISCOVERIES, EVENTS]\n`);
  await drop('extension-three.yaml', `url: ${untyped.url}\n`);
  await drop('extension-local.yaml', `unixSocket: ${socket}\ntypes: [EVENT]\n`);
  await drop('extension-action.yaml', `url: ${action.url}\ntypes: [ACTION, DISCOVERY]\n`);
  await drop('another.yaml', `url: ${action.url}\n`);
  await drop('extension-other.yaml.bak', `url: ${action.url}\n`);
  const hub = await start();
  await eventually('all indexes are there', async () => (await listed(hub)).filter(({ listeners }) => listeners.length === 1).length === 4);
  await allDeliver(hub, [event_, events, untyped, local]);
  assert.deepEqual(action.indexes, []);
});

test('a drop-in file that is broken is told with its place, and its neighbours work', async (t) => {
  const { drop, start } = await prepare(t);
  const good = await startExtension(t, { listeners: [all] });
  await drop('extension-a.yaml', 'url: [unclosed\n');
  await drop('extension-b.yaml', `url: ${good.url}\n`);
  await drop('extension-c.yaml', 'types: [EVENT]\n');
  const hub = await start();
  await eventually('the good one is there', async () => (await listed(hub)).some(({ listeners }) => listeners.length === 1));
  await allDeliver(hub, [good]);
  assert.match(hub.log, /extension-a\.yaml/);
  assert.match(hub.log, /extension-c\.yaml/);
});

test('a drop-in file that breaks later costs its extension nothing, one that goes does', async (t) => {
  const { directory, drop, start } = await prepare(t);
  const extension = await startExtension(t, { listeners: [all] });
  await drop('extension-a.yaml', `name: web\nurl: ${extension.url}\n`);
  const hub = await start();
  await eventually('it is there', async () => (await listed(hub))[0]?.listeners.length === 1);
  await allDeliver(hub, [extension]);
  const kept = () => eventually('it is told as kept', () => /an extension is kept as it was/.test(hub.log));
  await drop('extension-a.yaml', 'url: [unclosed\n');
  hub.process.kill('SIGHUP');
  await kept();
  await post(hub, event(2));
  await extension.received(2);
  await hub.restart();
  await eventually('it is there again', async () => (await listed(hub))[0]?.listeners.length === 1);
  await post(hub, event(3));
  await extension.received(3);
  assert.deepEqual(extension.calls.map(number), [1, 2, 3], 'the cursor stayed');
  await rm(path.join(directory, 'extensions.d', 'extension-a.yaml'));
  hub.process.kill('SIGHUP');
  await eventually('it is gone', async () => (await listed(hub)).length === 0);
});

test('the configuration registers with all that the API takes', async (t) => {
  const { start } = await prepare(t);
  const [plain, full] = await Promise.all([startExtension(t, { listeners: [all] }), startExtension(t, { listeners: [all], prefix: '/p' })]);
  const hub = await start({}, [
    { url: plain.url },
    { name: 'full', url: full.url, basic: { username: 'agent', password: 'hunter2hunter2' }, profile: { poll: { interval: '100ms', limit: 5 } }, ...quick() },
  ]);
  await eventually('both indexes are there', async () => (await listed(hub)).filter(({ listeners }) => listeners.length === 1).length === 2);
  assert.deepEqual((await show(hub, 'full')).profile, { poll: { interval: '100ms', limit: 5 } });
  await allDeliver(hub, [plain, full]);
  assert.equal(basicOf(full.calls[0]), 'agent:hunter2hunter2');
  assert.equal(full.calls[0].target, '/p/events/all');
});

test('a wrong registration in the configuration stops the start with the member at fault', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = path.join(directory, 'belfry.yaml');
  for (const [extensions, words] of [
    [[{ url: 'ftp://127.0.0.1/' }], /url/],
    [[{ url: 'http://127.0.0.1:9/', surprise: 1 }], /surprise/],
    [{ url: 'http://127.0.0.1:9/' }, /steadybit\.extensions/],
  ]) {
    await writeFile(file, JSON.stringify({ steadybit: { extensions } }));
    const { code, stderr } = await belfry(['serve', '--listen', '127.0.0.1:0', '--data', path.join(directory, 'data'), '--config', file]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, words);
  }
});

test('steadybit 13: by environment, file, configuration and API, one URL is one extension', async (t) => {
  const { drop, start } = await prepare(t);
  const extension = await startExtension(t, { listeners: [all] });
  await drop('extension-one.yaml', `url: ${extension.url}/\ntypes: [EVENT]\n`);
  const env = { STEADYBIT_AGENT_EVENTS_EXTENSIONS_0_URL: extension.url, STEADYBIT_AGENT_EXTENSIONS_REGISTRATIONS_7_URL: extension.url };
  const hub = await start(env, [{ url: extension.url }]);
  await registered(hub, extension);
  assert.equal((await listed(hub)).length, 1);
  await allDeliver(hub, [extension]);
  await hub.restart();
  await eventually('it is there again', async () => (await listed(hub))[0]?.listeners.length === 1);
  await post(hub, event(2));
  await extension.received(2);
  assert.deepEqual(extension.calls.map(number), [1, 2]);
});

test('a closed hub registers for those who may write subscriptions, and shows to those who may read them', async (t) => {
  const { hub, secret, makeToken } = await startClosedHub(t);
  const makePolicy = (name, rules) => hub.call('POST', '/api/v1/policies', { name, rules }, bearer(secret));
  await makePolicy('reader', { subscription: 'read' });
  await makePolicy('narrow', { subscription: 'write', event_prefix: { 'killswitch.': 'read' } });
  await makePolicy('writer', { subscription: 'write', event_prefix: { '': 'read' } });
  const tokens = await Promise.all(['reader', 'narrow', 'writer'].map((policy) => makeToken(policy)));
  const [reader, narrow, writer] = tokens.map((token) => bearer(token.secret));
  const extension = await startExtension(t, { listeners: [all] });
  const add = (headers) => hub.request('POST', '/api/v1/extensions', { url: extension.url, name: 'web' }, headers);
  assert.equal((await add({})).status, 401);
  assert.equal((await add(reader)).status, 403);
  assert.equal((await add(narrow)).status, 403, 'an extension asks for events by itself, so for any');
  assert.deepEqual(extension.indexes, [], 'nobody was asked');
  const added = await add(writer);
  assert.equal(added.status, 201, added.text);
  assert.equal((await hub.request('GET', '/api/v1/extensions/web')).status, 401);
  assert.equal((await hub.request('GET', '/api/v1/extensions/web', undefined, reader)).status, 200);
  for (const [method, what] of [['DELETE', ''], ['POST', '/refresh']]) {
    assert.equal((await hub.request(method, `/api/v1/extensions/web${what}`, undefined, reader)).status, 403, method);
  }
  assert.equal((await hub.request('DELETE', '/api/v1/extensions/web', undefined, writer)).status, 204);
});
