// Where the hub may call: a fake cloud in a network namespace that each test makes and that ends with it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { binary, eventually, startHub, stopAtEnd, temporaryDirectory } from './hub.mjs';
import { startListener } from './listener.mjs';
import { fileURLToPath } from 'node:url';

const scene = path.join(path.dirname(fileURLToPath(import.meta.url)), 'guard_scene.mjs');
const unshare = ['--net', '--mount', '--propagation', 'private'];
const works = spawnSync('unshare', [...unshare, 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const skip = works ? false : 'needs root, unshare and ip';

// Runs the scene on a machine of its own; gives what it printed.
async function onFakeCloud(t, ...hubArguments) {
  const directory = await temporaryDirectory(t);
  await writeFile(path.join(directory, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  // As it is where systemd's resolver runs: the hosts file comes behind it, and is asked first all the same.
  await writeFile(path.join(directory, 'nsswitch.conf'), 'hosts: resolve [!UNAVAIL=return] files dns\n');
  await writeFile(path.join(directory, 'hosts'), '93.184.215.14 silent-but-in-the-file.test\n');
  const script = `set -e
    ip link set lo up
    ip address add 93.184.215.14/32 dev lo
    ip address add 169.254.169.254/32 dev lo
    mount --bind "$0/resolv.conf" /etc/resolv.conf
    mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf
    mount --bind "$0/hosts" /etc/hosts
    exec "$@"`;
  const inside = [process.execPath, scene, path.join(directory, 'data'), ...hubArguments];
  const child = spawn('unshare', [...unshare, 'sh', '-c', script, directory, ...inside], {
    env: { ...process.env, BELFRY_BINARY: binary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (output.stdout += text));
  child.stderr.on('data', (text) => (output.stderr += text));
  const closed = new Promise((resolve) => child.on('close', resolve));
  stopAtEnd(t, () => (child.kill(), closed));
  const code = await closed;
  assert.equal(code, 0, output.stderr);
  return JSON.parse(output.stdout);
}

test('no URL, name, redirect or changed answer leads to the metadata address', { skip }, async (t) => {
  const { outcomes, open, metadata, rebindHits } = await onFakeCloud(t);
  assert.deepEqual(metadata, []);
  assert.equal(rebindHits, 0);
  assert.equal(outcomes.public.status, 204);
  assert.equal(outcomes.mixed.status, 204, 'the allowed one of two addresses is used');
  assert.equal(outcomes.redirect.status, 307);
  for (const name of ['literal', 'mapped', 'name', 'own', 'closed', 'rebind']) {
    assert.match(outcomes[name].error, /^blocked_address: /, name);
  }
  assert.equal(outcomes.literal.error, outcomes.closed.error, 'open and closed ports look the same');
  assert.ok(open.includes('rebind.test'));
  assert.equal(outcomes.quick.status, 204, 'names do not wait for one another');
  assert.equal(outcomes.quick.silentBefore, 0);
  assert.equal(outcomes.file.status, 204, 'the hosts file is asked before any server');
  for (let number = 0; number < 16; number += 1) {
    assert.match(outcomes[`silent-${number}`], /timed out after 3 s while connecting/);
  }
});

// The control: the same scene reaches the address when the operator names it.
test('the metadata address is reached only when it is named', { skip }, async (t) => {
  const named = await onFakeCloud(t, '--set', 'outbound.allow=169.254.169.254');
  assert.equal(named.outcomes.literal.status, 204);
  assert.equal(named.outcomes.name.status, 204);
  assert.equal(named.rebindHits, 1);
  assert.match(named.outcomes.own.error, /^blocked_address: /);
  const ranged = await onFakeCloud(t, '--set', 'outbound.allow=169.254.0.0/16');
  assert.deepEqual(ranged.metadata, []);
});

test('a hub that others reach calls nothing on its own machine unless it is allowed', async (t) => {
  const listener = await startListener(t);
  const reached = ['--listen', '0.0.0.0:0', '--insecure'];
  const hub = await startHub(t, ...reached);
  await hub.subscribe('inside', { url: listener.url });
  await hub.publish('deploy');
  const error = await eventually('the attempt', async () => (await hub.subscription('inside')).last_error);
  assert.match(JSON.stringify(error), /blocked_address/);
  assert.equal(listener.deliveries.length, 0);

  const allowed = await startHub(t, ...reached, '--set', 'outbound.allow=127.0.0.0/8');
  await allowed.subscribe('inside', { url: listener.url });
  await allowed.publish('deploy');
  await listener.received(1);
});

test('proxies of the environment are ignored', async (t) => {
  const proxy = await startListener(t);
  const listener = await startListener(t);
  const names = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
  names.forEach((name) => (process.env[name] = proxy.url.replace('/in', '')));
  t.after(() => names.forEach((name) => delete process.env[name]));
  const hub = await startHub(t);
  await hub.subscribe('direct', { url: listener.url });
  await hub.publish('deploy');
  await listener.received(1);
  assert.equal(proxy.deliveries.length, 0);
});
