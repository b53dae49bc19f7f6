// The address that an extension listens on if nobody says which: every one, of a machine that each test makes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const scene = path.join(path.dirname(fileURLToPath(import.meta.url)), 'everywhere_scene.mjs');
const { NODE_TEST_CONTEXT, ...env } = process.env; // the scene is a run of tests by itself
function inside(script, ...more) {
  return spawnSync('unshare', ['--net', 'sh', '-c', `ip link set lo up && ${script}`, ...more], { env, encoding: 'utf8', timeout: 60_000 });
}
const skip = inside('echo 1 > /proc/sys/net/ipv6/bindv6only').status === 0 ? false : 'needs root, unshare, ip and IPv6';

for (const only of [0, 1]) {
  test(`eventkit 46: without a host it listens on every address, of IPv4 and IPv6, on a machine whose bindv6only is ${only}`, { skip }, () => {
    const { status, stdout, stderr } = inside(`echo ${only} > /proc/sys/net/ipv6/bindv6only && exec "$0" "$1"`, process.execPath, scene);
    assert.equal(status, 0, stdout + stderr);
  });
}
