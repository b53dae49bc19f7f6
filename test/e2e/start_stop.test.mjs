// Starting, refusing to start, and stopping.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { belfry, binary, eventually, startHub, stopAtEnd, temporaryDirectory } from './hub.mjs';
import { startListener } from './listener.mjs';

test('a second Belfry on the same directory ends within a second and says why', async (t) => {
  const hub = await startHub(t);
  // A machine that stalls makes one of them late, but not each.
  await eventually('one ends within a second', async () => {
    const began = Date.now();
    const second = await belfry(['serve', '--listen', '127.0.0.1:0', '--data', hub.data]);
    assert.notEqual(second.code, 0);
    assert.ok(second.stderr.includes(hub.data), second.stderr);
    return Date.now() - began < 1000;
  });
  assert.equal((await hub.publish('still.here')).offset, 0);
});

test('a bad configuration starts nothing and names line, column and the nearest key', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = path.join(directory, 'belfry.yaml');
  const data = path.join(directory, 'data');
  await writeFile(file, `data: ${data}\nlog:\n  segment_byts: 4MiB\n`);
  const result = await belfry(['serve', '--config', file, '--listen', '127.0.0.1:0']);
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /belfry\.yaml:3:\d+/);
  assert.match(result.stderr, /segment_bytes/);
  assert.ok(!existsSync(data), 'it touched the data directory');
});

test('off loopback it starts only with --insecure or tokens', async (t) => {
  const data = path.join(await temporaryDirectory(t), 'data');
  const result = await belfry(['serve', '--listen', '0.0.0.0:0', '--data', data]);
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /insecure/);
});

test('a graceful stop finishes the delivery under way, and a restart repeats nothing', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t, () => new Promise((resolve) => setTimeout(resolve, 200, 204)));
  await hub.subscribe('slow', { url: listener.url, format: 'body' });
  for (let number = 0; number < 10; number++) await hub.publish('work', String(number));
  await listener.received(10);
  assert.equal(await hub.stop(), 0);
  await hub.start();
  await hub.publish('work', 'last');
  const bodies = (await listener.received(11)).map(({ body }) => body);
  assert.deepEqual(bodies.slice().sort(), [...Array(10).keys()].map(String).concat('last').sort());
});

test('log lines are text on a terminal and JSON elsewhere', async (t) => {
  const hub = await startHub(t);
  await hub.stop();
  const lines = hub.log.trim().split('\n').filter((line) => line.includes('"msg"'));
  assert.ok(lines.length > 0, hub.log);
  for (const line of lines) assert.ok(JSON.parse(line).level, line);
  // `script` gives the second one a terminal; its ^C is the signal to stop.
  const serve = `'${binary}' serve --listen 127.0.0.1:0 --data '${hub.data}'`;
  const terminal = spawn('script', ['-qec', serve, '/dev/null'], { env: { ...process.env, NO_COLOR: '1' } });
  stopAtEnd(t, () => terminal.kill());
  const ended = new Promise((resolve) => terminal.on('close', resolve));
  let screen = '';
  terminal.stdout.on('data', (text) => (screen += text));
  await eventually('it serves', () => /127\.0\.0\.1:\d+/.test(screen));
  terminal.stdin.write('\x03');
  await ended;
  assert.match(screen, /^\S+Z info  stopping\r?$/m);
  assert.ok(!screen.includes('"msg"'), screen);
});

test('a second signal stops at once, whatever is under way', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t, () => new Promise(() => {})); // never answers
  await hub.subscribe('slow', { url: listener.url, format: 'body' }, { delivery: { timeout: '30s' } });
  await hub.publish('work', 'x');
  await listener.received(1);
  hub.process.kill('SIGTERM');
  await eventually('it says that it stops', () => /stopping/i.test(hub.log));
  const soon = await Promise.race([hub.exited, new Promise((resolve) => setTimeout(resolve, 500, 'still there'))]);
  assert.equal(soon, 'still there', 'the first signal waits for the delivery under way');
  const wholeLog = once(hub.process, 'close');
  await hub.stop();
  await wholeLog;
  assert.match(hub.log, /stopping at once/);
  assert.doesNotMatch(hub.log, /"stopped"/, 'the second signal waits, too'); // what the stop says that has waited
  await hub.start(); // what was under way is not lost
  await listener.received(2);
});

test('a browser page of another site may not publish to an open hub', async (t) => {
  const hub = await startHub(t);
  const foreign = { 'Content-Type': 'text/plain', Origin: 'https://evil.example' };
  const answer = await hub.request('POST', '/api/v1/events?type=x', 'x', foreign);
  assert.deepEqual([answer.status, answer.json.code], [403, 'denied']);
  assert.deepEqual((await hub.call('GET', '/api/v1/events')).events, []);
});
