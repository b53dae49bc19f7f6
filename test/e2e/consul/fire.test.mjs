// PUT /v1/event/fire/:name: what is taken, how it is echoed, and that nothing is stored of what is refused.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startHub } from '../hub.mjs';
import { fire, fired, isEmpty, isError, list, names, send } from './consul.mjs';

const strict = ['--set', 'consul.strict_status=true'];
const q = encodeURIComponent;
const limit = 1024 * 1024;
const tooLarge = `error broadcasting event: user event exceeds configured limit of ${limit} bytes before encoding`;

test('consul 1: a fire answers 200 with the eight keys in their order', async (t) => {
  const hub = await startHub(t);
  const answer = await fire(hub, 'deploy', '1609030');
  assert.equal(answer.line, 'HTTP/1.1 200 OK');
  assert.equal(answer.headers['content-type'], 'application/json');
  const { ID } = answer.json();
  const rest = '"Name":"deploy","Payload":"MTYwOTAzMA==","NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1,"LTime":0';
  assert.equal(answer.text, `{"ID":"${ID}",${rest}}`);
  assert.ok(!('x-consul-index' in answer.headers));
});

test('consul 2: name and filters echo the URL', async (t) => {
  const hub = await startHub(t);
  const event = await fired(hub, `deploy?node=${q('^web-\\d+$')}&service=a%20b&tag=${q('v[12]')}`);
  assert.deepEqual([event.Name, event.NodeFilter, event.ServiceFilter, event.TagFilter], ['deploy', '^web-\\d+$', 'a b', 'v[12]']);
  const empty = await fired(hub, 'deploy?node=&service&tag=');
  assert.deepEqual([empty.NodeFilter, empty.ServiceFilter, empty.TagFilter], ['', '', '']);
  assert.equal((await fired(hub, 'deploy?node=first&node=second')).NodeFilter, 'first');
});

test('consul 3: the payload is the base64 of the body, whatever the Content-Type says', async (t) => {
  const hub = await startHub(t);
  for (const type of ['text/plain', 'application/json', 'application/octet-stream', 'nonsense', 'application/cloudevents+json']) {
    assert.equal((await fired(hub, 'deploy', '{"a":', { 'Content-Type': type })).Payload, 'eyJhIjo=', type);
  }
});

test('consul 3: a chunked body is kept whole', async (t) => {
  const hub = await startHub(t);
  const { Payload } = await fired(hub, 'deploy', '3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n', { 'Transfer-Encoding': 'chunked' });
  assert.equal(Payload, Buffer.from('abcde').toString('base64'));
});

test('consul 4: no body is a null payload, in the answer and in the list', async (t) => {
  const hub = await startHub(t);
  assert.match((await fire(hub, 'bare')).text, /"Payload":null,/);
  assert.match((await fire(hub, 'empty', '')).text, /"Payload":null,/);
  assert.equal((await list(hub)).text.match(/"Payload":null,/g).length, 2);
});

test('consul 5: Version is 1 and LTime 0', async (t) => {
  const hub = await startHub(t);
  for (let number = 0; number < 3; number++) {
    const { Version, LTime } = await fired(hub, 'deploy');
    assert.deepEqual([Version, LTime], [1, 0]);
  }
});

test('consul 6: ids have the shape of a UUID and differ', async (t) => {
  const hub = await startHub(t);
  const ids = [];
  for (let number = 0; number < 100; number++) ids.push((await fired(hub, 'deploy')).ID);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
});

test('consul 7: every byte of a payload comes back', async (t) => {
  const hub = await startHub(t);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  for (const length of [256, 255, 254, 1]) await fired(hub, 'bytes', bytes.subarray(0, length));
  const payloads = (await list(hub)).events.map(({ Payload }) => Buffer.from(Payload, 'base64'));
  assert.deepEqual(payloads, [256, 255, 254, 1].map((length) => bytes.subarray(0, length)));
});

test('consul 12: a tag without a service is 500 with its text, and nothing is stored', async (t) => {
  const hub = await startHub(t);
  isError(await fire(hub, 'deploy?tag=v1', 'x'), 500, 'Cannot provide tag filter without service filter');
  isError(await fire(hub, 'deploy?tag=v1&service=', 'x'), 500, 'Cannot provide tag filter without service filter');
  await isEmpty(hub);
});

// Consul's texts are those of Go's regexp package.
const badExpressions = [
  ['(', 'missing closing ): `(`'],
  ['(abc', 'missing closing ): `(abc`'],
  ['abc)', 'unexpected ): `abc)`'],
  ['x[a-z', 'missing closing ]: `[a-z`'],
  ['[z-a]', 'invalid character class range: `z-a`'],
  ['*', 'missing argument to repetition operator: `*`'],
  ['+a', 'missing argument to repetition operator: `+`'],
  ['a**', 'invalid nested repetition operator: `**`'],
  ['a*+', 'invalid nested repetition operator: `*+`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['\\x', 'invalid escape sequence: `\\x`'],
  ['a\\8', 'invalid escape sequence: `\\8`'],
  ['abc\\', 'trailing backslash at end of expression: ``'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['(?P<n)', 'invalid named capture: `(?P<n)`'],
  ['\\pX', 'invalid character class range: `\\pX`'],
  ['\\C', 'invalid escape sequence: `\\C`'],
  ['a{2}{3}', 'invalid nested repetition operator: `{2}{3}`'],
  ['[[:x:]]', 'invalid character class range: `[:x:]`'],
  ['(((a{9}){9}){9}){9}', 'invalid repeat count: `{9}`'],
];

for (const [number, kind, before] of [[13, 'node', ''], [14, 'service', ''], [15, 'tag', 'service=foo&']]) {
  test(`consul ${number}: a bad ${kind} filter is 500 with Go's words, and nothing is stored`, async (t) => {
    const hub = await startHub(t);
    const wrong = [];
    for (const [expression, text] of badExpressions) {
      const answer = await fire(hub, `deploy?${before}${kind}=${q(expression)}`, 'x');
      const expected = `Invalid ${kind} filter: error parsing regexp: ${text}`;
      if (answer.status !== 500 || answer.text !== expected) wrong.push([expression, answer.status, answer.text, expected]);
    }
    assert.deepEqual(wrong, []);
    await isEmpty(hub);
  });
}

test('consul 16: a missing service counts before bad expressions, and node before service before tag', async (t) => {
  const hub = await startHub(t);
  const start = async (query) => (await fire(hub, `deploy?${query}`)).text.split(' filter')[0];
  assert.equal(await start('tag=(&node=('), 'Cannot provide tag');
  assert.equal(await start('tag=(&service=(&node=('), 'Invalid node');
  assert.equal(await start('tag=(&service=('), 'Invalid service');
  assert.equal(await start('tag=(&service=a'), 'Invalid tag');
  isError(await fire(hub, '?node=('), 400, 'Missing name');
  await isEmpty(hub);
});

test('consul 16: an expression that is no UTF-8 is refused with the bytes from there on, one with control characters too', async (t) => {
  const hub = await startHub(t);
  for (const [expression, rest] of [['a%FF', 'ff'], ['gr%C3%BC%C3%28', 'c328'], ['%ED%A0%80', 'eda080'], ['%5B%F0%9F%9A', 'f09f9a']]) {
    for (const [kind, before] of [['node', ''], ['service', ''], ['tag', 'service=a&']]) {
      const { status, body } = await fire(hub, `deploy?${before}${kind}=${expression}`, 'x');
      const expected = Buffer.from(`Invalid ${kind} filter: error parsing regexp: invalid UTF-8: \``);
      assert.deepEqual([status, body.toString('hex')], [500, `${expected.toString('hex')}${rest}60`], expression);
    }
  }
  for (const query of ['node=a%00b', 'service=a%0Ab', 'service=a&tag=%7F', 'node=%C2%85']) {
    const { status, text } = await fire(hub, `deploy?${query}`, 'x');
    assert.equal(status, 400, query);
    assert.match(text, /"(node|service|tag)filter" has a control character/, query);
  }
  isError(await fire(hub, 'deploy?dc=%FF', 'x'), 500, 'No path to datacenter');
  await isEmpty(hub);
});

test('consul 16: an expression over 1 KiB is refused, one of 1 KiB is not', async (t) => {
  const hub = await startHub(t);
  for (const kind of ['node', 'service', 'tag']) {
    const answer = await fire(hub, `big?${kind === 'tag' ? 'service=a&' : ''}${kind}=${'a'.repeat(1025)}`);
    assert.equal(answer.status, 500, answer.text);
    assert.ok(answer.text.startsWith(`Invalid ${kind} filter: `), answer.text);
  }
  await isEmpty(hub);
  assert.equal((await fired(hub, `big?node=${'a'.repeat(1024)}`)).NodeFilter.length, 1024);
});

test('consul 50: slashes, spaces, percent signs and other letters in a name come back', async (t) => {
  const hub = await startHub(t);
  const rows = [
    ['a/b', 'a/b'],
    ['a%2Fb', 'a/b'],
    ['a%2fb/c', 'a/b/c'],
    ['two%20words', 'two words'],
    ['a+b', 'a+b'],
    ['100%25', '100%'],
    ['a%252Fb', 'a%2Fb'],
    ['gr%C3%BC%C3%9Fe-%F0%9F%9A%80', 'grüße-🚀'],
    ['a_b', 'a_b'],
    ['a"b%5Cc', 'a"b\\c'],
    ["it's;a,b=c&d:@$!*()", "it's;a,b=c&d:@$!*()"],
  ];
  for (const [target, name] of rows) {
    assert.equal((await fired(hub, target)).Name, name, target);
    assert.deepEqual(names(await list(hub, `name=${q(name)}`)).at(-1), name, target);
  }
  assert.deepEqual(names(await list(hub)), rows.map(([, name]) => name));
});

test('consul 50: what cannot be printed is 400 with an empty body', async (t) => {
  const hub = await startHub(t);
  for (const code of ['00', '01', '09', '0A', '0d', '1f', '7F', 'C2%85', 'C2%A0', 'E2%80%8B', 'E2%80%A8']) {
    isError(await fire(hub, `a%${code}b`, 'x'), 400, '', code);
  }
  await isEmpty(hub);
});

test('consul 50: a name that is no UTF-8 or badly encoded is 400', async (t) => {
  const hub = await startHub(t);
  for (const target of ['a%zzb', 'a%', 'a%2', 'a%ffb', 'a%C3b']) assert.equal((await fire(hub, target, 'x')).status, 400, target);
  await isEmpty(hub);
});

test('consul 50: a name has 255 bytes at most', async (t) => {
  const hub = await startHub(t);
  assert.equal((await fire(hub, 'n'.repeat(256), 'x')).status, 400);
  assert.equal((await fire(hub, '%C3%BC'.repeat(128), 'x')).status, 400);
  await isEmpty(hub);
  assert.equal((await fired(hub, 'n'.repeat(255))).Name.length, 255);
  assert.equal((await fired(hub, `${'%C3%BC'.repeat(127)}n`)).Name, `${'ü'.repeat(127)}n`);
});

test('consul 51: names beginning with _ are reserved', async (t) => {
  const hub = await startHub(t);
  for (const name of ['_foo', '_rexec', '%5Ffoo', '_', '_a/b']) {
    isError(await fire(hub, name, 'x'), 400, "Event names starting with '_' are reserved", name);
  }
  await isEmpty(hub);
  assert.equal((await list(hub, 'name=_foo')).text, '[]');
});

test('consul 53: the same fire twice is two events', async (t) => {
  const hub = await startHub(t);
  const ids = [(await fired(hub, 'deploy', 'same')).ID, (await fired(hub, 'deploy', 'same')).ID];
  assert.notEqual(ids[0], ids[1]);
  assert.deepEqual((await list(hub)).events.map(({ ID }) => ID), ids);
});

test('consul 54: JSON is escaped as Go escapes it', async (t) => {
  const hub = await startHub(t);
  const { ID } = await fired(hub, 'a%3Cb');
  assert.ok((await fire(hub, `deploy?node=${q('<|>|&|"|\u2028|\u2029|ü')}`)).text.includes(
    '"NodeFilter":"\\u003c|\\u003e|\\u0026|\\"|\\u2028|\\u2029|ü"'));
  assert.ok((await list(hub)).text.startsWith(`[{"ID":"${ID}","Name":"a\\u003cb",`));
});

test('consul 59: a payload of 1 MiB is kept, one byte more is refused with the limit and nothing is stored', async (t) => {
  const hub = await startHub(t);
  isError(await fire(hub, 'big', Buffer.alloc(limit + 1, 'x')), 500, tooLarge);
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const chunks = Array.from({ length: 17 }, () => [Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]).flat();
  const body = Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
  isError(await fire(hub, 'big', body, { 'Transfer-Encoding': 'chunked' }), 500, tooLarge);
  await isEmpty(hub);
  assert.equal((await fired(hub, 'small', Buffer.alloc(300, 'x'))).Payload.length, 400);
  await fired(hub, 'big', Buffer.alloc(limit, 'y'));
  assert.deepEqual(Buffer.from((await list(hub, 'name=big')).events[0].Payload, 'base64'), Buffer.alloc(limit, 'y'));
});

test('consul 59: with consul.strict_status the same texts come with 400 and 413', async (t) => {
  const hub = await startHub(t, ...strict);
  isError(await fire(hub, 'big', Buffer.alloc(limit + 1, 'x')), 413, tooLarge);
  isError(await fire(hub, 'deploy?tag=v1'), 400, 'Cannot provide tag filter without service filter');
  isError(await fire(hub, 'deploy?node=('), 400, 'Invalid node filter: error parsing regexp: missing closing ): `(`');
  isError(await fire(hub, 'deploy?service=('), 400, 'Invalid service filter: error parsing regexp: missing closing ): `(`');
  isError(await fire(hub, 'deploy?service=a&tag=('), 400, 'Invalid tag filter: error parsing regexp: missing closing ): `(`');
  await isEmpty(hub);
});

test('consul 52: a fire into another datacenter is refused, into the own one not', async (t) => {
  const hub = await startHub(t, '--set', 'consul.datacenter=fra1');
  for (const query of ['dc=ams1', 'datacenter=ams1', 'datacenter=ams1&dc=fra1']) {
    const answer = await fire(hub, `deploy?${query}`, 'x');
    isError(answer, 500, 'No path to datacenter', query);
  }
  await isEmpty(hub);
  for (const query of ['dc=fra1', 'dc=', 'datacenter=fra1&dc=ams1', 'index=7&wait=1s&ns=team&nonsense=1']) {
    await fired(hub, `deploy?${query}`);
  }
  assert.equal((await list(hub)).events.length, 4);
});

test('consul 8: an empty name is refused', async (t) => {
  const hub = await startHub(t);
  isError(await send(hub, 'PUT', '/v1/event/fire/', { body: 'x' }), 400, 'Missing name');
  await isEmpty(hub);
});
