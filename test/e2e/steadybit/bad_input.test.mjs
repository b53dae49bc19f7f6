// Belfry as the agent: what extensions get wrong is told where people look, and no other extension notices.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { eventually, startHub, temporaryDirectory } from '../hub.mjs';
import { startListener, startRawListener } from '../listener.mjs';
import { caughtUp, event, from, number, post, postAll, quick, register, registered, remove, show } from './agent.mjs';
import { on, redirect, startExtension } from './extension.mjs';

const all = on('/events/all', '*');
const index = (eventListeners, more = {}) => ({ status: 200, body: JSON.stringify({ eventListeners, ...more }) });

// What stands where the index should be; `reason` is in `index.error`.
const wrong = [
  ['text', { status: 200, headers: { 'Content-Type': 'application/json' }, body: 'not JSON' }, /JSON/i],
  ['half of it', { status: 200, body: '{"eventListeners":[' }, /JSON/i],
  ['HTML', { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<!doctype html><title>Login</title>' }, /JSON/i],
  ['an array', { status: 200, body: '[]' }, /object/],
  ['a string', { status: 200, body: '"{}"' }, /object/],
  ['null', { status: 200, body: 'null' }, /object/],
  ['two values', { status: 200, body: '{}{}' }, /JSON/i],
  ['no UTF-8', { status: 200, body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }, /UTF-8|JSON/i],
  ['an object for the listeners', index({ path: '/a' }), /eventListeners/],
  ['a text for the listeners', index('all'), /eventListeners/],
  ['a number for the listeners', index(1), /eventListeners/],
  ['an error of the kit', { status: 500, body: '{"title":"Internal Server Error"}' }, /500/],
  ['404', { status: 404, body: 'not found' }, /404/],
  ['401', { status: 401, headers: { 'WWW-Authenticate': 'Basic' } }, /401/],
  ['204', { status: 204 }, /204|body|JSON/i],
  ['304 that was not asked for', { status: 304 }, /304/],
  ['a coding that was not asked for', { status: 200, headers: { 'Content-Encoding': 'br' }, body: 'x' }, /encoded \(br\)/],
  ['10 MiB', { status: 200, body: JSON.stringify({ eventListeners: [all], padding: 'x'.repeat(10 * 1024 * 1024) }) }, /4 ?MiB|4194304|large|limit/i],
  ['deep nesting', { status: 200, body: `{"eventListeners":[],"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}` }, /deep|nest|depth|JSON/i],
];

test('an index that is none has a reason, in the status and at once', async (t) => {
  const hub = await startHub(t);
  const good = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, good);
  for (const [place, [what, answer, reason]] of wrong.entries()) {
    const bad = await startExtension(t, { indexAnswer: () => answer });
    const shown = await registered(hub, bad, { name: `bad-${place}` });
    assert.match(shown.index.error ?? 'no error', reason, what);
    assert.deepEqual(shown.listeners, [], what);
    assert.equal((await show(hub, `bad-${place}`)).index.error, shown.index.error, what);
    await post(hub, event(place + 1));
  }
  await caughtUp(hub, name);
  assert.deepEqual(good.calls.map(number), from(1, wrong.length));
});

test('an index that is moved is not followed, and the reason names where it went', async (t) => {
  const hub = await startHub(t);
  const elsewhere = await startListener(t, () => 200);
  const moved = await startExtension(t, { indexAnswer: () => redirect(301, `${elsewhere.url}?key=hunter2secret`) });
  const { index: { error } } = await registered(hub, moved, { basic: { username: 'agent', password: 'hunter2hunter2' } });
  assert.ok(error.includes('301') && error.includes(new URL(elsewhere.url).host), error);
  assert.ok(!error.includes('hunter2'), error);
  assert.deepEqual(elsewhere.deliveries, []);
});

test('of 10,000 listeners the first thousand work and the others are refused', async (t) => {
  const hub = await startHub(t);
  const many = await startExtension(t, { listeners: from(1, 10_000).map((count) => on(`/events/${count}`, `made.up.${count}`)) });
  const { name, listeners } = await registered(hub, many, { name: 'many' });
  assert.equal(listeners.filter(({ state }) => state === 'active').length, 1000);
  const refused = listeners.filter(({ state }) => state === 'refused');
  assert.ok(refused.length > 0 && refused.every(({ reason }) => /1,?000/.test(reason)), refused[0]?.reason);
  for (const count of [1, 1000, 1001, 10_000]) await hub.publish(`made.up.${count}`);
  await caughtUp(hub, name);
  assert.deepEqual(many.calls.map((call) => call.path), ['/events/1', '/events/1000']);
});

test('a listener of ten thousand names, and ones with long names, are taken or refused, never both', async (t) => {
  const hub = await startHub(t);
  const names = from(1, 10_000).map((count) => `made.up.${count}`);
  const long = 'x'.repeat(100_000);
  const extension = await startExtension(t, { listeners: [on('/names', ...names), on('/long', long), on(`/${long}`, '*'), all] });
  const { name, listeners } = await registered(hub, extension);
  await hub.publish('made.up.9999');
  await caughtUp(hub, name);
  const called = new Set(extension.calls.map((call) => call.path));
  for (const [path, wants] of [['/names', true], ['/long', false], [all.path, true]]) {
    const { state, reason } = listeners.find((listener) => listener.path === path);
    assert.equal(called.has(path), wants && state === 'active', path);
    assert.ok(state === 'active' || reason, path);
  }
  assert.equal(listeners.length, 4);
});

test('an extension that hangs, or ends in the middle of its index, is told and does not stop the others', async (t) => {
  const hub = await startHub(t);
  const good = await startExtension(t, { listeners: [all] });
  const { name } = await registered(hub, good);
  const half = await startRawListener(t, (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"eventLis'));
  const noise = await startRawListener(t, (socket) => socket.end('220 mail.example.com ESMTP\r\n'));
  const gone = await startRawListener(t, (socket) => socket.destroy());
  for (const [what, url] of [['half', half], ['noise', noise], ['gone', gone]]) {
    const { index: { error }, listeners } = await register(hub, { name: what, url });
    assert.match(error, /\S{3}/, what);
    assert.deepEqual(listeners, [], what);
  }
  const silent = await startRawListener(t, () => {});
  let answered = false;
  const pending = register(hub, { name: 'silent', url: silent }).finally(() => (answered = true));
  await postAll(hub, [1, 2, 3]);
  await caughtUp(hub, name);
  assert.ok(!answered, 'others are served meanwhile');
  await eventually('the ten seconds of an index are over', () => answered);
  const { index: { error } } = await pending;
  assert.match(error, /time/i);
  assert.deepEqual(good.calls.map(number), [1, 2, 3]);
});

test('registrations that are wrong are refused with the member at fault and leave nothing', async (t) => {
  const hub = await startHub(t);
  const directory = await temporaryDirectory(t);
  await writeFile(path.join(directory, 'no.pem'), 'no certificate');
  const url = 'http://127.0.0.1:9/';
  for (const [document, field] of [
    [{}, /url/],
    [{ url, unixSocket: '/run/x.sock' }, /url|unixSocket/],
    [{ url: 'ftp://127.0.0.1/' }, /url/],
    [{ url: 'no url' }, /url/],
    [{ url: 7 }, /url/],
    [{ unixSocket: 'relative.sock' }, /unixSocket/],
    [{ unixSocket: `/${'x'.repeat(200)}` }, /unixSocket/],
    [{ url, name: 'A B' }, /name/],
    [{ url, method: 'G T' }, /method/],
    [{ url, basic: { username: 'a' } }, /password/],
    [{ url, basic: { username: 'a:b', password: 'c' } }, /username/],
    [{ url, pathResolution: 'suffix' }, /pathResolution/],
    [{ url, profile: 'pull' }, /profile/],
    [{ url, profile: { poll: { interval: '0s' } } }, /interval/],
    [{ url, profile: { poll: { limit: 0 } } }, /limit/],
    [{ url, profile: { poll: { every: '5s' } } }, /every/],
    [{ url, tls: { ca: '/nowhere.pem' } }, /tls/],
    [{ url: 'https://127.0.0.1:9/', tls: { ca: path.join(directory, 'no.pem') } }, /tls|ca/],
    [{ url: 'https://127.0.0.1:9/', tls: { cert: '/nowhere.pem' } }, /tls|key/],
    [{ url, delivery: { order: 'none' } }, /order/],
    [{ url, surprise: 1 }, /surprise/],
  ]) {
    const answer = await hub.request('POST', '/api/v1/extensions', document);
    const text = JSON.stringify(document);
    assert.equal(answer.status, 400, `${text}: ${answer.text}`);
    assert.match(`${answer.json.field} ${answer.json.detail}`, field, text);
  }
  for (const body of ['', '[]', '{"url":', 'null']) {
    assert.equal((await hub.request('POST', '/api/v1/extensions', body, { 'Content-Type': 'application/json' })).status, 400, body);
  }
  assert.deepEqual((await hub.call('GET', '/api/v1/extensions')).extensions, []);
});

test('an extension that nobody registered is not found', async (t) => {
  const hub = await startHub(t);
  for (const [method, what] of [['GET', ''], ['DELETE', ''], ['POST', '/refresh']]) {
    const answer = await hub.request(method, `/api/v1/extensions/nobody${what}`);
    assert.deepEqual([answer.status, answer.json.code], [404, 'not_found'], method);
  }
});

test('an extension that is removed while a call hangs is not called again', async (t) => {
  const hub = await startHub(t);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const extension = await startExtension(t, { listeners: [all], handlers: { [all.path]: () => held } });
  const { name } = await registered(hub, extension, quick());
  await postAll(hub, [1, 2, 3]);
  await extension.received(1);
  await remove(hub, name);
  release();
  assert.equal((await hub.request('GET', `/api/v1/extensions/${encodeURIComponent(name)}`)).status, 404);
  const other = await startExtension(t, { listeners: [all] });
  const { name: next } = await registered(hub, other);
  await post(hub, event(4));
  await caughtUp(hub, next);
  assert.deepEqual(extension.calls.map(number), [1]);
  const again = await registered(hub, extension);
  assert.equal(again.lag, 0, 'it begins anew');
  await post(hub, event(5));
  await eventually('the new event', () => extension.calls.length === 2);
  assert.equal(number(extension.calls[1]), 5);
});
