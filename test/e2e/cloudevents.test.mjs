// The CloudEvents SDK publishes in its three modes and reads what is delivered.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CloudEvent, HTTP } from 'cloudevents';
import { startHub } from './hub.mjs';
import { startListener } from './listener.mjs';

const deploy = (more = {}) =>
  new CloudEvent({ type: 'deploy', source: '/ci', subject: 'shop', data: { version: '1.2.3' }, ...more });

for (const mode of ['binary', 'structured']) {
  test(`the SDK's ${mode} mode is stored as it was sent`, async (t) => {
    const hub = await startHub(t);
    const event = deploy({ region: 'eu' });
    const { headers, body } = HTTP[mode](event);
    const receipt = await hub.request('POST', '/api/v1/events', body, headers);
    assert.equal(receipt.status, 200, receipt.text);
    assert.equal(receipt.headers.get('belfry-durability'), 'fsync');
    assert.deepEqual(receipt.json, { id: event.id, offset: 0, durability: 'fsync' });
    const stored = await hub.call('GET', '/api/v1/events/0');
    assert.equal(stored.id, event.id);
    assert.equal(stored.region, 'eu');
    assert.equal(stored.time, event.time);
    assert.deepEqual(stored.data, { version: '1.2.3' });
  });
}

test('a batch is stored whole and in order', async (t) => {
  const hub = await startHub(t);
  const batch = [1, 2, 3].map((number) => deploy({ id: `n-${number}` }).toJSON());
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  const receipt = await hub.call('POST', '/api/v1/events', JSON.stringify(batch), headers);
  assert.deepEqual(receipt.events.map((one) => [one.id, one.offset]), [['n-1', 0], ['n-2', 1], ['n-3', 2]]);
});

test('a batch with one bad event is refused whole and names its index', async (t) => {
  const hub = await startHub(t);
  const batch = [deploy().toJSON(), { specversion: '1.0', id: 'x', source: '/ci' }];
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  const answer = await hub.request('POST', '/api/v1/events', JSON.stringify(batch), headers);
  assert.equal(answer.status, 400);
  assert.equal(answer.json.index, 1);
  assert.equal(answer.json.code, 'invalid_event');
  assert.deepEqual((await hub.call('GET', '/api/v1/events')).events, []);
});

for (const format of ['cloudevents-binary', 'cloudevents-structured']) {
  test(`a ${format} delivery is an event to the SDK`, async (t) => {
    const hub = await startHub(t);
    const listener = await startListener(t);
    await hub.subscribe('sdk', { url: listener.url, format });
    const event = deploy({ id: 'one' });
    const { headers, body } = HTTP.binary(event);
    await hub.call('POST', '/api/v1/events', body, headers);
    const [delivery] = await listener.received(1);
    const received = HTTP.toEvent(delivery);
    assert.deepEqual(
      [received.id, received.type, received.source, received.subject, received.data],
      ['one', 'deploy', '/ci', 'shop', { version: '1.2.3' }],
    );
  });
}

test('the same event again gets the first receipt, other content under its id is a conflict', async (t) => {
  const hub = await startHub(t);
  const send = (event) => {
    const { headers, body } = HTTP.structured(event);
    return hub.request('POST', '/api/v1/events', body, headers);
  };
  const event = deploy({ id: 'once' });
  assert.equal((await send(event)).json.offset, 0);
  const again = await send(event);
  assert.deepEqual([again.status, again.json.offset, again.json.duplicate], [200, 0, true]);
  const other = await send(event.cloneWith({ data: { version: '9' } }));
  assert.deepEqual([other.status, other.json.code], [409, 'id_conflict']);
});
