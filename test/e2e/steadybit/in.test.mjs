// Belfry as an extension of Steadybit: an agent asks for the index and posts its events, over plain sockets, so that
// every header and byte is the agent's own.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import test from 'node:test';
import { makeAuthority } from '../certificates.mjs';
import { startClosedHub } from '../closed_hub.mjs';
import { assertNoSecret, startHub, temporaryDirectory } from '../hub.mjs';

// One request of an agent: { status, headers, text }.
function send(hub, method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const { request: call } = hub.url.startsWith('https') ? https : http;
    const request = call(hub.url + path, { method, headers, ...hub.tls }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        try {
          assertNoSecret(answer.rawHeaders.join('\n') + text, 'an answer');
          resolve({ status: answer.statusCode, headers: answer.headers, text });
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const json = { 'Content-Type': 'application/json' };
const post = (hub, body, headers = {}) => send(hub, 'POST', '/steadybit/events', body, { ...json, ...headers });
const id = (number) => `da059724-a8ae-4b4b-b4f0-${String(number).padStart(12, '0')}`;

// The example of the Event API's documentation, as it stands there.
const example = `{
  "id": "da059724-a8ae-4b4b-b4f0-ee01898232d2",
  "eventName": "experiment.execution.created",
  "eventTime": "2021-09-01T12:00:00Z",
  "tenant": {
    "key": "exmpl",
    "name": "Example Inc."
  },
  "principal": {
    "principalType": "user",
    "username": "tom.mason",
    "name": "Tom Mason",
    "email": "tom.mason@example.com"
  },
  "environment": {
    "id": "STG",
    "name": "Staging"
  },
  "team": {
    "key": "ADM",
    "name": "Administrators"
  },
  "experimentExecution": {
    "experimentKey": "ADM-4",
    "executionId": 34,
    "name": "Rollout restart does not impact service availability",
    "state": "COMPLETED",
    "preparedTime": "2022-11-08T16:42:32.303762Z",
    "startedTime": "2022-11-08T16:42:32.329718Z",
    "endedTime": "2022-11-08T16:42:42.636157Z"
  }
}`;
const event = (number, more = {}) =>
  JSON.stringify({ id: id(number), eventName: 'killswitch.engaged', eventTime: '2026-01-02T03:04:05.678+02:00', tenant: { key: 'exmpl', name: 'E' }, ...more });

test('an agent reads the index and refreshes it by its ETag, quoted or bare', async (t) => {
  const hub = await startHub(t);
  const index = await send(hub, 'GET', '/steadybit', undefined, { Accept: 'application/json' });
  assert.equal(index.status, 200);
  assert.equal(index.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(index.text), { eventListeners: [{ method: 'POST', path: '/events', listenTo: ['*'] }] });
  const { etag } = index.headers;
  assert.match(etag, /^"[0-9a-f]+"$/);
  for (const tag of [etag, etag.slice(1, -1), `W/${etag}`, `"a", ${etag}`, '*']) {
    const same = await send(hub, 'GET', '/steadybit', undefined, { 'If-None-Match': tag });
    assert.deepEqual([same.status, same.text, same.headers.etag], [304, '', etag], tag);
  }
  assert.equal((await send(hub, 'GET', '/steadybit', undefined, { 'If-None-Match': '"other"' })).status, 200);
  const head = await send(hub, 'HEAD', '/steadybit');
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', String(index.text.length)]);
  await hub.restart();
  const anew = await send(hub, 'GET', '/steadybit', undefined, { 'If-None-Match': etag });
  assert.equal(anew.status, 200);
  assert.notEqual(anew.headers.etag, etag);
});

test('other verbs and paths are refused with a title and a detail', async (t) => {
  const hub = await startHub(t);
  for (const [method, path, status, allow] of [
    ['GET', '/steadybit/events', 405, 'POST, OPTIONS'],
    ['PUT', '/events', 405, 'POST, OPTIONS'],
    ['POST', '/steadybit', 405, 'GET, HEAD, OPTIONS'],
    ['POST', '/steadybit/events/all', 404],
  ]) {
    const answer = await send(hub, method, path, method === 'GET' ? undefined : example, json);
    assert.deepEqual([answer.status, answer.headers.allow], [status, allow], `${method} ${path}`);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.deepEqual(Object.keys(JSON.parse(answer.text)), ['title', 'detail']);
  }
});

test('the example of the documentation goes in and comes out byte for byte', async (t) => {
  const hub = await startHub(t);
  const taken = await post(hub, example);
  assert.deepEqual([taken.status, taken.text, taken.headers['content-type']], [200, '{}', 'application/json']);
  const stored = await hub.call('GET', '/api/v1/events/da059724-a8ae-4b4b-b4f0-ee01898232d2');
  assert.equal(stored.type, 'experiment.execution.created');
  assert.equal(stored.source, '/steadybit/exmpl');
  assert.equal(stored.subject, 'ADM-4/34');
  assert.equal(stored.time, '2021-09-01T12:00:00Z');
  assert.equal(stored.datacontenttype, 'application/json');
  const data = await send(hub, 'GET', '/api/v1/events/da059724-a8ae-4b4b-b4f0-ee01898232d2/data');
  assert.equal(data.text, example);
});

test('odd but legal bodies pass unchanged: large numbers, foreign members, other UUID spellings, chunks', async (t) => {
  const hub = await startHub(t);
  const body = `{"new":[1e400,{"a":"\\u00e9\\ud83d"}],"id":"{DA059724-A8AE-4B4B-B4F0-EE01898232D2}","eventName":"made.up","eventTime":"2026-01-02t03:04:05z",
    "tenant":{"key":"Größe / 1"},"experimentStepTargetExecution":{"experimentKey":"ADM-4",
    "executionId":9007199254740993,"targetAttributes":{"x":["${'é'.repeat(200_000)}"]}}}`;
  const taken = await post(hub, body, { 'Transfer-Encoding': 'chunked' });
  assert.equal(taken.status, 200, taken.text);
  const [stored] = (await hub.call('GET', '/api/v1/events?type=made.up')).events;
  assert.equal(stored.id, '{DA059724-A8AE-4B4B-B4F0-EE01898232D2}');
  assert.equal(stored.subject, 'ADM-4/9007199254740993');
  assert.equal(stored.source, '/steadybit/Gr%C3%B6%C3%9Fe%20%2F%201');
  assert.equal((await send(hub, 'GET', '/api/v1/events/0/data')).text, body);
  assert.equal((await send(hub, 'POST', '/events', event(1))).status, 200, 'no content type, path against the origin');
});

test('an event is stored once, however often it is sent, also across restarts and with other content', async (t) => {
  const hub = await startHub(t);
  const first = event(1);
  const sendAll = async () => {
    for (const body of [first, first, event(1, { eventName: 'killswitch.disengaged' })]) {
      const answer = await post(hub, body);
      assert.deepEqual([answer.status, answer.text], [200, '{}'], body);
    }
  };
  await sendAll();
  const together = await Promise.all([event(2), event(2), event(2, { eventName: 'x' })].map((body) => post(hub, body)));
  for (const { status, text } of together) {
    assert.ok(status === 200 || (status === 503 && JSON.parse(text).title), `${status} ${text}`);
  }
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    await hub.restart(signal);
    await sendAll();
  }
  assert.equal((await post(hub, event(1, { tenant: { key: 'another' } }))).status, 200);
  const { events } = await hub.call('GET', '/api/v1/events');
  assert.equal(events.length, 3, 'ids are of a tenant');
  assert.equal((await send(hub, 'GET', '/api/v1/events/0/data')).text, first);
});

test('a malformed event is a 500 that names the member, or a 400 by setting', async (t) => {
  const lenient = await startHub(t);
  const strict = await startHub(t, '--set', 'steadybit.strict_status=true');
  for (const [body, words] of [
    ['', 'malformed JSON'],
    ['{"id":', 'malformed JSON at byte 6'],
    [`[${event(1)}]`, 'an event must be an object'],
    ['{}', '"id"'],
    [event('x'), '"id"'],
    [event(1, { eventName: undefined }), '"eventName"'],
    [event(1, { eventTime: '2026-01-02T03:04:05+0200' }), '"eventTime"'],
    [event(1, { tenant: {} }), '"tenant.key"'],
    [event(1, { experimentExecution: { executionId: {} } }), '"experimentExecution.executionId"'],
  ]) {
    for (const [hub, status] of [[lenient, 500], [strict, 400]]) {
      const answer = await post(hub, body);
      assert.equal(answer.status, status, body);
      const error = JSON.parse(answer.text);
      assert.equal(error.title, 'Failed to decode event request body');
      assert.ok(error.detail.includes(words), error.detail);
    }
  }
  assert.deepEqual((await lenient.call('GET', '/api/v1/events')).events, []);
  assert.equal((await post(lenient, event(1))).status, 200, 'the next one is taken');
});

test('a body over the limit is 413 with a title and a detail', async (t) => {
  const hub = await startHub(t, '--set', 'limits.body_bytes=2KiB');
  const answer = await post(hub, event(1, { properties: 'x'.repeat(2048) }));
  assert.equal(answer.status, 413);
  assert.deepEqual(Object.keys(JSON.parse(answer.text)), ['title', 'detail']);
});

test('a closed hub takes events from agents that show a token, as bearer or as password', async (t) => {
  const { hub, makePolicy, makeToken } = await startClosedHub(t);
  await makePolicy('agent', 'event_prefix "killswitch." { policy = "write" }');
  const { secret } = await makeToken('agent');
  const basic = (password) => ({ Authorization: `Basic ${Buffer.from(`agent:${password}`).toString('base64')}` });
  assert.equal((await send(hub, 'GET', '/steadybit')).status, 200);
  const nobody = await post(hub, event(1));
  assert.equal(nobody.status, 401);
  assert.match(nobody.headers['www-authenticate'], /^Basic realm="belfry"/);
  assert.equal((await post(hub, event(1), basic('wrong'))).status, 401);
  assert.equal((await post(hub, event(1), basic(secret))).status, 200);
  assert.equal((await post(hub, event(2), { Authorization: `Bearer ${secret}` })).status, 200);
  assert.equal((await post(hub, event(3, { eventName: 'experiment.execution.failed' }), basic(secret))).status, 403);
  assert.equal((await post(hub, event(4), { ...basic(secret), Origin: 'http://elsewhere.example' })).status, 403);
});

test('with an authority for clients, index and events are for agents that show a certificate of it', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const stranger = await makeAuthority(directory, 'b');
  const own = await authority.issue('hub', 'DNS:localhost,IP:127.0.0.1');
  const settings = { certificate: own.certificate, key: own.key, client_ca: authority.certificate };
  const hub = await startHub(t, ...Object.entries(settings).flatMap(([name, file]) => ['--set', `http.tls.${name}=${file}`]));
  const ca = await readFile(authority.certificate);
  const as = async ({ certificate, key }) => {
    const tls = { ca, agent: false, cert: await readFile(certificate), key: await readFile(key) };
    return { url: hub.url, tls };
  };
  const agent = await as(await authority.issue('agent', 'DNS:agent'));
  const refusal = /certificate|alert|ECONNRESET|EPIPE|hang up/;
  for (const other of [{ url: hub.url, tls: { ca, agent: false } }, await as(await stranger.issue('other', 'DNS:agent'))]) {
    await assert.rejects(send(other, 'GET', '/steadybit'), refusal);
    await assert.rejects(post(other, example), refusal);
  }
  assert.equal((await send(agent, 'GET', '/api/v1/events')).text, '{"events":[]}', 'nothing was taken');
  assert.equal(JSON.parse((await send(agent, 'GET', '/steadybit')).text).eventListeners[0].path, '/events');
  assert.deepEqual([(await post(agent, example)).text, (await post(agent, example)).text], ['{}', '{}']);
  const { events } = JSON.parse((await send(agent, 'GET', '/api/v1/events')).text);
  assert.deepEqual(events.map((stored) => stored.id), ['da059724-a8ae-4b4b-b4f0-ee01898232d2']);
});
