// What the tests of this folder promise the machine: no hub and no directory is left, however a test ends.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { inRepository, temporaryDirectory } from './hub.mjs';

// Runs a file with one test of this body, in which a hub writes into a directory that was asked for before.
async function runTest(t, body) {
  const directory = await temporaryDirectory(t);
  const notes = path.join(directory, 'notes');
  const file = path.join(directory, 'scene.test.mjs');
  await writeFile(file, `
    import { writeFileSync } from 'node:fs';
    import test from 'node:test';
    import { makeHub, temporaryDirectory } from '${inRepository('test/e2e/hub.mjs')}';
    test('a scene', async (t) => {
      const directory = await temporaryDirectory(t);
      const hub = await makeHub(t, directory + '/data').start();
      writeFileSync('${notes}', JSON.stringify({ directory, pid: hub.process.pid }));
      ${body}
    });`);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, TMPDIR: directory };
  const { status } = spawnSync(process.execPath, ['--test', file], { env, timeout: 60_000 });
  return { status, ...JSON.parse(await readFile(notes, 'utf8')) };
}

for (const [ending, body, status, removed] of [
  ['passes', '', 0, true],
  ['has a hook that fails', `t.after(() => { throw new Error('on purpose'); });`, 1, true],
  ['ends its process', `process.exit(3);`, 1, false],
  ['is told to end', `process.kill(process.pid); await new Promise(() => {});`, 1, false],
]) {
  test(`no hub is left of a test that ${ending}`, async (t) => {
    const scene = await runTest(t, body);
    assert.equal(scene.status, status);
    assert.ok(!existsSync(`/proc/${scene.pid}/exe`), 'the hub runs');
    assert.equal(!existsSync(scene.directory), removed);
  });
}
