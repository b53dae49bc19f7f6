// What stands around every answer of the door: methods, paths, redirects, headers, encodings.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startHub } from '../hub.mjs';
import { Connection, fire, fired, isEmpty, isError, list, send } from './consul.mjs';

const policyHeader = 'x-consul-default-acl-policy';

for (const [number, target, allow, wrong] of [
  [9, '/v1/event/fire/deploy', 'OPTIONS,PUT', ['GET', 'POST', 'DELETE', 'PATCH', 'HEAD']],
  [10, '/v1/event/list', 'OPTIONS,GET', ['PUT', 'POST', 'DELETE', 'PATCH', 'HEAD']],
]) {
  test(`consul ${number}: ${target} tells other methods than ${allow} so`, async (t) => {
    const hub = await startHub(t);
    for (const method of wrong) {
      const answer = await send(hub, method, target, method === 'POST' || method === 'PATCH' ? { body: 'x' } : {});
      isError(answer, 405, method === 'HEAD' ? '' : `method ${method} not allowed`, method);
      assert.equal(answer.line, 'HTTP/1.1 405 Method Not Allowed');
      assert.deepEqual([answer.headers.allow, answer.headers[policyHeader]], [allow, 'allow'], method);
    }
    await isEmpty(hub);
  });
}

test('consul 11: OPTIONS is 200 with Allow and an empty body', async (t) => {
  const hub = await startHub(t);
  for (const [target, allow] of [['/v1/event/fire/deploy', 'OPTIONS,PUT'], ['/v1/event/fire/', 'OPTIONS,PUT'], ['/v1/event/list', 'OPTIONS,GET']]) {
    const answer = await send(hub, 'OPTIONS', target);
    assert.deepEqual([answer.status, answer.text, answer.headers.allow, answer.headers['content-length']], [200, '', allow, '0'], target);
    assert.equal(answer.headers[policyHeader], 'allow');
  }
});

test('consul 47: with pretty JSON has 4 spaces and a last newline, without it has neither', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'deploy', 'x');
  const compact = await list(hub);
  const [event] = compact.events;
  assert.equal(compact.text, JSON.stringify([event]));
  for (const query of ['pretty', 'pretty=1', 'pretty=false', 'pretty=']) {
    assert.equal((await list(hub, query)).text, `${JSON.stringify([event], null, 4)}\n`, query);
    assert.equal((await list(hub, `name=nothing&${query}`)).text, '[]\n', query);
  }
  const answer = await fire(hub, 'deploy?pretty', 'x');
  assert.equal(answer.text, `${JSON.stringify(answer.json(), null, 4)}\n`);
});

test('consul 49: the default policy stands on every answer', async (t) => {
  const hub = await startHub(t, '--set', 'consul.datacenter=fra1');
  const rows = [
    ['PUT', '/v1/event/fire/deploy', 200], ['GET', '/v1/event/list', 200], ['PUT', '/v1/event/fire/', 400],
    ['PUT', '/v1/event/fire/_x', 400], ['GET', '/v1/event/list?wait=x', 400], ['GET', '/v1/event/list?index=x', 400],
    ['GET', '/v1/event/fire/deploy', 405], ['POST', '/v1/event/list', 405], ['OPTIONS', '/v1/event/list', 200],
    ['PUT', '/v1/event/fire/deploy?node=(', 500], ['PUT', '/v1/event/fire/deploy?dc=x', 500], ['GET', '/v1/event/list?node=%zz', 500],
  ];
  for (const [method, target, status] of rows) {
    const { headers, ...answer } = await send(hub, method, target);
    assert.deepEqual([answer.status, headers[policyHeader], headers.vary], [status, 'allow', 'Accept-Encoding'], `${method} ${target}`);
  }
});

test('consul 55: a query that cannot be read is 500 with an empty body', async (t) => {
  const hub = await startHub(t);
  for (const query of ['node=%zz', 'name=%', 'a=%2', 'x;y', 'name=a;index=1', '%zz', 'node=%C3%28&%ZZ']) {
    for (const answer of [await list(hub, query), await fire(hub, `deploy?${query}`, 'x')]) {
      assert.deepEqual([answer.status, answer.text, answer.headers['content-length']], [500, '', '0'], query);
    }
  }
  await isEmpty(hub);
});

// To Go's query any byte is as good as another.
test('consul 55: bytes that are no UTF-8 and control characters are read, and match nothing', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'deploy?nonsense=%FF&%00=%C3%28&pretty=%01');
  for (const query of ['name=%FF', 'name=a%00b', 'name=deploy%00', 'name=deploy%C3']) assert.equal((await list(hub, query)).text, '[]', query);
  for (const query of ['nonsense=%FF', 'x=a%00b&%C3%28', 'name=deploy&dc=%FF', 'node=%01', 'service=%00']) {
    assert.equal((await list(hub, query)).events.length, 1, query);
  }
  isError(await list(hub, 'wait=%FF'), 400, 'Invalid wait time');
  isError(await list(hub, 'index=%00'), 400, 'Invalid index');
  assert.equal((await list(hub, 'node=%FF')).status, 400);
  for (const target of ['/v1/catalog/services?x=%FF', '/v1/agent/services?filter=%00', '/v1/catalog/nodes?%FF']) {
    assert.equal((await send(hub, 'GET', target)).status, 200, target);
  }
});

test('consul 55: a payload is kept whole beside a query of any bytes', async (t) => {
  const hub = await startHub(t);
  const long = 'p'.repeat(40_000); // past what a stranger may send in one piece
  const pieces = `3\r\nabc\r\n${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
  for (const query of ['x=%FF', 'x=a%0A', '%00=%C3%28']) {
    for (const [body, headers, payload] of [[pieces, { 'Transfer-Encoding': 'chunked' }, `abc${long}`], [long, {}, long]]) {
      const { ID, Payload } = await fired(hub, `deploy?${query}`, body, headers);
      assert.equal(Buffer.from(Payload ?? '', 'base64').toString(), payload, query);
      const { events } = await list(hub);
      assert.deepEqual([events.at(-1).ID, events.at(-1).Payload], [ID, Payload], query);
    }
  }
});

test('consul 55: a repeated parameter and a plus are no errors', async (t) => {
  const hub = await startHub(t);
  await fired(hub, 'two%20words');
  assert.equal((await list(hub, 'name=two+words&name=other&&=&name')).events.length, 1);
});

test('consul 60: an unknown path below /v1 is 404 with the text', async (t) => {
  const hub = await startHub(t);
  const text = 'Invalid URL path: not a recognized HTTP API endpoint\n';
  for (const target of ['/v1/nothing', '/v1/event', '/v1/event/', '/v1/event/list/', '/v1/event/list/x', '/v1/event/fires/x', '/v1/', '/v1/Event/list']) {
    for (const method of ['GET', 'PUT']) {
      const answer = await send(hub, method, target, method === 'PUT' ? { body: 'x' } : {});
      assert.deepEqual([answer.status, answer.text], [404, text], `${method} ${target}`);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    }
  }
  await isEmpty(hub);
});

test('consul 60: paths are cleaned by a redirect', async (t) => {
  const hub = await startHub(t);
  const rows = [
    ['/v1/event/fire', '/v1/event/fire/'],
    ['/v1/event/fire?node=a', '/v1/event/fire/?node=a'],
    ['/v1//event/list', '/v1/event/list'],
    ['/v1/event//fire/deploy', '/v1/event/fire/deploy'],
    ['/v1/event/fire//deploy', '/v1/event/fire/deploy'],
    ['/v1/event//list?name=a%20b', '/v1/event/list?name=a%20b'],
    ['/v1//event///fire//a///b/', '/v1/event/fire/a/b/'],
    ['/v1/event/./list?name=a%20b', '/v1/event/list?name=a%20b'],
    ['/v1/agent/../event/list', '/v1/event/list'],
    ['/v1/event/fire/a/../b', '/v1/event/fire/b'],
    ['/v1/event/fire/a/./b/', '/v1/event/fire/a/b/'],
  ];
  for (const [target, location] of rows) {
    for (const method of ['GET', 'PUT']) {
      const answer = await send(hub, method, target, method === 'PUT' ? { body: 'x' } : {});
      assert.deepEqual([answer.line, answer.headers.location], ['HTTP/1.1 301 Moved Permanently', location], `${method} ${target}`);
    }
  }
  await isEmpty(hub);
});

test('consul 60: a redirect leads nowhere else', async (t) => {
  const hub = await startHub(t);
  assert.equal((await send(hub, 'GET', '/v1//evil.example')).headers.location, '/v1/evil.example');
  for (const target of ['//evil.example/v1/event/list', '/v1/..//evil.example', '/v1/event/..//..//evil.example/%0d%0aX-Y:z']) {
    const { status, headers } = await send(hub, 'GET', target);
    assert.ok(!('x-y' in headers));
    if (status === 301) assert.match(headers.location, /^\/(?![/\\])/, target);
  }
});

test('consul 61: a list of 1,400 bytes is compressed for who takes gzip', async (t) => {
  const hub = await startHub(t);
  const gzip = { 'Accept-Encoding': 'deflate, gzip;q=0.5' };
  await fired(hub, 'deploy');
  const small = await list(hub, '', gzip);
  assert.deepEqual([small.headers['content-encoding'], small.events.length], [undefined, 1]);
  await fired(hub, 'deploy', 'x'.repeat(1500));
  const plain = await list(hub);
  assert.deepEqual([plain.headers['content-encoding'], plain.headers.vary], [undefined, 'Accept-Encoding']);
  const packed = await send(hub, 'GET', '/v1/event/list', { headers: gzip });
  assert.deepEqual([packed.headers['content-encoding'], packed.headers.vary], ['gzip', 'Accept-Encoding']);
  assert.equal(packed.headers['content-type'], 'application/json');
  assert.equal(packed.headers['x-consul-index'], plain.index);
  assert.ok(packed.body.length < plain.body.length);
  assert.equal(gunzipSync(packed.body).toString(), plain.text);
  for (const refusal of ['gzip;q=0', 'br', 'identity']) {
    assert.equal((await list(hub, '', { 'Accept-Encoding': refusal })).headers['content-encoding'], undefined, refusal);
  }
});

test('consul 63: 1,000 requests go over one connection', async (t) => {
  const hub = await startHub(t);
  const connection = new Connection(hub);
  t.after(() => connection.close());
  const rows = [['PUT', '/v1/event/fire/deploy', 200], ['GET', '/v1/event/list?name=none', 200], ['GET', '/v1/event/fire/x', 405],
    ['GET', '/v1/nothing', 404], ['PUT', '/v1/event/fire/x?node=(', 500], ['GET', '/v1/event/list?%zz', 500], ['PUT', '/v1/event/fire/_x', 400],
    ['OPTIONS', '/v1/event/list', 200], ['PUT', '/v1/event/fire', 301], ['PUT', '/v1/event/fire/a%01', 400]];
  for (let number = 0; number < 1000; number++) {
    const [method, target, status] = rows[number % rows.length];
    const body = method === 'PUT' ? { body: 'payload' } : {};
    assert.equal((await connection.send(method, target, body)).status, status, `${number}: ${method} ${target}`);
  }
  assert.equal((await list(hub)).events.length, 100);
});

test('consul 1: headers that Consul sends elsewhere are not sent', async (t) => {
  const hub = await startHub(t);
  const absent = ['x-consul-knownleader', 'x-consul-lastcontact', 'x-consul-query-backend', 'x-consul-effective-consistency', 'x-cache'];
  for (const { status, headers } of [await fire(hub, 'deploy', 'x'), await list(hub)]) {
    assert.deepEqual([status, absent.filter((name) => name in headers)], [200, []]);
  }
});

test('consul 1: a page of another site may not fire at an open hub', async (t) => {
  const hub = await startHub(t);
  for (const headers of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }]) {
    assert.equal((await fire(hub, 'deploy', 'x', headers)).status, 403);
    assert.equal((await list(hub, '', headers)).status, 403);
  }
  await isEmpty(hub);
});
