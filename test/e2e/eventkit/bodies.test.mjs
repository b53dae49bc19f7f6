// Requests as the network brings them: too large, too slow, in chunks, asked for first.
import assert from 'node:assert/strict';
import test from 'node:test';
import { event } from '../steadybit/agent.mjs';
import { exchange, startExample } from './kit.mjs';

const head = (...lines) => ['POST /events/all HTTP/1.1', 'Host: 127.0.0.1', 'Content-Type: application/json', ...lines, '', ''].join('\r\n');
const isAnswered = (text) => /^HTTP\/1\.1 [2-5]\d\d[^]*\r\n\r\n/m.test(text.replace(/^HTTP\/1\.1 100[^]*?\r\n\r\n/, ''));

test('eventkit 47: a body over the limit is 413, with a length and in chunks, and nothing of it is handled', async (t) => {
  const kit = await startExample(t, { STEADYBIT_EXTENSION_BODY_BYTES: '10000' });
  const large = JSON.stringify({ ...JSON.parse(event(1)), more: 'x'.repeat(10_000) });
  assert.equal((await kit.call(large)).status, 413);
  const chunks = Array.from({ length: 11 }, (_, place) => large.slice(place * 1000, (place + 1) * 1000));
  assert.equal((await kit.call(chunks)).status, 413);
  const announced = await exchange(kit.where, head('Content-Length: 10001'), isAnswered);
  assert.match(announced.text, /^HTTP\/1\.1 413 /, 'before it is sent');
  assert.deepEqual(await kit.lines(), []);
  const fits = JSON.stringify({ ...JSON.parse(event(2)), more: '' });
  await kit.send(fits.replace('"more":""', `"more":"${'x'.repeat(10_000 - fits.length)}"`));
  assert.equal((await kit.lines()).length, 1);
});

test('eventkit 47: without a setting a body of 1 MiB is taken', async (t) => {
  const kit = await startExample(t);
  const small = JSON.stringify({ ...JSON.parse(event(1)), more: '' });
  await kit.send(small.replace('"more":""', `"more":"${'x'.repeat(1024 * 1024 - small.length)}"`));
  assert.equal((await kit.lines()).length, 1);
});

test('eventkit 47: a head that comes too slowly is answered 408 and closed, and others are served meanwhile', async (t) => {
  const kit = await startExample(t);
  const slow = exchange(kit.where, 'POST /events/all HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  await kit.send(event(1));
  const { text, closed } = await slow;
  assert.ok(closed);
  assert.match(text, /^HTTP\/1\.1 408 /, 'who only idles is closed without a word');
  await kit.send(event(2));
});

test('eventkit 47: a body in chunks is put together', async (t) => {
  const kit = await startExample(t);
  const body = event(1);
  await kit.send([body.slice(0, 7), body.slice(7, 8), body.slice(8)]);
  const pieces = [...event(2)].map((one) => `1\r\n${one}\r\n`).join('');
  const { text } = await exchange(kit.where, `${head('Transfer-Encoding: chunked')}${pieces}0\r\n\r\n`, isAnswered);
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.equal((await kit.lines()).length, 2);
});

test('eventkit 47: Expect: 100-continue is answered before the body, and by 413 where the body would be too large', async (t) => {
  const kit = await startExample(t, { STEADYBIT_EXTENSION_BODY_BYTES: '10000' });
  const body = event(1);
  const expects = head(`Content-Length: ${Buffer.byteLength(body)}`, 'Expect: 100-continue');
  const asked = await exchange(kit.where, expects, (text) => text.includes('\r\n\r\n'));
  assert.match(asked.text, /^HTTP\/1\.1 100 /);
  const whole = await exchange(kit.where, expects + body, isAnswered);
  assert.match(whole.text, /HTTP\/1\.1 200 [^]*\{\}$/);
  const refused = await exchange(kit.where, head('Content-Length: 10001', 'Expect: 100-continue'), isAnswered);
  assert.match(refused.text, /^HTTP\/1\.1 413 /);
  assert.equal((await kit.lines()).length, 1);
});

test('eventkit 47: what is no HTTP is refused, and two requests on one connection are answered in order', async (t) => {
  const kit = await startExample(t);
  for (const [bytes, status] of [
    ['nonsense\r\n\r\n', 400],
    ['POST /events/all HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
  ]) {
    const { text } = await exchange(kit.where, bytes, isAnswered);
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), bytes.slice(0, 60));
  }
  const one = (number) => `${head(`Content-Length: ${Buffer.byteLength(event(number))}`)}${event(number)}`;
  const answersIn = (text) => text.match(/HTTP\/1\.1 \d+/g)?.map((status) => status.slice(9)) ?? [];
  const requests = `${one(1)}POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n${one(2)}`;
  const { text } = await exchange(kit.where, requests, (got) => answersIn(got).length === 3 && got.endsWith('{}'));
  assert.deepEqual(answersIn(text), ['200', '404', '200']);
  assert.equal((await kit.lines()).length, 2);
});

test('eventkit 47: calls on one connection are handled in the order in which they came', async (t) => {
  const kit = await startExample(t);
  const count = 200;
  const requests = Array.from({ length: count }, (_, place) => {
    const body = event(place, `number.${place}`);
    return `${head(`Content-Length: ${Buffer.byteLength(body)}`)}${body}`;
  });
  const { text } = await exchange(kit.where, requests.join(''), (got) => (got.match(/HTTP\/1\.1 200/g) ?? []).length === count);
  assert.ok(!/HTTP\/1\.1 [345]/.test(text));
  assert.deepEqual((await kit.lines()).map(({ name }) => name), requests.map((_, place) => `number.${place}`));
});
