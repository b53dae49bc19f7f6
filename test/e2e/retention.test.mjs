// Retention passes a reader: the list answers 410, a stream is told of the gap.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startHub } from './hub.mjs';
import { openStream } from './stream.mjs';

const small = ['--set', 'log.segment_bytes=1MiB', '--set', 'log.retention.bytes=2MiB'];

test('behind the start of the log a list is 410 with the first offset, and a stream gets a gap', async (t) => {
  const hub = await startHub(t, ...small);
  const kilobytes100 = 'x'.repeat(100 * 1024);
  for (let number = 0; number < 60; number++) await hub.publish('bulk', kilobytes100);
  const gone = await eventually('the start is dropped', async () => {
    const answer = await hub.request('GET', '/api/v1/events?after=0&limit=1');
    return answer.status === 410 && answer;
  });
  assert.equal(gone.json.code, 'offset_expired');
  const first = gone.json.first;
  assert.ok(first > 0 && first < 60, gone.text);
  const stream = await openStream(`${hub.url}/api/v1/events/stream`, { 'Last-Event-ID': '0' });
  t.after(() => stream.close());
  const gap = await stream.next();
  assert.equal(gap.event, 'gap');
  assert.equal(gap.data.reason, 'retention');
  assert.ok(gap.data.to >= first - 1 && gap.id === String(gap.data.to), JSON.stringify(gap));
  const after = await stream.next();
  assert.ok(Number(after.id) >= first && after.data.type === 'bulk');
});

test('retention waits for a subscription that is not done, and goes on without it', async (t) => {
  const hub = await startHub(t, ...small, '--set', 'log.retention.every=100ms');
  const first = async () => (await hub.request('GET', '/api/v1/events?limit=1')).json.events[0].offset;
  const publish = async (count) => {
    for (let number = 0; number < count; number++) await hub.publish('bulk', 'x'.repeat(100 * 1024));
  };
  await publish(30);
  // It works: what the subscription does not need goes.
  const start = await eventually('the start is dropped', first);
  const url = 'http://127.0.0.1:9/nobody-listens';
  await hub.subscribe('slow', { url, format: 'body' }, { delivery: { retry: ['1h'] } });
  const { cursor } = await hub.subscription('slow');
  await publish(60);
  // The segments below its cursor go and no other, several times the size notwithstanding: when the start is next to the
  // cursor, retention has looked at a log that was too long and stopped.
  const kept = await eventually('all below the cursor is dropped', async () => {
    const now = await first();
    return now > start && now;
  });
  assert.ok(kept <= cursor, `${kept} is past the cursor ${cursor}`);
  await hub.call('DELETE', '/api/v1/subscriptions/slow');
  const gone = await eventually('what it held back is dropped', async () => {
    const now = await first();
    return now > cursor + 20 && now;
  });
  assert.ok(gone < cursor + 60);
});
