// What README.md tells a newcomer to type works as it stands.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { binary, eventually, inRepository, startHub, temporaryDirectory } from './hub.mjs';
import { freePort } from './listener.mjs';

test("the README's lines run against a fresh hub, and its event is delivered", async (t) => {
  const readme = await readFile(inRepository('README.md'), 'utf8');
  const block = /```sh\n([^]*?)```/.exec(readme)[1];
  const hub = await startHub(t);
  const watched = path.join(await temporaryDirectory(t), 'watched');
  // Nobody types so fast that events do not arrive in front of the one who watches.
  const watching = 'timeout 60 sh -c \'until belfry status --json | grep -q "\\"stream_readers\\":1"; do sleep 0.1; done\'';
  const lines = block
    .replace(/^PATH=.*\n/, '')
    .replaceAll('9000', String(await freePort()))
    .replace(/^belfry tail &.*$/m, `belfry tail > '${watched}' &\n${watching}`);
  assert.ok(lines.includes(watched), lines);
  // A group of its own, so that what it started in the background ends with the test.
  const shell = spawn('bash', ['-eux', '-c', lines], {
    detached: true,
    env: { ...process.env, PATH: `${path.dirname(binary)}:${process.env.PATH}`, BELFRY_URL: hub.url, NO_COLOR: '1' },
  });
  t.after(() => process.kill(-shell.pid));
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise((resolve) => shell.on('exit', resolve));
  assert.equal(code, 0, output);
  // The listener may have been a moment late for the first attempt; the second comes after some 5 seconds.
  const settled = ({ status }) => status === 204;
  await eventually(
    `the event is delivered; there is:\n${output}`,
    async () => (await hub.call('GET', '/api/v1/subscriptions/chat/attempts')).attempts.some(settled),
  );
  await eventually(`the event is watched; there is:\n${output}`, async () => /^.* deploy .*1\.2\.3.*$/m.test(await readFile(watched, 'utf8')));
  await eventually(`the listener says that the signature is good; there is:\n${output}`, () => /signature (ok|good)/i.test(output));
});
