// The command line against a running hub: data on stdout, talk on stderr, exit codes.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { belfry, inRepository, startHub } from './hub.mjs';
import { startListener } from './listener.mjs';

const against = (hub, input) => (...args) => belfry(args, { env: { BELFRY_URL: hub.url }, input });

test('fire, list and get agree', async (t) => {
  const run = against(await startHub(t));
  const fired = await run('fire', 'deploy', '{"version":"1.2.3"}', '--json');
  assert.equal(fired.code, 0, fired.stderr);
  const { id, offset } = JSON.parse(fired.stdout);
  assert.equal(offset, 0);
  const listed = await run('list', '--json');
  assert.equal(listed.code, 0, listed.stderr);
  assert.ok(listed.stdout.includes(id), listed.stdout);
  const got = await run('get', id, '--json');
  assert.equal(JSON.parse(got.stdout).type, 'deploy', got.stderr);
});

test('what is not there is exit 3, a bad argument 2, no hub 6', async (t) => {
  const run = against(await startHub(t));
  assert.equal((await run('get', 'no-such-event')).code, 3);
  assert.equal((await run('fire')).code, 2);
  assert.equal((await belfry(['list'], { env: { BELFRY_URL: 'http://127.0.0.1:1' } })).code, 6);
});

test('a subscription is made, listed, shown and removed', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t);
  const run = against(hub);
  const added = await run('subscription', 'add', 'chat', listener.url, '--type', 'deploy');
  assert.equal(added.code, 0, added.stderr);
  await run('fire', 'deploy', 'hello');
  await listener.received(1);
  assert.match((await run('subscription', 'list')).stdout, /chat/);
  assert.equal((await run('subscription', 'remove', 'chat', '--yes')).code, 0);
  assert.equal((await run('subscription', 'show', 'chat')).code, 3);
});

test('tail prints what arrives and ends after --count', async (t) => {
  const hub = await startHub(t);
  await hub.publish('first');
  const run = against(hub);
  const tail = run('tail', '--after', '0', '--count', '1', '--json');
  await hub.publish('second');
  const { code, stdout } = await tail;
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).type, 'second');
});

test('docs/cli.md names every command', async () => {
  const page = await readFile(inRepository('docs/cli.md'), 'utf8');
  const commands = (help) => help.split(/Subcommands:\n/)[1].matchAll(/^ {2}([a-z-]+) /gm);
  for (const [, command] of commands((await belfry(['--help'])).stdout)) {
    assert.ok(page.includes(`| \`${command}`), command);
    const { stdout } = await belfry([command, '--help']);
    if (!stdout.includes('Subcommands:')) continue;
    for (const [, inner] of commands(stdout)) assert.match(page, new RegExp(`\`(${command} )?${inner}\``), inner);
  }
});
