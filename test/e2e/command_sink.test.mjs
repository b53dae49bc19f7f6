// Programs that the configuration defines, run with events.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { belfry, eventually, startHub, temporaryDirectory } from './hub.mjs';

const lines = (file) => readFile(file, 'utf8').then((text) => text.split('\n').filter(Boolean), () => []);
const isAlive = (pid) =>
  readFile(`/proc/${pid}/stat`, 'utf8').then((stat) => !/\) [ZX] /.test(stat), () => false);

// A hub whose configuration defines `commands`; each names a script of the test's.
async function hubWith(t, scripts, members = {}) {
  const directory = await temporaryDirectory(t);
  const commands = {};
  for (const [name, body] of Object.entries(scripts)) {
    const script = path.join(directory, `${name}.sh`);
    await writeFile(script, `cd '${directory}' || exit 99\n${body}\n`);
    commands[name] = { argv: ['/bin/sh', script], ...members };
  }
  const file = path.join(directory, 'belfry.json');
  await writeFile(file, JSON.stringify({ commands }));
  const hub = await startHub(t, '--config', file);
  return { hub, directory, file, in: (name) => path.join(directory, name) };
}
const subscribe = (hub, name, command, more = {}) =>
  hub.call('POST', '/api/v1/subscriptions', { name, sink: { kind: 'command', command }, ...more });

test('a command gets each event on its standard input, and says by its exit how it went', async (t) => {
  const scene = await hubWith(t, {
    tell: 'tr -d "\\n" >> got; echo >> got; [ "$BELFRY_ATTEMPT" = 2 ] || { echo "not yet" >&2; exit 7; }',
  });
  await subscribe(scene.hub, 'told', 'tell', { delivery: { retry: ['10ms'] } });
  const { id } = await scene.hub.publish('deploy', 'v1', { subject: 'web' });
  const got = await eventually('two runs', () => lines(scene.in('got')).then((all) => all.length === 2 && all));
  for (const line of got) {
    const event = JSON.parse(line);
    assert.deepEqual([event.id, event.type, event.subject, event.data], [id, 'deploy', 'web', 'v1']);
  }
  const { attempts } = await eventually('both attempts', async () => {
    const list = await scene.hub.call('GET', '/api/v1/subscriptions/told/attempts');
    return list.attempts.length === 2 && list;
  });
  const failed = attempts.find(({ outcome }) => outcome === 'failed');
  assert.deepEqual([failed.status, failed.error, failed.response], [7, 'exited with 7', 'not yet\n']);
  const shown = await scene.hub.subscription('told');
  assert.deepEqual(shown.sink, { kind: 'command', command: 'tell' });
});

test('an event whose command was running when the hub was killed is run again', async (t) => {
  const scene = await hubWith(t, { slow: 'echo $$ >> runs; [ -e fast ] || sleep 60' }, { timeout: '2m' });
  await subscribe(scene.hub, 'slow', 'slow');
  await scene.hub.publish('deploy');
  const [first] = await eventually('the first run', () => lines(scene.in('runs')).then((all) => all[0] && all));
  // Killed with the hub's kill below or not, it must not outlive the test.
  t.after(() => isAlive(first).then((alive) => alive && process.kill(-Number(first), 'SIGKILL')));
  await scene.hub.stop('SIGKILL');
  await writeFile(scene.in('fast'), '');
  await scene.hub.start();
  await eventually('the second run', () => lines(scene.in('runs')).then((all) => all.length === 2));
  await eventually('it is settled', async () => {
    const { cursor, retrying, in_flight: inFlight } = await scene.hub.subscription('slow');
    return cursor === 1 && retrying === 0 && inFlight === 0;
  });
});

test('a hub that stops in order leaves no program behind', async (t) => {
  const scene = await hubWith(
    t,
    { stubborn: "trap '' TERM; echo $$ >> runs; while :; do sleep 1; done" },
    { timeout: '5m' },
  );
  await subscribe(scene.hub, 'stubborn', 'stubborn');
  await scene.hub.publish('deploy');
  const [pid] = await eventually('the run', () => lines(scene.in('runs')).then((all) => all[0] && all));
  assert.ok(await isAlive(pid));
  assert.equal(await scene.hub.stop(), 0);
  assert.ok(!(await isAlive(pid)));
});

test('a command that the configuration does not define is refused, and one that left it fails', async (t) => {
  const scene = await hubWith(t, { here: 'touch ran' });
  const document = { name: 'x', sink: { kind: 'command', command: 'gone' } };
  const refused = await scene.hub.request('POST', '/api/v1/subscriptions', document);
  assert.deepEqual([refused.status, refused.json.code, refused.json.field], [400, 'bad_request', 'sink.command']);
  const own = { name: 'x', sink: { kind: 'command', command: 'here', argv: ['/bin/sh'] } };
  assert.equal((await scene.hub.request('POST', '/api/v1/subscriptions', own)).json.code, 'unknown_field');
  await subscribe(scene.hub, 'kept', 'here', { delivery: { retry: ['10ms', '1h'] } });
  await writeFile(scene.file, '{}');
  await scene.hub.restart();
  await scene.hub.publish('deploy');
  const { last_error: error } = await eventually('a failed attempt', async () => {
    const shown = await scene.hub.subscription('kept');
    return shown.last_error && shown;
  });
  assert.equal(error, 'the configuration defines no command `here`');
  assert.deepEqual(await lines(scene.in('ran')), []);
});

test('the command line adds one and lists it', async (t) => {
  const { hub } = await hubWith(t, { here: 'true' });
  const env = { BELFRY_URL: hub.url };
  const added = await belfry(['subscription', 'add', 'restarts', '--command', 'here', '--type', 'deploy'], { env });
  assert.equal(added.code, 0, added.stderr);
  const listed = await belfry(['subscription', 'list'], { env });
  assert.match(listed.stdout, /restarts .*command here/);
  const both = await belfry(['subscription', 'add', 'x', hub.url, '--command', 'here'], { env });
  assert.equal(both.code, 2);
  const signed = await belfry(['subscription', 'add', 'x', '--command', 'here', '--secret-generate'], { env });
  assert.equal(signed.code, 2);
});

test('a configuration that cannot work is refused at the start', async (t) => {
  const started = (commands) => startHub(t, '--set', `commands=${JSON.stringify(commands)}`);
  await assert.rejects(started({ a: { argv: ['no-such-program-anywhere'] } }), /commands\.a\.argv\[0\]: PATH has no program/);
  await assert.rejects(started({ a: { argv: ['/bin/true'], user: 'nobody-of-that-name' } }), /commands\.a\.user: there is no user/);
  await assert.rejects(started({ a: { argv: ['sh', 5] } }), /"a\.argv\[1\]": a string is expected/);
});
