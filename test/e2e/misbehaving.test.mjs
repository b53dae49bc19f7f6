// Listeners that break every rule take nothing from a healthy one, nor from the publisher.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startHub } from './hub.mjs';
import { startListener, startRawListener } from './listener.mjs';

const endless = (socket, text) => {
  const write = () => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', write);
  write();
};

const behaviours = {
  'never answers': () => {},
  'drips one byte a second': (socket) => {
    const timer = setInterval(() => socket.write('H'), 1000);
    socket.on('close', () => clearInterval(timer));
  },
  resets: (socket) => socket.resetAndDestroy(),
  redirects: (socket) =>
    socket.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
  'sends endless headers': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    endless(socket, `X-More: ${'y'.repeat(1000)}\r\n`);
  },
  'sends no HTTP': (socket) => socket.end('hello there\r\n\r\n'),
};

test('misbehaving listeners leave a healthy one alone', async (t) => {
  const hub = await startHub(t);
  const healthy = await startListener(t);
  await hub.subscribe('healthy', { url: healthy.url, format: 'body' });
  const names = Object.keys(behaviours).map((_, index) => `bad-${index}`);
  for (const [index, behave] of Object.values(behaviours).entries()) {
    const url = await startRawListener(t, behave);
    await hub.subscribe(names[index], { url, format: 'body' }, { delivery: { timeout: '1s', retry: ['50ms', '1h'] } });
  }
  const began = Date.now();
  for (let number = 0; number < 100; number++) await hub.publish('work', String(number));
  const bodies = (await healthy.received(100)).map(({ body }) => Number(body));
  assert.deepEqual(bodies.sort((a, b) => a - b), Array.from({ length: 100 }, (_, number) => number));
  assert.ok(Date.now() - began < 60_000, 'each of the 100 waited for calls that take a second');
  for (const [index, behaviour] of Object.keys(behaviours).entries()) {
    await eventually(`'${behaviour}' counts as failed`, async () => {
      const { attempts } = await hub.call('GET', `/api/v1/subscriptions/${names[index]}/attempts`);
      return attempts.length > 0 && attempts.every(({ status, error }) => error || status === 302);
    });
  }
});

test('an endless body behind a 200 settles, and the rest is not read', async (t) => {
  const hub = await startHub(t);
  let sent = 0;
  const url = await startRawListener(t, (socket) => {
    socket.on('close', () => (sent = socket.bytesWritten));
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    endless(socket, `1000\r\n${'z'.repeat(0x1000)}\r\n`);
  });
  await hub.subscribe('talker', { url, format: 'body' }, { delivery: { timeout: '2s' } });
  await hub.publish('work');
  await eventually('the connection is closed', () => sent > 0);
  const settled = async () => (await hub.subscription('talker')).cursor === 1;
  await eventually('the event is settled', settled);
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken`);
});
