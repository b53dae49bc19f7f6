// Retries, order, dead letters and replay, with a real listener.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startHub } from './hub.mjs';
import { startListener } from './listener.mjs';

const fast = { retry: Array(20).fill('20ms') };

test('a listener that fails for a while gets every event once it is back', async (t) => {
  const hub = await startHub(t, '--set', 'circuit.probe_interval=20ms');
  let back = false;
  const settled = new Set();
  const listener = await startListener(t, ({ body }) => (back ? settled.add(body) && 204 : 503));
  await hub.subscribe('shaky', { url: listener.url, format: 'body' }, { delivery: { retry: Array(50).fill('50ms') } });
  for (let number = 0; number < 4; number++) await hub.publish('work', String(number));
  await listener.received(2);
  const attempts = async () => (await hub.call('GET', '/api/v1/subscriptions/shaky/attempts')).attempts;
  await eventually('a failure is shown', async () => (await attempts()).some(({ status }) => status === 503));
  back = true;
  await eventually('all four settle', () => settled.size === 4);
  await eventually('successes are shown', async () => (await attempts()).some(({ status }) => status === 204));
});

test('what failed before an event settled is still shown, and after a restart too', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t, (_, number) => (number <= 2 ? 503 : 204));
  await hub.subscribe('third', { url: listener.url, format: 'body' }, { delivery: fast });
  await hub.publish('work', 'x');
  await listener.received(3);
  const attempts = async (query = '') => {
    const page = await hub.call('GET', `/api/v1/subscriptions/third/attempts${query}`);
    return page.attempts.map(({ attempt, outcome, status }) => `${attempt} ${outcome} ${status}`);
  };
  const failures = ['2 failed 503', '1 failed 503'];
  await eventually('it is settled', async () => (await attempts()).length === 3);
  assert.deepEqual(await attempts(), ['3 settled 204', ...failures]);
  assert.equal((await hub.subscription('third')).retrying, 0);
  await hub.restart('SIGKILL');
  assert.deepEqual(await attempts(), failures, 'successes are remembered since the start only');
  assert.deepEqual(await attempts('?event=0&outcome=failed'), failures);
  await hub.call('DELETE', '/api/v1/subscriptions/third');
  await hub.subscribe('third', { url: listener.url });
  assert.deepEqual(await attempts(), [], 'they went with the subscription');
});

// By default there are five minutes between two probes.
test('a dead endpoint is probed as often as circuit.probe_interval says, and gets everything once it is back', async (t) => {
  const hub = await startHub(t, '--set', 'circuit.probe_interval=20ms');
  let back = false;
  const settled = new Set();
  const listener = await startListener(t, ({ body }) => (back ? settled.add(body) && 204 : 500));
  await hub.subscribe('dead', { url: listener.url, format: 'body' }, { delivery: { retry: Array(50).fill('50ms') } });
  for (let number = 0; number < 8; number++) await hub.publish('work', String(number));
  await listener.received(30);
  assert.equal((await hub.subscription('dead')).circuit, 'open');
  back = true;
  await eventually('all eight settle', () => settled.size === 8);
});

test('with order by key, one key waits for its first event and another key does not', async (t) => {
  const hub = await startHub(t);
  const order = [];
  const listener = await startListener(t, async ({ body }) => {
    order.push(body);
    if (body !== 'a1') return 204;
    const attempt = order.filter((one) => one === 'a1').length;
    if (attempt === 2) await eventually('b1 is delivered', () => order.includes('b1'));
    return attempt < 3 ? 500 : 204;
  });
  const delivery = { order: 'key', key: 'subject', ...fast };
  await hub.subscribe('keyed', { url: listener.url, format: 'body' }, { delivery });
  for (const body of ['a1', 'a2', 'b1']) await hub.publish('work', body, { subject: body[0] });
  await eventually('a2 is delivered', () => order.includes('a2'));
  assert.equal(order.filter((body) => body === 'a1').length, 3);
  assert.ok(order.lastIndexOf('a1') < order.indexOf('a2'), order.join());
  assert.ok(order.indexOf('b1') < order.indexOf('a2'), order.join());
});

test('a 400 is a dead letter at once; replayed, it is delivered and gone', async (t) => {
  const hub = await startHub(t);
  let fixed = false;
  const listener = await startListener(t, () => (fixed ? 204 : 400));
  await hub.subscribe('strict', { url: listener.url, format: 'body' });
  await hub.publish('work', 'bad');
  const letters = () => hub.call('GET', '/api/v1/dead-letters?subscription=strict').then((page) => page.dead_letters);
  const [letter] = await eventually('a dead letter', async () => (await letters()).length && letters());
  assert.deepEqual([letter.reason, letter.event.type, letter.attempts.length], ['rejected', 'work', 1]);
  assert.equal(listener.deliveries.length, 1);
  fixed = true;
  await hub.call('POST', `/api/v1/dead-letters/${letter.id}/replay`);
  const [first, second] = await listener.received(2);
  assert.equal(second.headers['webhook-id'], first.headers['webhook-id']);
  assert.ok(second.headers['belfry-replay']);
  await eventually('the dead letter is gone', async () => (await letters()).length === 0);
});

test('an exhausted schedule is a dead letter with its attempts, and survives kill -9', async (t) => {
  const hub = await startHub(t);
  const listener = await startListener(t, () => 500);
  const delivery = { retry: ['10ms', '10ms'] };
  await hub.subscribe('down', { url: listener.url, format: 'body' }, { delivery });
  await hub.publish('work', 'x');
  const letters = () => hub.call('GET', '/api/v1/dead-letters').then((page) => page.dead_letters);
  await eventually('a dead letter', async () => (await letters()).length === 1);
  await hub.restart('SIGKILL');
  const [letter] = await eventually('the dead letter again', async () => (await letters()).length && letters());
  assert.deepEqual([letter.reason, letter.attempts.length, letter.subscription], ['exhausted', 3, 'down']);
});

test('410 disables a subscription, resume enables it again', async (t) => {
  const hub = await startHub(t);
  let gone = true;
  const listener = await startListener(t, () => (gone ? 410 : 204));
  await hub.subscribe('moved', { url: listener.url, format: 'body' }, { delivery: fast });
  await hub.publish('work', 'kept');
  await eventually('it is disabled', async () => (await hub.subscription('moved')).state === 'disabled');
  gone = false;
  await hub.call('POST', '/api/v1/subscriptions/moved/resume');
  const [, again] = await listener.received(2);
  assert.equal(again.body, 'kept');
});
