// The index that a program made with the kit shows to agents.
import assert from 'node:assert/strict';
import test from 'node:test';
import { event } from '../steadybit/agent.mjs';
import { ask, refusesToStart, scripted, startExample, startScripted } from './kit.mjs';

const index = (kit, headers = {}, method = 'GET') => kit.ask(method, '/', undefined, { headers });

function assertListener(listener) {
  const { path, method, listenTo, ...more } = listener;
  assert.match(path, /^\/.*$/);
  assert.match(method, /^(POST|PUT|DELETE)$/);
  assert.ok(Array.isArray(listenTo) && listenTo.every((name) => typeof name === 'string'), JSON.stringify(listenTo));
  assert.deepEqual(more, {}, 'only what the schema has');
}

test('eventkit 37: the index is JSON with listeners, each once, of the fields of the schema', async (t) => {
  const kit = await startExample(t);
  const { status, headers, json } = await index(kit);
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^application\/json\b/);
  assert.ok(Array.isArray(json.eventListeners));
  assert.ok(json.eventListeners.length > 0);
  json.eventListeners.forEach(assertListener);
  const texts = json.eventListeners.map((listener) => JSON.stringify(listener));
  assert.equal(new Set(texts).size, texts.length);
  assert.ok(json.eventListeners.some(({ path, method, listenTo }) => path === '/events/all' && method === 'POST' && listenTo.includes('*')));
  assert.deepEqual([json.actions, json.discoveries], [[], []], 'eventkit 38: what the example adds');
});

test('eventkit 37: without a listener the index has an empty array', async (t) => {
  const none = await startScripted(t, { SCRIPTED_LISTENERS: 'none' });
  assert.deepEqual((await index(none)).json.eventListeners, []);
});

test('eventkit 37: a listener that the schema does not allow ends the start with a clear line', async (t) => {
  const wrongs = { nameless: /\/nameless.*names no event/, pathless: /pathless/, root: /no path/, 'no-array': /no-array.*array/, reserved: /eventListeners/ };
  for (const [wrong, words] of Object.entries(wrongs)) {
    const { code, said } = await refusesToStart(t, { SCRIPTED_LISTENERS: wrong }, scripted);
    assert.equal(code, 1, wrong);
    assert.match(said, words);
  }
});

test('eventkit 37: a listener that is told twice stands there once, and what is told of one path and method is one listener', async (t) => {
  const { json } = await index(await startScripted(t));
  json.eventListeners.forEach(assertListener);
  const at = (path) => json.eventListeners.filter((listener) => listener.path === path);
  assert.deepEqual(at('/twice'), [{ path: '/twice', method: 'POST', listenTo: ['*'] }]);
  assert.deepEqual(at('/shared').map(({ listenTo }) => listenTo), [['killswitch.engaged', 'killswitch.disengaged']]);
  assert.deepEqual(at('/put').concat(at('/delete')).map(({ method }) => method), ['PUT', 'DELETE']);
});

test('eventkit 38: what the program adds stands beside the listeners', async (t) => {
  const { json } = await index(await startScripted(t));
  assert.deepEqual(json.actions, [{ method: 'GET', path: '/actions/one' }]);
  assert.deepEqual(json.discoveries, [], 'null is an empty one');
  assert.ok(Array.isArray(json.eventListeners) && json.eventListeners.length > 0);
});

test('eventkit 38: a member keeps every digit and character that the program gave it', async (t) => {
  const { text } = await index(await startScripted(t));
  assert.ok(text.includes('[{"big":12345678901234567890,"text":"ünï \\" \\\\ end"}]'), text);
});

test('eventkit 39: an ETag is there, on HEAD too, stays the same meanwhile and is another after a restart', async (t) => {
  const kit = await startExample(t);
  const { etag } = (await index(kit)).headers;
  assert.match(etag, /^\S+$/);
  assert.equal((await index(kit)).headers.etag, etag);
  assert.equal((await index(kit, {}, 'HEAD')).headers.etag, etag);
  await kit.restart();
  const again = await index(kit, { 'If-None-Match': etag });
  assert.equal(again.status, 200, 'what is described may be another');
  assert.notEqual(again.headers.etag, etag);
});

test('eventkit 39: If-None-Match answers 304 without a body, raw, quoted, weak, in lists and as *', async (t) => {
  const kit = await startExample(t);
  const { etag } = (await index(kit)).headers;
  const raw = etag.replace(/^(W\/)?"(.*)"$/, '$2');
  const matching = [etag, raw, `"${raw}"`, `W/"${raw}"`, `"x", "${raw}"`, `"x","y" , W/"${raw}"`, `x, ${raw}`, ` "${raw}" `, '*', ['"x"', `"${raw}"`]];
  for (const value of matching) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await index(kit, { 'If-None-Match': value }, method);
      assert.deepEqual([answer.status, answer.text], [304, ''], `${method} ${value}`);
      assert.equal(answer.headers.etag, etag, 'a 304 has it, too');
      assert.equal(answer.headers['content-type'], undefined);
    }
  }
  for (const value of ['"x"', 'x', '', '""', `${raw}x`, `"x${raw}"`, '"*"', raw.slice(1)]) {
    const answer = await index(kit, { 'If-None-Match': value });
    assert.equal(answer.status, 200, value);
    assert.ok(answer.json.eventListeners.length > 0);
  }
});

test('eventkit 39: another description has another ETag, while the program runs', async (t) => {
  const kit = await startScripted(t);
  const { etag } = (await index(kit)).headers;
  await kit.send(event(1), '/redescribe');
  const after = await index(kit, { 'If-None-Match': etag });
  assert.equal(after.status, 200);
  assert.notEqual(after.headers.etag, etag);
  assert.deepEqual(after.json.advice, [{ id: 'one' }]);
});

test('eventkit 40: HEAD answers as GET without the body', async (t) => {
  const kit = await startExample(t);
  const get = await index(kit);
  const head = await index(kit, {}, 'HEAD');
  assert.deepEqual([head.status, head.text], [200, '']);
  assert.equal(head.headers['content-type'], get.headers['content-type']);
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  assert.equal(Number(get.headers['content-length']), Buffer.byteLength(get.text));
});

test('eventkit 40: an unknown path is 404 and not the index', async (t) => {
  const kit = await startExample(t);
  const near = ['/events', '/events/', '/events/all/', '//events/all', '/events//all', '/EVENTS/ALL', '/events/all%2f'];
  for (const target of ['/nowhere', '/index', ...near]) {
    for (const method of ['GET', 'POST']) {
      const answer = await kit.ask(method, target, method === 'POST' ? '{}' : undefined);
      assert.equal(answer.status, 404, `${method} ${target}: ${answer.text}`);
      assert.ok(!answer.text.includes('eventListeners'), target);
    }
  }
  assert.deepEqual(await kit.lines(), []);
});

test('eventkit 40: a query belongs to no path', async (t) => {
  const kit = await startExample(t);
  const answer = await kit.ask('GET', '/?a=b');
  assert.equal(answer.status, 200);
  assert.ok(answer.json.eventListeners.length > 0);
});

test('eventkit 40: a wrong verb on a path that is there is 405 with those that are allowed', async (t) => {
  const kit = await startScripted(t);
  const allowed = async (method, target) => {
    const answer = await ask(kit.where, method, target, method === 'GET' ? undefined : '{}');
    assert.equal(answer.status, 405, `${method} ${target}: ${answer.text}`);
    return answer.headers.allow.split(',').map((one) => one.trim()).sort();
  };
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) assert.deepEqual(await allowed(method, '/twice'), ['POST'], method);
  assert.deepEqual(await allowed('POST', '/put'), ['PUT']);
  assert.deepEqual(await allowed('PATCH', '/both'), ['POST', 'PUT']);
  for (const method of ['POST', 'PUT', 'DELETE']) assert.deepEqual(await allowed(method, '/'), ['GET', 'HEAD'], method);
});
