// Belfry as the agent: what it asks extensions for, and what it makes of their indexes.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { makeAuthority } from '../certificates.mjs';
import { eventually, startHub, temporaryDirectory } from '../hub.mjs';
import { startListener } from '../listener.mjs';
import { readFile } from 'node:fs/promises';
import { caughtUp, event, from, id, post, postAll, quick, refresh, register, registered, show, states } from './agent.mjs';
import { on, redirect, startExtension } from './extension.mjs';

// Indexes are asked for again at once instead of every five minutes.
const often = ['--set', 'steadybit.index_refresh=100ms'];
const all = on('/events/all', '*');

test('steadybit 1: the index is asked for with GET at exactly the registered URL, or with the method that was set', async (t) => {
  const hub = await startHub(t);
  const root = await startExtension(t, { listeners: [all] });
  const deep = await startExtension(t, { listeners: [all], prefix: '/some/path' });
  const put = await startExtension(t, { listeners: [all] });
  await registered(hub, root);
  await registered(hub, deep);
  await registered(hub, put, { method: 'PUT' });
  const asked = [root, deep, put].map(({ indexes }) => indexes.map(({ method, target }) => `${method} ${target}`));
  assert.deepEqual(asked, [['GET /'], ['GET /some/path'], ['PUT /']]);
  const [{ headers }] = root.indexes;
  assert.match(headers.accept, /application\/json/);
  assert.equal(headers.host, new URL(root.url).host);
  assert.match(headers['user-agent'], /^belfry\//i);
});

test('steadybit 2: other members of an index are ignored, and one without listeners is no error', async (t) => {
  const hub = await startHub(t);
  const foreign = { actions: [{ method: 'GET', path: '/actions' }], discoveries: null, targetTypes: [], advice: [{ deep: [[{}]] }], preflights: 'later' };
  const merged = await startExtension(t, { listeners: [all], foreign });
  const none = await startExtension(t, { listeners: null, foreign });
  const absent = await startExtension(t, { indexAnswer: () => ({ status: 200, body: JSON.stringify(foreign) }) });
  const shown = await registered(hub, merged);
  assert.deepEqual(states(shown), { '/events/all': 'active' });
  for (const extension of [none, absent]) {
    const { listeners, index, last_error: error } = await registered(hub, extension);
    assert.deepEqual([listeners, index.error ?? null, error ?? null], [[], null, null]);
    assert.equal(index.note, 'it names no listeners');
    assert.ok(Date.now() - Date.parse(index.fetched) < 60_000, index.fetched);
  }
  await post(hub, event(1));
  await merged.received(1);
});

test('steadybit 3: a listener of nothing is never called, its siblings are', async (t) => {
  const hub = await startHub(t);
  const listeners = [{ path: '/null', method: 'POST', listenTo: null }, on('/empty'), { path: '/absent', method: 'POST' }, all];
  const extension = await startExtension(t, { listeners });
  const shown = await registered(hub, extension);
  assert.equal(states(shown)['/events/all'], 'active');
  const nothing = 'listens to no event';
  assert.deepEqual(shown.listeners.map(({ warning }) => warning), [nothing, nothing, nothing, undefined]);
  assert.equal(shown.index.note, undefined);
  await postAll(hub, [1, 2]);
  await caughtUp(hub, shown.name);
  assert.deepEqual(extension.calls.map((call) => call.path), ['/events/all', '/events/all']);
  assert.deepEqual(extension.strays, []);
});

test('steadybit 4: an invalid listener is refused with a reason and its siblings work', async (t) => {
  const hub = await startHub(t);
  const bad = {
    'GET is no method of a listener': [{ path: '/get', method: 'GET', listenTo: ['*'] }, /method/],
    PATCH: [{ path: '/patch', method: 'patch', listenTo: ['*'] }, /method/],
    'no method': [{ path: '/none', listenTo: ['*'] }, /method/],
    'a number for a method': [{ path: '/number', method: 7, listenTo: ['*'] }, /method/],
    'no slash': [{ path: 'events', method: 'POST', listenTo: ['*'] }, /path/],
    'a URL for a path': [{ path: 'http://elsewhere.example/', method: 'POST', listenTo: ['*'] }, /path/],
    'no path': [{ method: 'POST', listenTo: ['*'] }, /path/],
    'a line end in the path': [{ path: '/a\r\nX-Evil: 1', method: 'POST', listenTo: ['*'] }, /path/],
    'a text for names': [{ path: '/text', method: 'POST', listenTo: '*' }, /listenTo/],
    'a number for a name': [{ path: '/names', method: 'POST', listenTo: ['*', 3] }, /listenTo/],
    'no object': ['/events/all', /object/],
    'null': [null, /object/],
  };
  const refused = Object.values(bad);
  const extension = await startExtension(t, { listeners: [...refused.map(([listener]) => listener), all, on('/more', 'killswitch.engaged')] });
  const shown = await registered(hub, extension);
  assert.equal(shown.listeners.length, refused.length + 2);
  const reasons = shown.listeners.filter(({ state }) => state === 'refused').map(({ reason }) => reason);
  assert.equal(reasons.length, refused.length);
  Object.keys(bad).forEach((what, place) => assert.match(reasons[place], refused[place][1], what));
  await post(hub, event(1));
  await caughtUp(hub, shown.name);
  assert.deepEqual(extension.calls.map((call) => call.path).sort(), ['/events/all', '/more']);
  assert.deepEqual(extension.strays, []);
});

test('steadybit 5: a method in any case is the verb in upper case on the wire', async (t) => {
  const hub = await startHub(t);
  const methods = ['post', 'POST', 'Post', 'put', 'PUT', 'pUt', 'delete', 'DELETE', 'Delete'];
  const extension = await startExtension(t, { listeners: methods.map((method, place) => ({ path: `/${place}`, method, listenTo: ['*'] })) });
  const { listeners } = await registered(hub, extension);
  await post(hub, event(1));
  await extension.received(methods.length);
  const sent = Object.fromEntries(extension.calls.map((call) => [call.path, call]));
  methods.forEach((method, place) => {
    assert.equal(sent[`/${place}`].method, method.toUpperCase());
    assert.equal(sent[`/${place}`].body, event(1), 'each carries the event');
    assert.equal(listeners[place].method, method.toUpperCase());
  });
});

test('steadybit 6: an ETag goes back byte for byte, 304 keeps the listeners and a new one swaps them', async (t) => {
  for (const first of ['1763790000123', '"quoted-1"', 'W/"weak-1"', 'nonce 7-3, "odd"']) {
    const hub = await startHub(t, ...often);
    const extension = await startExtension(t, { listeners: [all] });
    extension.etag = first;
    const { name, index } = await registered(hub, extension);
    assert.equal(index.etag, first);
    await eventually('the index is asked for again', () => extension.indexes.length >= 3);
    assert.deepEqual(extension.indexes.slice(0, 3).map(({ headers }) => headers['if-none-match']), [undefined, first, first]);
    assert.deepEqual(states(await show(hub, name)), { '/events/all': 'active' }, '304 keeps them');
    extension.etag = 'restarted-2';
    extension.listeners = [on('/other', '*')];
    await eventually('the new listeners are there', async () => '/other' in states(await show(hub, name)));
    assert.equal((await show(hub, name)).index.etag, 'restarted-2');
    await post(hub, event(1));
    await extension.received(1);
    assert.deepEqual(extension.calls.map((call) => call.path), ['/other']);
  }
});

test('steadybit 7: an index that fails keeps the last good listeners and is shown', async (t) => {
  const hub = await startHub(t, ...often);
  const extension = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, extension, quick());
  let sent = 0;
  const fails = async (what, indexAnswer) => {
    extension.indexAnswer = indexAnswer;
    const { index } = await eventually(`an error for ${what}`, async () => {
      const shown = await show(hub, name);
      return shown.index.error && shown;
    });
    await post(hub, event(++sent));
    await extension.received(sent);
    extension.indexAnswer = undefined;
    await eventually('it is good again', async () => !(await show(hub, name)).index.error);
    return index.error;
  };
  assert.match(await fails('a 500', () => ({ status: 500, body: '{"title":"Internal Server Error","detail":"Panic: nil"}' })), /500/);
  assert.match(await fails('an index that is no JSON', () => ({ status: 200, body: '<html>' })), /JSON/i);
  assert.match(await fails('an array', () => ({ status: 200, body: '[]' })), /object/);
  assert.match(await fails('an index without a body', () => ({ status: 200 })), /./);
  await extension.stop();
  await eventually('a refusal is shown', async () => /refused|connect/i.test((await show(hub, name)).index.error ?? ''));
  assert.deepEqual(states(await show(hub, name)), { '/events/all': 'active' });
  await post(hub, event(++sent));
  await extension.start();
  await extension.received(sent);
  assert.deepEqual(extension.ids(), from(1, sent).map(id));
});

test('steadybit 7: an extension that is not there yet is asked again, and gets what came since its registration', async (t) => {
  const hub = await startHub(t, ...often);
  const extension = await startExtension(t, { listeners: [all] });
  await post(hub, event(1));
  await extension.stop();
  const { name, index, listeners } = await registered(hub, extension);
  assert.match(index.error, /refused|connect/i);
  assert.deepEqual(listeners, []);
  await postAll(hub, [2, 3]);
  assert.equal((await show(hub, name)).lag, 2);
  await extension.start();
  await extension.received(2);
  await caughtUp(hub, name);
  assert.deepEqual(extension.ids(), [id(2), id(3)]);
});

test('steadybit 8: a changed index counts from then on', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all, on('/goes', '*')] });
  const { name } = await registered(hub, extension);
  await post(hub, event(1));
  await extension.received(2);
  await caughtUp(hub, name);
  extension.change([all, on('/comes', '*')]);
  const shown = await refresh(hub, name);
  assert.deepEqual(states(shown ?? (await show(hub, name))), { '/events/all': 'active', '/comes': 'active' });
  await post(hub, event(2));
  await extension.received(4);
  await caughtUp(hub, name);
  const paths = (wanted) => extension.calls.filter(({ event: { id: got } }) => got === id(wanted)).map((call) => call.path).sort();
  assert.deepEqual([paths(1), paths(2)], [['/events/all', '/goes'], ['/comes', '/events/all']]);
});

test('steadybit 8: a new listener gets no event from before, though it waits, nor after a restart', async (t) => {
  for (const signal of [undefined, 'SIGTERM', 'SIGKILL']) {
    const hub = await startHub(t, '--set', 'circuit.probe_interval=20ms');
    let open = false;
    const handlers = { '/events/all': () => (open ? undefined : 503) };
    const extension = await startExtension(t, { listeners: [all], handlers });
    const { name } = await registered(hub, extension, quick(...Array(50).fill('100ms')));
    await postAll(hub, [1, 2, 3]);
    await extension.received(1);
    extension.change([all, on('/new', '*')]);
    await refresh(hub, name);
    await post(hub, event(4));
    if (signal) await hub.restart(signal);
    open = true;
    await caughtUp(hub, name);
    const at = (wanted) => [...new Set(extension.calls.filter((call) => call.path === wanted).map(({ event: { id: got } }) => got))];
    assert.deepEqual([at('/events/all'), at('/new')], [from(1, 4).map(id), [id(4)]], `${signal}`);
  }
});

test('steadybit 9: a large index is understood, compressed only if that was offered', async (t) => {
  const hub = await startHub(t);
  const listeners = from(1, 900).map((count) => on(`/events/${count}`, `made.up.${count}`));
  const extension = await startExtension(t, { listeners });
  const shown = await registered(hub, extension);
  assert.equal(shown.listeners.filter(({ state }) => state === 'active').length, 900);
  await hub.publish('made.up.777');
  await extension.received(1);
  assert.equal(extension.calls[0].path, '/events/777');
});

test('steadybit 10: path and listener meet with one slash, the query of the registration is dropped', async (t) => {
  const hub = await startHub(t);
  let sent = 0;
  for (const [prefix, suffix, target] of [
    ['', '', '/events/all'],
    ['', '/', '/events/all'],
    ['/p', '', '/p/events/all'],
    ['/p', '/', '/p/events/all'],
    ['/p/q', '?token=1', '/p/q/events/all'],
  ]) {
    const extension = await startExtension(t, { listeners: [all, on('/events/query?a=b&c', '*')], prefix });
    const { name } = await register(hub, { url: `${extension.url}${suffix}` });
    await post(hub, event(++sent));
    await extension.received(2);
    await caughtUp(hub, name);
    const targets = extension.calls.map((call) => call.target).sort();
    assert.deepEqual(targets, [target, target.replace('all', 'query?a=b&c')], `${prefix}${suffix}`);
    assert.deepEqual(extension.strays, []);
    await hub.call('DELETE', `/api/v1/extensions/${encodeURIComponent(name)}`);
  }
});

test('steadybit 10: by pathResolution origin, the path of the registration is for the index alone', async (t) => {
  const hub = await startHub(t);
  // Its index is at /events, and its listener's path begins with that already.
  const extension = await startExtension(t, { listeners: [all], prefix: '/events', handlers: { '/all': () => undefined } });
  const { listeners } = await registered(hub, extension, { pathResolution: 'origin' });
  assert.equal(listeners[0].state, 'active');
  await post(hub, event(1));
  await extension.received(1);
  assert.equal(extension.calls[0].target, '/events/all');
});

test('steadybit 11: credentials go with the index and every call, into no log, listing or redirect', async (t) => {
  const hub = await startHub(t, ...often);
  const elsewhere = await startListener(t);
  let redirects = false;
  const moved = () => redirect(301, elsewhere.url);
  const extension = await startExtension(t, { listeners: [all], handlers: { '/events/all': () => (redirects ? moved() : undefined) } });
  const password = 'pass:word-of-the-extension';
  const basic = `Basic ${Buffer.from(`agent:${password}`).toString('base64')}`;
  const { name } = await registered(hub, extension, { basic: { username: 'agent', password }, ...quick('20ms', '20ms') });
  const other = await startExtension(t, { listeners: [all] });
  const inUrl = await register(hub, { url: other.url.replace('//', `//agent:${encodeURIComponent(password)}@`), ...quick() });
  await post(hub, event(1));
  await Promise.all([extension.received(1), other.received(1)]);
  await eventually('a second index', () => extension.indexes.length > 1 && other.indexes.length > 1);
  for (const { calls, indexes } of [extension, other]) {
    for (const { headers } of [...calls, ...indexes]) assert.equal(headers.authorization, basic);
  }
  redirects = true;
  extension.indexAnswer = moved;
  await post(hub, event(2));
  await eventually('both redirects are shown', async () => (await show(hub, name)).index.error && (await show(hub, name)).last_error);
  assert.deepEqual(elsewhere.deliveries, []);
  const told = [hub.log];
  for (const target of ['/api/v1/extensions', `/api/v1/extensions/${encodeURIComponent(name)}`, `/api/v1/extensions/${encodeURIComponent(inUrl.name)}`,
    '/api/v1/subscriptions', '/api/v1/dead-letters', '/metrics', `/api/v1/extensions/${encodeURIComponent(name)}/attempts`]) {
    told.push((await hub.request('GET', target)).text);
  }
  for (const text of told) {
    for (const secret of [password, encodeURIComponent(password), basic.slice(6)]) assert.ok(!text.includes(secret), text);
  }
});

test('steadybit 12: events go over a unix socket', async (t) => {
  const hub = await startHub(t);
  const socket = path.join(await temporaryDirectory(t), 'extension.sock');
  const extension = await startExtension(t, { listeners: [all], where: { path: socket } });
  const { name, listeners } = await registered(hub, extension, quick());
  assert.equal(listeners[0].state, 'active');
  await post(hub, event(1));
  await extension.received(1);
  assert.ok(extension.calls[0].headers.host, 'there is a Host');
  await extension.stop();
  await post(hub, event(2));
  await eventually('the missing socket is shown', async () => /\S/.test((await show(hub, name)).last_error ?? ''));
  await extension.start();
  await extension.received(2);
  assert.equal(extension.calls.at(-1).body, event(2));
});

async function startMutual(t) {
  const directory = await temporaryDirectory(t);
  const [own, foreign] = await Promise.all(['own', 'foreign'].map((name) => makeAuthority(directory, name)));
  const [server, client] = await Promise.all([own.issue('server', 'IP:127.0.0.1'), own.issue('client', 'DNS:hub')]);
  const [cert, key, ca] = await Promise.all([server.certificate, server.key, own.certificate].map((file) => readFile(file)));
  const tls = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
  const extension = await startExtension(t, { listeners: [all], tls });
  return { extension, own, foreign, client };
}

test('steadybit 12: events go over TLS to an extension that wants a certificate', async (t) => {
  const hub = await startHub(t);
  const { extension, own, client } = await startMutual(t);
  const { listeners } = await registered(hub, extension, { tls: { ca: own.certificate, cert: client.certificate, key: client.key } });
  assert.deepEqual(listeners.map(({ state }) => state), ['active']);
  await post(hub, event(1));
  await extension.received(1);
  assert.equal(extension.calls[0].body, event(1));
});

test('steadybit 12: a wrong authority or a missing certificate is a failure that is shown', async (t) => {
  const hub = await startHub(t);
  const { extension, own, foreign, client } = await startMutual(t);
  const certificate = { cert: client.certificate, key: client.key };
  const wrong = { 'a wrong authority': { ca: foreign.certificate, ...certificate }, 'no certificate': { ca: own.certificate }, 'no authority': certificate };
  for (const [what, tls] of Object.entries(wrong)) {
    const { name, index, listeners } = await registered(hub, extension, { tls, ...quick() });
    assert.match(index.error, /certificate|tls|handshake|verif/i, what);
    assert.deepEqual(listeners, [], what);
    await hub.call('DELETE', `/api/v1/extensions/${encodeURIComponent(name)}`);
  }
  const http = await register(hub, { url: extension.url.replace('https', 'http') });
  assert.match(http.index.error, /\S/);
  await post(hub, event(1));
  assert.deepEqual(extension.calls, []);
});
