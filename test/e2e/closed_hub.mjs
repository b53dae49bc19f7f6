// A hub that serves whom its tokens allow, and the command line of its operator.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { belfry, makeHub, temporaryDirectory } from './hub.mjs';

export const bearer = (secret) => ({ Authorization: `Bearer ${secret}` });

export async function startClosedHub(t, ...args) {
  const directory = await temporaryDirectory(t);
  const data = path.join(directory, 'data');
  const made = await belfry(['token', 'bootstrap', '--data', data]);
  assert.equal(made.code, 0, made.stderr);
  const secret = made.stdout.trim();
  assert.match(secret, /^belfry_[0-9a-f]{56}$/);
  const hub = await makeHub(t, data, ...args).start();
  hub.token = secret;
  const cli = (...words) => belfry([...words, '--url', hub.url], { env: { BELFRY_TOKEN: secret } });
  // A policy of these rules, in Consul's HCL; what is skipped of it is said in the result's stderr.
  const makePolicy = async (name, rules) => {
    const file = path.join(directory, `${name}.hcl`);
    await writeFile(file, rules);
    const policy = await cli('policy', 'create', name, file);
    assert.equal(policy.code, 0, policy.stderr);
    return policy;
  };
  // A token of that policy: { id, secret, … }.
  const makeToken = async (policy) => {
    const issued = await cli('token', 'create', '--policy', policy, '--json');
    assert.equal(issued.code, 0, issued.stderr);
    return JSON.parse(issued.stdout);
  };
  return { hub, secret, cli, data, directory, makePolicy, makeToken };
}
