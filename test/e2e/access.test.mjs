// Tokens and policies through the real binary: bootstrap, what a closed hub tells whom, and that no secret
// turns up where it should not.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { bearer, startClosedHub } from './closed_hub.mjs';
import { belfry, eventually, makeHub, start } from './hub.mjs';

test('bootstrap makes one operator token, in a stopped hub, once', async (t) => {
  const { hub, secret, data } = await startClosedHub(t);
  const running = await belfry(['token', 'bootstrap', '--data', data]);
  assert.notEqual(running.code, 0, 'a hub that runs has its directory');
  await hub.stop();
  const second = await belfry(['token', 'bootstrap', '--data', data]);
  assert.equal(second.code, 4);
  assert.match(second.stderr, /has been bootstrapped, with the token tk_/);
  assert.match(second.stderr, /audit.*token bootstrap.*denied/);
  const replaced = await belfry(['token', 'bootstrap', '--data', data, '--replace']);
  assert.equal(replaced.code, 0, replaced.stderr);
  const line = /audit.*"token bootstrap --replace".*done.*made\W+(tk_[0-9a-v]{12})\W+revoked\W+(tk_[0-9a-v]{12})/.exec(replaced.stderr);
  assert.ok(line && line[1] !== line[2], replaced.stderr);
  await hub.start();
  assert.equal((await hub.request('GET', '/api/v1/status', undefined, bearer(secret))).status, 401);
  assert.equal((await hub.request('GET', '/api/v1/status', undefined, bearer(replaced.stdout.trim()))).status, 200);
});

test('a closed hub serves tokens by their policies and nobody else', async (t) => {
  const { hub, cli, makePolicy } = await startClosedHub(t);
  assert.equal((await hub.request('GET', '/api/v1/events')).status, 401);
  const policy = await makePolicy('ci', 'event_prefix "deploy" { policy = "write" }\nkey "x" { policy = "read" }\n');
  assert.match(policy.stderr, /line 2, column 1: `key "x"` is skipped/);
  const issued = await cli('token', 'create', '--policy', 'ci');
  assert.equal(issued.code, 0, issued.stderr);
  const ci = bearer(issued.stdout.trim());
  assert.equal((await hub.request('POST', '/api/v1/events?type=deploy.done', 'x', ci)).status, 200);
  const refused = await hub.request('POST', '/api/v1/events?type=build', 'x', ci);
  assert.equal(refused.status, 403);
  assert.equal(refused.json.code, 'denied');
  const listed = await cli('token', 'list', '--json');
  assert.match(listed.stdout, /"policies":\["ci"\]/);
  const id = listed.stdout.split('\n').map((line) => line && JSON.parse(line)).find((row) => row?.policies[0] === 'ci').id;
  assert.equal((await cli('token', 'revoke', id, '--yes')).code, 0);
  assert.equal((await hub.request('POST', '/api/v1/events?type=deploy.done', 'x', ci)).status, 401);
  assert.match(hub.log, /audit/);
  assert.match(hub.log, new RegExp(`/api/v1/tokens/${id}`));
});

test('an open stream ends soon after the revocation of its token', async (t) => {
  const { hub, secret, makeToken } = await startClosedHub(t);
  const token = await makeToken('operator');
  const response = await new Promise((resolve, reject) => {
    http.get(`${hub.url}/api/v1/events/stream`, { headers: bearer(token.secret) }, resolve).on('error', reject);
  });
  assert.equal(response.statusCode, 200);
  response.resume();
  let ended = false;
  response.on('close', () => (ended = true));
  assert.equal((await hub.request('DELETE', `/api/v1/tokens/${token.id}`, undefined, bearer(secret))).status, 204);
  await eventually('it ends', () => ended);
});

// Sends a head that promises 8 MB, and half a megabyte of them; gives the socket and what is answered.
function openLongBody(t, hub, target, kind, headers = '') {
  const socket = net.connect(Number(new URL(hub.url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  const sender = { socket, answer: '' };
  socket.on('data', (bytes) => (sender.answer += bytes));
  socket.on('error', () => {}); // the hub closes while we send
  const length = kind === 'application/cloudevents-batch+json' ? 8_000_000 : 1_000_000;
  socket.write(`POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${kind}\r\nContent-Length: ${length}\r\n${headers}\r\n`);
  socket.write(`[${' '.repeat(500_000)}`);
  return sender;
}

test('long bodies of strangers are answered before they come, in the words of each door', async (t) => {
  const { hub, secret } = await startClosedHub(t, '--set', 'limits.bytes_in_flight=2MiB');
  const batch = 'application/cloudevents-batch+json';
  const strangers = Array.from({ length: 8 }, () => openLongBody(t, hub, '/api/v1/events', batch));
  for (const stranger of strangers) {
    await eventually('it is answered', () => stranger.answer.includes('"code"'));
    assert.match(stranger.answer, /^HTTP\/1\.1 401 .*"code":"unauthenticated"/s);
    assert.match(stranger.answer, /\r\nConnection: close\r\n/);
  }
  const nobody = await hub.request('PUT', '/v1/event/fire/deploy', 'x'.repeat(400_000));
  assert.deepEqual([nobody.status, nobody.text], [403, 'Permission denied']);
  const metrics = async () => (await hub.request('GET', '/metrics', undefined, bearer(secret))).text;
  assert.match(await metrics(), /^belfry_http_bytes_in_flight \d{1,5}$/m);
  const known = openLongBody(t, hub, '/api/v1/events?type=long', 'text/plain', `Authorization: Bearer ${secret}\r\n`);
  await eventually('the body is read', async () => /^belfry_http_bytes_in_flight \d{6,}$/m.test(await metrics()));
  assert.equal(known.answer, '', 'it has not come whole');
  known.socket.write('x'.repeat(499_999));
  await eventually('the event is taken', () => known.answer.includes('"offset"'));
  assert.match(known.answer, /^HTTP\/1\.1 200 /);
});

test('a wrong token before a long body counts once', async (t) => {
  const { hub } = await startClosedHub(t, '--set', 'limits.bad_tokens_per_minute=3');
  const statuses = [];
  for (let i = 0; i < 5; ++i) {
    const wrong = bearer(`belfry_${'0'.repeat(56)}`);
    statuses.push((await hub.request('POST', '/api/v1/events?type=x', 'x'.repeat(900_000), wrong)).status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
});

test('wrong tokens get one answer, and after too many another', async (t) => {
  const { hub, secret } = await startClosedHub(t, '--set', 'limits.bad_tokens_per_minute=5');
  const wrong = () => hub.request('GET', '/api/v1/events', undefined, bearer(`belfry_${'0'.repeat(56)}`));
  const statuses = [];
  for (let i = 0; i < 7; ++i) statuses.push((await wrong()).status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429]);
  assert.equal((await hub.request('GET', '/api/v1/events', undefined, bearer(secret))).status, 200);
});

test('a hub that others reach starts only with a token or --insecure', async (t) => {
  const { hub, data, directory, secret } = await startClosedHub(t);
  await hub.stop();
  const open = await belfry(['serve', '--listen', '0.0.0.0:0', '--data', path.join(directory, 'other')]);
  assert.equal(open.code, 5);
  assert.match(open.stderr, /token bootstrap/);
  const closed = await makeHub(t, data, '--listen', '0.0.0.0:0').start();
  assert.match(closed.log, /0\.0\.0\.0:\d+/);
  assert.match(closed.log, /whoever calls needs a token/);
  const bound = (await readFile('/proc/net/tcp', 'latin1')).split('\n').map((line) => line.trim().split(/\s+/)[1]);
  const port = Number(new URL(closed.url).port).toString(16).toUpperCase().padStart(4, '0');
  assert.ok(bound.includes(`00000000:${port}`), 'it listens on every address');
  assert.equal((await closed.request('GET', '/api/v1/status')).status, 401);
  assert.equal((await closed.request('GET', '/api/v1/status', undefined, bearer(secret))).status, 200);
});

test('policies are listed, shown and deleted from the command line', async (t) => {
  const { cli, makePolicy, makeToken } = await startClosedHub(t);
  await makePolicy('ci', 'event_prefix "deploy" { policy = "write" }\n');
  await makePolicy('audit', 'event_prefix "" { policy = "read" }\n');
  const listed = await cli('policy', 'list', '--json');
  assert.deepEqual(listed.stdout.trim().split('\n').map((line) => JSON.parse(line).name), ['audit', 'ci']);
  assert.match((await cli('policy', 'list')).stdout, /audit[^]*ci/);
  const shown = await cli('policy', 'show', 'ci');
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /event_prefix\.deploy\s+write/);
  assert.notEqual((await cli('policy', 'show', 'none')).code, 0);
  await makeToken('ci');
  const used = await cli('policy', 'delete', 'ci', '--yes');
  assert.notEqual(used.code, 0);
  assert.match(used.stderr, /tokens name this policy/);
  assert.equal((await cli('policy', 'delete', 'audit', '--yes')).code, 0);
  assert.notEqual((await cli('policy', 'show', 'audit')).code, 0);
});

test('the command line reads its token from a file', async (t) => {
  const { hub, secret, directory } = await startClosedHub(t);
  const file = path.join(directory, 'token');
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  const status = (...words) => belfry(['status', '--url', hub.url, ...words]);
  assert.equal((await status()).code, 4, 'without it');
  const good = await status('--token-file', file);
  assert.equal(good.code, 0, good.stderr);
  await writeFile(file, `belfry_${'0'.repeat(56)}\n`);
  assert.equal((await status('--token-file', file)).code, 4);
  const missing = await status('--token-file', path.join(directory, 'none'));
  assert.notEqual(missing.code, 0);
  assert.match(missing.stderr, /none/);
});

test('no secret in logs, metrics, errors, listings, files or command lines', async (t) => {
  const { hub, cli, secret, data } = await startClosedHub(t, '--set', 'logging.level=debug');
  const canary = () => `canary${randomBytes(12).toString('hex')}`;
  const issued = (await cli('token', 'create', '--policy', 'operator')).stdout.trim();
  const sink = { password: canary(), header: canary(), bearer: canary() };
  const auth = bearer(issued);
  const subscribe = (name, more) =>
    hub.request('POST', '/api/v1/subscriptions',
      { name, sink: { kind: 'webhook', url: 'http://127.0.0.1:9/', ...more } }, auth);
  const basic = await subscribe('basic', { auth: { basic: { username: 'u', password: sink.password } } });
  assert.equal(basic.status, 201, basic.text);
  assert.equal((await subscribe('bearer', { auth: { bearer: { token: sink.bearer } } })).status, 201);
  const rotated = await hub.request('POST', '/api/v1/subscriptions/basic/rotate-secret', undefined, auth);
  const signing = rotated.json.secret;
  const wrong = `belfry_${randomBytes(28).toString('hex')}`;
  const seen = [basic.text];
  for (const target of ['/api/v1/tokens', '/api/v1/policies', '/api/v1/subscriptions', '/api/v1/status', '/metrics',
    '/api/v1/subscriptions/basic', '/api/v1/subscriptions/basic/attempts', `/api/v1/events?token=${wrong}`, '/nothing']) {
    seen.push((await hub.request('GET', target, undefined, auth)).text);
    const refused = await hub.request('GET', target, undefined, bearer(wrong));
    seen.push(refused.text, JSON.stringify([...refused.headers]));
  }
  await hub.request('POST', '/api/v1/events?type=t', 'x', auth);
  await hub.request('POST', '/api/v1/subscriptions/basic/test', undefined, auth);
  const command = ['bench', '--duration', '10m', '--connections', '1', '--rate', '10', '--url', hub.url];
  const running = start(command, { env: { ...process.env, BELFRY_TOKEN: secret }, stdio: 'ignore' });
  const ended = new Promise((resolve) => running.on('exit', (code, signal) => resolve(code ?? signal)));
  await eventually('a command runs', async () => {
    seen.push(await commandLines());
    return seen.at(-1).includes('bench\0--duration');
  });
  running.kill('SIGKILL');
  assert.equal(await ended, 'SIGKILL', 'it was still at work');
  await hub.stop();
  seen.push(hub.log);
  for (const name of await readdir(data)) {
    if (/^(state\.db|secrets)/.test(name)) seen.push(name === 'secrets.key' ? '' : await readFile(path.join(data, name), 'latin1'));
  }
  const everything = seen.join('\n');
  assert.ok(everything.includes('audit'), 'the control: what is searched is there');
  assert.ok(everything.includes('basic'));
  for (const [name, text] of Object.entries({ secret, issued, wrong, signing, ...sink })) {
    assert.ok(!everything.includes(text), `${name} turns up`);
    assert.ok(!everything.includes(text.replace(/^(belfry_|whsec_|canary)/, '')), `${name} turns up without its prefix`);
  }
});

// Those of every process of this user, as anybody on the machine can read them.
async function commandLines() {
  const lines = [];
  for (const pid of await readdir('/proc')) {
    if (/^\d+$/.test(pid)) lines.push(await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''));
  }
  return lines.join('\n');
}
