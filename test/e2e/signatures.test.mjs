// The Standard Webhooks library verifies what Belfry signs.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';
import { startHub } from './hub.mjs';
import { startListener } from './listener.mjs';

const secret = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`;
const sink = (url) => ({ url, format: 'body', secret });

test('a delivery verifies with the secret, and not with another or with other bytes', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t);
  await hub.subscribe('signed', sink(listener.url));
  await hub.publish('deploy', '{"version":"1.2.3"}');
  const [{ headers, body }] = await listener.received(1);
  assert.deepEqual(new Webhook(secret).verify(body, headers), { version: '1.2.3' });
  const other = new Webhook(`whsec_${Buffer.from('another one of thirty-two bytes!').toString('base64')}`);
  assert.throws(() => other.verify(body, headers), /signature/i);
  assert.throws(() => new Webhook(secret).verify(body.replace('3', '4'), headers), /signature/i);
});

test('webhook-id is the same on every attempt, the attempt number is not', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t, (_, number) => (number < 3 ? 500 : 204));
  await hub.subscribe('signed', sink(listener.url), { delivery: { retry: ['10ms', '10ms'] } });
  await hub.publish('deploy', '{}');
  const attempts = await listener.received(3);
  assert.equal(new Set(attempts.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.deepEqual(attempts.map(({ headers }) => headers['belfry-attempt']), ['1', '2', '3']);
  for (const { headers, body } of attempts) new Webhook(secret).verify(body, headers);
});

test('after rotation both secrets verify, and a secret is never read back', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t);
  await hub.subscribe('signed', sink(listener.url));
  const rotated = await hub.call('POST', '/api/v1/subscriptions/signed/rotate-secret');
  await hub.publish('deploy', '{}');
  const [{ headers, body }] = await listener.received(1);
  assert.match(rotated.secret, /^whsec_/);
  new Webhook(secret).verify(body, headers);
  new Webhook(rotated.secret).verify(body, headers);
  const shown = JSON.stringify(await hub.subscription('signed'));
  assert.ok(!shown.includes(secret) && !shown.includes(rotated.secret), shown);
});
