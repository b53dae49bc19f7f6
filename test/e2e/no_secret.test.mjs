// The search for secrets in every test finds one: without this it might pass because it sees nothing.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { assertNoSecret, belfry } from './hub.mjs';

test('a secret in a log, an answer or a command line fails its test', () => {
  const token = `belfry_${randomBytes(28).toString('hex')}`;
  const signing = `whsec_${randomBytes(32).toString('base64')}`;
  for (const secret of [token, signing]) {
    assert.throws(() => assertNoSecret(`level=info msg="called with ${secret}"`, 'the log'), /stands in the log/);
    assert.throws(() => belfry(['status', '--url', secret]), /stands in a command line/);
  }
  assert.doesNotThrow(() => assertNoSecret('belfry_token=tk_0123456789ab whsec_…', 'the log'));
});
