// What everywhere.test.mjs runs in a network namespace of its own.
import assert from 'node:assert/strict';
import test from 'node:test';
import { event } from '../steadybit/agent.mjs';
import { startExample } from './kit.mjs';

test('an empty host is every address', async (t) => {
  const kit = await startExample(t, { STEADYBIT_EXTENSION_HOST: '' });
  for (const [number, host] of ['127.0.0.1', '::1'].entries()) {
    kit.where.host = host;
    await kit.send(event(number + 1));
  }
  assert.equal((await kit.lines()).length, 2);
});
