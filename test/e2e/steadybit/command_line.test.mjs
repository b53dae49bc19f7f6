// Belfry as the agent: `belfry extension`.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { belfry, startHub, temporaryDirectory } from '../hub.mjs';
import { event, id, post, show } from './agent.mjs';
import { on, startExtension } from './extension.mjs';

const all = on('/events/all', '*');
const listed = async (hub) => (await hub.call('GET', '/api/v1/extensions')).extensions;

test('the command line adds, lists, shows, refreshes and removes extensions', async (t) => {
  const hub = await startHub(t);
  const extension = await startExtension(t, { listeners: [all, { path: 'no slash', method: 'POST', listenTo: [] }] });
  const socket = path.join(await temporaryDirectory(t), 'x.sock');
  const local = await startExtension(t, { listeners: [all], where: { path: socket } });
  const run = async (...words) => {
    const done = await belfry(['extension', ...words], { env: { BELFRY_URL: hub.url } });
    assert.equal(done.code, 0, `${words.join(' ')}: ${done.stderr}`);
    return done.stdout;
  };
  await run('add', extension.url, '--name', 'web');
  const password = path.join(path.dirname(socket), 'password');
  await writeFile(password, 'hunter2hunter2\n');
  await run('add', `unix:${socket}`, '--name', 'local', '--user', 'agent', '--password-file', password);
  const list = await run('list');
  assert.match(list, /web/);
  assert.match(list, /local/);
  assert.deepEqual(JSON.parse(await run('show', 'web', '--json')), await show(hub, 'web'));
  const text = await run('show', 'web');
  for (const part of ['/events/all', 'no slash', 'refused', 'slash']) assert.ok(text.includes(part), text);
  await post(hub, event(1));
  for (const one of [extension, local]) {
    await one.received(1);
    assert.deepEqual(one.ids(), [id(1)]);
  }
  assert.equal(local.calls[0].headers.authorization, `Basic ${Buffer.from('agent:hunter2hunter2').toString('base64')}`);
  extension.change([on('/new', '*')]);
  await run('refresh', 'web');
  assert.deepEqual((await show(hub, 'web')).listeners.map((listener) => listener.path), ['/new']);
  await run('remove', 'web', '--yes');
  assert.deepEqual((await listed(hub)).map(({ name }) => name), ['local']);
  for (const words of [['show', 'web'], ['remove', 'web', '--yes'], ['refresh', 'web']]) {
    const done = await belfry(['extension', ...words], { env: { BELFRY_URL: hub.url } });
    assert.equal(done.code, 3, `${words.join(' ')}: ${done.stderr}`);
  }
});

