// What README.md tells a newcomer to type works as it stands.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { binary, inRepository, startHub } from './hub.mjs';

test("the README's lines run against a fresh hub", async (t) => {
  const readme = await readFile(inRepository('README.md'), 'utf8');
  const lines = /```sh\n([^]*?)```/.exec(readme)[1].replace(/^PATH=.*\n/, '');
  const hub = await startHub(t);
  const shell = spawn('bash', ['-euxo', 'pipefail', '-c', lines], {
    env: { ...process.env, PATH: `${path.dirname(binary)}:${process.env.PATH}`, BELFRY_URL: hub.url, NO_COLOR: '1' },
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise((resolve) => shell.on('close', resolve));
  assert.equal(code, 0, output);
  assert.match(output, /1\.2\.4|deploy/);
  const { events } = await hub.call('GET', '/api/v1/events');
  assert.ok(events.length >= 2 && events.every(({ type }) => type === 'deploy'), output);
});
