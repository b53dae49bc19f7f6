// Who may fire and see what, with real tokens and policies as they are written for Consul.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bearer, startClosedHub } from '../closed_hub.mjs';
import { eventually } from '../hub.mjs';
import { deregister, fire, fired, isError, list, names, register, send, startBlocked } from './consul.mjs';

const header = (token) => ({ 'X-Consul-Token': token });
const filtered = ({ headers }) => headers['x-consul-results-filtered-by-acls'];
const policy = (headers) => headers['x-consul-default-acl-policy'];

// A closed hub with one token for each of these policies: { hub, tokens: { name: secret }, root, … }.
async function startWith(t, policies, ...args) {
  const closed = await startClosedHub(t, ...args);
  const tokens = {};
  for (const [name, rules] of Object.entries(policies)) {
    await closed.makePolicy(name, rules);
    tokens[name] = (await closed.makeToken(name)).secret;
  }
  return { ...closed, tokens, root: header(closed.secret) };
}

const readsFoo = { foo: 'event "foo" { policy = "read" }' };

test('consul 41: a fire needs write on exactly that name', async (t) => {
  const { hub, tokens, root } = await startWith(t, {
    ci: `event "foo" { policy = "deny" }
      event "bar" { policy = "read" }
      event "baz" { policy = "write" }
      event "a/b" { policy = "write" }`,
  });
  for (const name of ['foo', 'bar', 'zip', 'bazz', 'ba', 'a']) {
    const answer = await fire(hub, name, 'x', header(tokens.ci));
    isError(answer, 403, 'Permission denied', name);
    assert.equal(policy(answer.headers), 'deny');
  }
  isError(await fire(hub, 'baz', 'x'), 403, 'Permission denied', 'nobody');
  await fired(hub, 'baz', 'x', header(tokens.ci));
  await fired(hub, 'a%2Fb', 'x', header(tokens.ci));
  assert.deepEqual(names(await list(hub, '', root)), ['baz', 'a/b']);
});

test('consul 41: a longer prefix beats a shorter, an exact name both', async (t) => {
  const { hub, tokens } = await startWith(t, {
    ci: `event_prefix "" { policy = "read" }
      event_prefix "deploy" { policy = "write" }
      event_prefix "deploy-secret" { policy = "deny" }
      event "deploy-secret-x" { policy = "write" }`,
  });
  const statuses = [];
  for (const name of ['deploy', 'deploy.shop', 'deploy-secret', 'deploy-secret-y', 'deploy-secret-x', 'build']) {
    statuses.push((await fire(hub, name, 'x', header(tokens.ci))).status);
  }
  assert.deepEqual(statuses, [200, 200, 403, 403, 200, 403]);
});

test('consul 16: who may not fire hears of a bad expression first', async (t) => {
  const { hub, tokens, root } = await startWith(t, readsFoo);
  const token = header(tokens.foo);
  isError(await fire(hub, 'foo?node=(', 'x', token), 500, 'Invalid node filter: error parsing regexp: missing closing ): `(`');
  isError(await fire(hub, 'foo?tag=a', 'x', token), 500, 'Cannot provide tag filter without service filter');
  isError(await fire(hub, '', 'x', token), 400, 'Missing name');
  assert.equal((await list(hub, '', root)).text, '[]');
});

test('consul 42: a list without a token is empty and says nothing of a filter', async (t) => {
  const { hub, root } = await startWith(t, {});
  await fired(hub, 'foo', 'x', root);
  const answer = await list(hub);
  assert.deepEqual([answer.status, answer.text, answer.index, filtered(answer)], [200, '[]', '1', undefined]);
  assert.equal(policy(answer.headers), 'deny');
});

test('consul 42: who shows no token may do what the policy anonymous says, and sees no header', async (t) => {
  const { hub, root, makePolicy } = await startWith(t, {});
  await makePolicy('anonymous', 'event "foo" { policy = "write" }');
  await fired(hub, 'foo');
  await fired(hub, 'bar', 'x', root);
  const answer = await list(hub);
  assert.deepEqual([names(answer), filtered(answer)], [['foo'], undefined]);
});

test('consul 43: a token that may read foo sees foo, and that something was left out', async (t) => {
  const { hub, tokens, root } = await startWith(t, readsFoo);
  for (const name of ['foo', 'bar', 'foo', 'baz']) await fired(hub, name, 'x', root);
  const answer = await list(hub, '', header(tokens.foo));
  assert.deepEqual([names(answer), filtered(answer)], [['foo', 'foo'], 'true']);
  assert.equal(answer.index, (await list(hub, 'name=foo', root)).index, 'the index is that of the last event shown');
});

test('consul 44: a token that may read all sees all, without the header', async (t) => {
  const { hub, root } = await startWith(t, {});
  for (const name of ['foo', 'bar']) await fired(hub, name, 'x', root);
  const answer = await list(hub, '', root);
  assert.deepEqual([names(answer), filtered(answer)], [['foo', 'bar'], undefined]);
});

test('consul 45: the name is looked at before the rights', async (t) => {
  const { hub, tokens, root } = await startWith(t, readsFoo);
  for (const name of ['foo', 'bar']) await fired(hub, name, 'x', root);
  const own = await list(hub, 'name=foo', header(tokens.foo));
  assert.deepEqual([names(own), filtered(own)], [['foo'], undefined]);
  const other = await list(hub, 'name=bar', header(tokens.foo));
  assert.deepEqual([other.text, other.index, filtered(other)], ['[]', '1', 'true']);
  const none = await list(hub, 'name=nothing', header(tokens.foo));
  assert.deepEqual([none.text, filtered(none)], ['[]', undefined]);
});

test('consul 46: the token of the query beats the header beats the bearer', async (t) => {
  const { hub, tokens } = await startWith(t, {
    a: 'event "a" { policy = "write" }', b: 'event "b" { policy = "write" }', c: 'event "c" { policy = "write" }',
  });
  const may = async (query, headers) => {
    const able = [];
    for (const name of ['a', 'b', 'c']) if ((await fire(hub, `${name}${query}`, 'x', headers)).status === 200) able.push(name);
    return able.join('');
  };
  const both = { ...header(tokens.b), ...bearer(tokens.c) };
  assert.equal(await may(`?token=${tokens.a}`, both), 'a');
  assert.equal(await may('', both), 'b');
  assert.equal(await may('?token=', both), 'b');
  assert.equal(await may('', { ...header(''), ...bearer(tokens.c) }), 'c');
  assert.equal(await may('', { authorization: `bEARER ${tokens.c} more` }), 'c');
  assert.equal(await may(`?token=${tokens.a}`), 'a');
  assert.equal(await may('', { Authorization: `Basic ${tokens.c}` }), '');
  assert.equal(await may(), '');
});

test('consul 48: a token that nobody knows is told so and stores nothing', async (t) => {
  const { hub, root } = await startWith(t, {});
  const unknown = `belfry_${'0'.repeat(56)}`;
  for (const token of [unknown, 'nonsense', 'b1gs33cr3t-0000-0000-0000-000000000000']) {
    const listed = await list(hub, '', header(token));
    isError(listed, 403, 'ACL not found', token);
    assert.equal(policy(listed.headers), 'deny');
    const refused = await fire(hub, 'foo', 'x', header(token));
    isError(refused, 403, 'ACL not found', token);
    for (const target of ['', '_x', 'foo?dc=elsewhere', 'foo?node=(']) {
      isError(await fire(hub, target, 'x', header(token)), 403, 'ACL not found', `${token} ${target}`);
    }
  }
  assert.equal((await list(hub, '', root)).text, '[]');
});

test('consul 9: a wrong method is told to who shows no token', async (t) => {
  const { hub } = await startWith(t, {});
  const answer = await send(hub, 'POST', '/v1/event/fire/foo');
  isError(answer, 405, 'method POST not allowed');
  assert.equal(policy(answer.headers), 'deny');
});

test('consul 49: the default policy of a closed hub is shown as it is set', async (t) => {
  const { hub, tokens } = await startWith(t, { none: 'event "foo" { policy = "deny" }' }, '--set', 'acl.default_policy=allow');
  const answer = await fire(hub, 'bar', 'x', header(tokens.none));
  assert.deepEqual([answer.status, policy(answer.headers)], [200, 'allow']);
  isError(await fire(hub, 'foo', 'x', header(tokens.none)), 403, 'Permission denied');
});

test('consul 26: a wait ends for an event that the token may read, and for no other', async (t) => {
  const { hub, tokens, root } = await startWith(t, readsFoo);
  const blocked = await startBlocked(hub, 'index=1', header(tokens.foo));
  await fired(hub, 'bar', 'x', root);
  await fired(hub, 'foo', 'x', root);
  const answer = await blocked.answer;
  assert.deepEqual([names(answer), filtered(answer)], [['foo'], 'true']);
});

test('consul 48: a wait ends soon after the revocation of its token', async (t) => {
  const { hub, root, makeToken } = await startWith(t, {});
  const { id, secret } = await makeToken('operator');
  const blocked = await startBlocked(hub, 'index=1', header(secret));
  assert.equal((await send(hub, 'DELETE', `/api/v1/tokens/${id}`, { headers: bearer(root['X-Consul-Token']) })).status, 204);
  await eventually('it ends', () => blocked.answered);
  isError(await blocked.answer, 403, 'ACL not found');
});

test('consul 43: what a policy takes away is not seen by a wait under way', async (t) => {
  const { hub, tokens, root } = await startWith(t, { two: 'event "foo" { policy = "read" }\nevent "bar" { policy = "read" }' });
  const blocked = await startBlocked(hub, 'index=1', header(tokens.two));
  const rules = JSON.stringify({ name: 'two', rules: { event: { bar: 'read' } } });
  const target = '/api/v1/policies/two';
  const etag = (await send(hub, 'GET', target, { headers: bearer(root['X-Consul-Token']) })).headers.etag;
  const headers = { ...bearer(root['X-Consul-Token']), 'Content-Type': 'application/json', 'If-Match': etag };
  assert.equal((await send(hub, 'PUT', target, { headers, body: rules })).status, 200);
  await fired(hub, 'foo', 'x', root);
  await fired(hub, 'bar', 'x', root);
  assert.deepEqual(names(await blocked.answer), ['bar']);
});

test('consul 41: services are registered by whom the policy allows', async (t) => {
  const { hub, tokens, root } = await startWith(t, readsFoo);
  assert.equal((await register(hub, { Name: 'web' }, header(tokens.foo))).status, 403);
  await fired(hub, 'before?service=web', 'x', root);
  assert.equal((await register(hub, { Name: 'web' }, root)).status, 200);
  assert.equal((await deregister(hub, 'web', header(tokens.foo))).status, 403);
  await fired(hub, 'after?service=web', 'x', root);
  assert.deepEqual(names(await list(hub, '', root)), ['after']);
});

test('consul 46: a token in a query is taken by this door alone and is never logged', async (t) => {
  const { hub, secret } = await startWith(t, {}, '--set', 'logging.level=debug');
  assert.equal((await send(hub, 'PUT', `/v1/event/fire/foo?token=${secret}`)).status, 200);
  assert.equal((await send(hub, 'PUT', `/v1/event/fire/foo?node=(&token=${secret}`)).status, 500);
  assert.ok((await send(hub, 'GET', `/api/v1/events?token=${secret}`)).status >= 400);
  assert.equal((await send(hub, 'GET', `/v1/event/list?token=${secret}`)).json().length, 1);
  await hub.stop();
  assert.ok(hub.log.length > 0 && !hub.log.includes(secret.slice('belfry_'.length)), 'the secret is in the log');
});
