// `belfry event` and `belfry watch` against a running hub: n fires give n calls, restarts too.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { assertNoSecret, belfry, eventually, patienceMs, start, startHub, temporaryDirectory } from './hub.mjs';

const idOf = (fired) => /^Event ID: ([0-9a-f-]{36})\n$/.exec(fired.stdout)?.[1];

async function fire(hub, name, payload = 'x') {
  const fired = await belfry(['event', `-name=${name}`, payload], { env: { CONSUL_HTTP_ADDR: hub.url.slice(7) } });
  assert.equal(fired.code, 0, fired.stderr);
  return idOf(fired);
}

// A watch whose command writes the array it got as one line, then does what else it is told.
class Watch {
  constructor(directory, hub, then = 'true') {
    this.calls = path.join(directory, 'calls');
    this.states = path.join(directory, 'belfry');
    this.args = ['watch', '-type=event', '-name=deploy', `cat >>${this.calls}; ${then}`];
    this.env = { ...process.env, BELFRY_URL: hub.url, XDG_STATE_HOME: directory };
  }

  start() {
    this.stderr = '';
    this.process = start(this.args, { env: this.env, stdio: ['ignore', 'inherit', 'pipe'] });
    this.process.stderr.on('data', (text) => (this.stderr += text));
    this.exited = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve(code ?? signal)));
    return this;
  }

  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    const status = await this.exited;
    assertNoSecret(this.stderr, 'what a watch says');
    return status;
  }

  // The ids of each call.
  async handed() {
    const text = await readFile(this.calls, 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map((line) => JSON.parse(line).map((event) => event.ID));
  }

  // The state says that this event's command has ended; killed before, the watch would hand it over again.
  settled(id) {
    return eventually(`${id} is settled; it said: ${this.stderr}`, async () => {
      const [name] = (await readdir(this.states).catch(() => [])).filter((each) => each.endsWith('.json'));
      return name && (await readFile(path.join(this.states, name), 'utf8')).includes(id);
    });
  }

  reached(count) {
    return eventually(`${count} calls; it said: ${this.stderr}`, async () => (await this.handed()).length >= count);
  }
}

async function startWatch(t, hub, then) {
  const watch = new Watch(await temporaryDirectory(t), hub, then).start();
  t.after(() => watch.stop('SIGKILL'));
  return watch;
}

test('n fires are n calls, each with its event alone', async (t) => {
  const hub = await startHub(t);
  const watch = await startWatch(t, hub);
  const ids = [];
  for (let i = 1; i <= 10; i++) {
    ids.push(await fire(hub, 'deploy', `${i}`));
    await fire(hub, 'other');
    await watch.settled(ids.at(-1));
  }
  assert.equal(await watch.stop(), 0, watch.stderr);
  assert.deepEqual(await watch.handed(), ids.map((id) => [id]));
});

test('a restart hands over newer events only', async (t) => {
  const hub = await startHub(t);
  const watch = await startWatch(t, hub);
  const first = await fire(hub, 'deploy');
  await watch.settled(first);
  assert.equal(await watch.stop('SIGINT'), 0, watch.stderr);
  const away = [await fire(hub, 'deploy'), await fire(hub, 'deploy')];
  watch.start();
  await watch.settled(away[1]);
  await watch.stop('SIGKILL');
  watch.start();
  const last = await fire(hub, 'deploy');
  await watch.settled(last);
  assert.equal(await watch.stop(), 0, watch.stderr);
  assert.deepEqual(await watch.handed(), [[first], away, [last]]);
});

test('a command killed in the middle gets its event again', async (t) => {
  const hub = await startHub(t);
  const watch = await startWatch(t, hub, 'sleep 60');
  const id = await fire(hub, 'deploy');
  await watch.reached(1);
  const begin = Date.now();
  assert.equal(await watch.stop(), 0, watch.stderr);
  assert.ok(Date.now() - begin < patienceMs, 'the command ended with the watch');
  watch.start();
  await watch.reached(2);
  assert.deepEqual(await watch.handed(), [[id], [id]]);
});

test('a second watch of the same events is refused while the first runs', async (t) => {
  const hub = await startHub(t);
  const watch = await startWatch(t, hub);
  await fire(hub, 'deploy');
  await watch.reached(1);
  const second = await belfry(watch.args, { env: watch.env });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another watch uses .*-state=FILE/s);
});

test('without a command it prints the list with four spaces', async (t) => {
  const hub = await startHub(t);
  const id = await fire(hub, 'deploy', 'hello');
  const { code, stdout, stderr } = await belfry(['watch', '-type=event', '-name=deploy'], { env: { BELFRY_URL: hub.url } });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout)[0].ID, id);
  assert.match(stdout, /^\[\n {4}\{\n {8}"ID": /);
  assert.equal(Buffer.from(JSON.parse(stdout)[0].Payload, 'base64').toString(), 'hello');
});

test('what the hub refuses is said in its words', async (t) => {
  const hub = await startHub(t);
  const { code, stderr } = await belfry(['event', '-name=deploy', '-node=('], { env: { BELFRY_URL: hub.url } });
  assert.equal(code, 1);
  assert.match(stderr, /Invalid node filter: /);
});
