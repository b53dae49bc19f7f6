// Nothing that was given as a secret is found again: not on the disk, not in logs, not in answers.
import assert from 'node:assert/strict';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import test from 'node:test';
import { belfry, eventually, makeHub, startHub, temporaryDirectory } from './hub.mjs';
import { startListener } from './listener.mjs';

const canary = (name) => `canary-${name}-${randomBytes(9).toString('hex')}`;

// Every byte of every file below the directory.
async function bytesOf(directory) {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(path.join(file.path, file.name), 'latin1')),
  );
  return texts.join('\n');
}

async function everythingShown(hub) {
  const paths = ['subscriptions', 'status', 'limits', 'dead-letters', 'events'].map((name) => `/api/v1/${name}`);
  const { json } = await hub.request('GET', '/api/v1/subscriptions');
  for (const { name } of json.subscriptions) paths.push(`/api/v1/subscriptions/${name}`, `/api/v1/subscriptions/${name}/attempts`);
  const answers = await Promise.all([...paths, '/metrics', '/readyz', '/openapi.json'].map((target) => hub.request('GET', target)));
  return answers.map(({ text, headers }) => text + JSON.stringify([...headers])).join('\n');
}

test('no secret is found again on the disk, in the log or in an answer', async (t) => {
  const hub = await startHub(t, '--set', 'logging.level=debug');
  const secrets = {
    basic: canary('basic'),
    bearer: canary('bearer'),
    client: canary('client'),
    key: randomBytes(32).toString('base64'),
  };
  const seen = canary('event'); // the control: what is no secret is found
  const failing = await startListener(t, () => 500);
  const more = { filter: { types: ['*'] }, delivery: { retry: ['10ms'] } };
  await hub.subscribe('basic', { url: failing.url, auth: { basic: { username: 'u', password: secrets.basic } }, secret: `whsec_${secrets.key}` }, more);
  await hub.subscribe('bearer', { url: failing.url, auth: { bearer: { token: secrets.bearer } } }, more);
  const oauth2 = { token_url: failing.url, client_id: 'id', client_secret: secrets.client };
  await hub.subscribe('oauth2', { url: failing.url, auth: { oauth2 } }, more);
  const refusable = [
    { basic: { username: 5, password: secrets.basic } },
    { bearer: { token: `${secrets.bearer} \n` } },
    { oauth2: { ...oauth2, nonsense: 1 } },
  ];
  for (const bad of refusable) {
    const refused = await hub.request('POST', '/api/v1/subscriptions', { name: 'bad', sink: { kind: 'webhook', url: failing.url, auth: bad } });
    assert.equal(refused.status, 400);
    for (const [name, secret] of Object.entries(secrets)) assert.ok(!refused.text.includes(secret), `${name}: ${refused.text}`);
  }
  const rotated = await hub.call('POST', '/api/v1/subscriptions/basic/rotate-secret');
  secrets.rotated = rotated.secret.slice('whsec_'.length);
  await hub.publish('deploy', seen);
  await eventually('dead letters of all', async () => (await hub.call('GET', '/api/v1/dead-letters')).dead_letters.length >= 2);
  const shown = await everythingShown(hub);
  const whileRunning = await bytesOf(hub.data);
  await hub.restart('SIGKILL');
  await hub.stop();
  const places = { shown, log: hub.log, 'disk while running': whileRunning, 'disk after': await bytesOf(hub.data) };
  assert.ok(places['disk while running'].includes(seen) && places['disk after'].includes(seen), 'the search works');
  assert.ok(shown.includes('dead_letters') && shown.includes('fingerprint'));
  for (const [place, text] of Object.entries(places)) {
    for (const [name, secret] of Object.entries(secrets)) assert.ok(!text.includes(secret), `${name} is found: ${place}`);
  }
});

test('the key can be kept elsewhere and replaced; without it the hub says what is missing', async (t) => {
  const directory = await temporaryDirectory(t);
  const keyFile = path.join(directory, 'key');
  const line = () => `${randomBytes(32).toString('base64')}\n`;
  const first = line();
  await writeFile(keyFile, first, { mode: 0o600 });
  const hub = await makeHub(t, path.join(directory, 'data'), '--set', `secrets.key_file=${keyFile}`).start();
  const listener = await startListener(t);
  await hub.subscribe('chat', { url: listener.url });
  await hub.stop();
  const serve = () => belfry(['serve', '--listen', '127.0.0.1:0', '--data', hub.data, ...hub.args]);

  await chmod(keyFile, 0o640);
  assert.match((await serve()).stderr, /key can be read by others; `chmod 600`/);
  await chmod(keyFile, 0o600);
  const second = line();
  await writeFile(keyFile, second);
  const wrong = await serve();
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /subscriptions\/default\/chat cannot be read: it is sealed with the key [0-9a-f]{16}/);
  assert.ok(!wrong.stderr.includes(second.trim()));
  await rm(keyFile);
  assert.match((await serve()).stderr, /key: No such file/);

  await writeFile(keyFile, second + first, { mode: 0o600 });
  await hub.start();
  assert.match(hub.log, /sealed documents with the current key/);
  await hub.stop();
  await writeFile(keyFile, second);
  await hub.start();
  await hub.publish('deploy');
  await listener.received(1);
});

test('a key is made at the first start, for its owner only', async (t) => {
  const hub = await startHub(t);
  const { mode } = await stat(path.join(hub.data, 'secrets.key'));
  assert.equal(mode & 0o777, 0o600);
  const before = await readFile(path.join(hub.data, 'secrets.key'), 'utf8');
  await hub.restart();
  assert.equal(await readFile(path.join(hub.data, 'secrets.key'), 'utf8'), before);
});
