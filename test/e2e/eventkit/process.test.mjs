// How a program made with the kit starts, by the variables of an extension, and how it ends.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { makeAuthority } from '../certificates.mjs';
import { eventually, patienceMs, temporaryDirectory } from '../hub.mjs';
import { freePort } from '../listener.mjs';
import { event } from '../steadybit/agent.mjs';
import { ask, exchange, refusesToStart, startExample, startGated, startScripted } from './kit.mjs';

const names = 'DNS:localhost,IP:127.0.0.1';
const patient = { STEADYBIT_EXTENSION_DRAIN_TIME: '60s' };
const tlsVariables = (own) => ({ STEADYBIT_EXTENSION_TLS_SERVER_CERT: own.certificate, STEADYBIT_EXTENSION_TLS_SERVER_KEY: own.key });

test('eventkit 46: the port is the one of the variable, and one that is taken or wrong ends the start with a clear line', async (t) => {
  const port = await freePort();
  const kit = await startExample(t, { STEADYBIT_EXTENSION_PORT: String(port) });
  assert.equal(kit.where.port, port);
  await kit.send(event(1));
  const taken = await refusesToStart(t, { STEADYBIT_EXTENSION_PORT: String(port) });
  assert.notEqual(taken.code, 0);
  assert.match(taken.said, new RegExp(`${port}.*in use|in use.*${port}`, 's'));
  for (const wrong of ['65536', '-1', 'http', '80 80', '0x50']) {
    const { code, said } = await refusesToStart(t, { STEADYBIT_EXTENSION_PORT: wrong });
    assert.notEqual(code, 0, wrong);
    assert.match(said, /STEADYBIT_EXTENSION_PORT/, wrong);
  }
});

test('eventkit 46: every wrong variable is told by name, with what would be right', async (t) => {
  for (const [name, value] of [
    ['BODY_BYTES', 'many'], ['BODY_BYTES', '0'], ['ASYNCHRONOUS', 'perhaps'], ['QUEUE_EVENTS', '0'], ['QUEUE_EVENTS', '-1'],
    ['SCHEMA_STATUS', '404'], ['WORKERS', '0'], ['WORKERS', '1e9'], ['DEDUP_WINDOW', 'long'], ['DEDUP_EVENTS', 'x'],
    ['HOST', 'not an address'], ['TLS_CLIENT_CAS', '/nowhere'],
  ]) {
    const { code, said } = await refusesToStart(t, { [`STEADYBIT_EXTENSION_${name}`]: value });
    assert.ok(Number.isInteger(code) && code !== 0, `${name}=${value} ended with ${code}`);
    assert.match(said, new RegExp(`STEADYBIT_EXTENSION_${name}`), `${name}=${value}`);
  }
});

test('eventkit 46: a unix socket takes the place of the port, and its directory is made', async (t) => {
  const directory = await temporaryDirectory(t);
  const socket = path.join(directory, 'run', 'steadybit', 'extension.sock');
  const own = await (await makeAuthority(directory, 'a')).issue('server', names);
  const kit = await startExample(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: socket, ...tlsVariables(own) });
  assert.equal(kit.where.socketPath, socket);
  assert.ok((await stat(socket)).isSocket());
  await kit.send(event(1));
  assert.equal((await kit.ask('GET', '/', undefined, { headers: { Host: 'whatever.example' } })).status, 200);
  assert.ok(!/https?:\/\//.test(kit.log), 'neither the port nor TLS');
  assert.equal(await kit.stop(), 0);
  assert.ok(!existsSync(socket), 'it takes its socket with it');
});

test('eventkit 46: a socket that a dead process left is replaced, one that lives is not, nor is a file', async (t) => {
  const directory = await temporaryDirectory(t);
  const socket = path.join(directory, 'extension.sock');
  const kit = await startExample(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: socket });
  await kit.stop('SIGKILL');
  assert.ok(existsSync(socket), 'it is stale now');
  await kit.start();
  await kit.send(event(1));
  const second = await refusesToStart(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: socket });
  assert.notEqual(second.code, 0);
  assert.match(second.said, /extension\.sock/);
  await kit.send(event(2));
  const file = path.join(directory, 'file');
  await writeFile(file, 'precious');
  const third = await refusesToStart(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: file });
  assert.notEqual(third.code, 0);
  assert.equal(await readFile(file, 'utf8'), 'precious');
  const long = await refusesToStart(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: path.join(directory, 'x'.repeat(120)) });
  assert.match(long.said, /107 bytes/);
});

test('eventkit 46: with certificate and key it speaks TLS, and on that port no plain HTTP', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const kit = await startExample(t, tlsVariables(await authority.issue('server', names)));
  assert.equal(kit.where.scheme, 'https');
  const ca = await readFile(authority.certificate);
  await kit.send(event(1), '/events/all', { ca });
  await assert.rejects(kit.call(event(2)), /certificate/, 'somebody else signs nothing here');
  const plain = await exchange(kit.where, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => ({ text: '' }));
  assert.ok(!/ 200 /.test(plain.text), plain.text);
  assert.equal((await kit.lines()).length, 1);
});

test('eventkit 46: a certificate without its key, and the other way round, end the start with a clear line', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const [own, other] = [await authority.issue('server', names), await authority.issue('other', names)];
  const [cert, key] = ['STEADYBIT_EXTENSION_TLS_SERVER_CERT', 'STEADYBIT_EXTENSION_TLS_SERVER_KEY'];
  for (const [env, words] of [
    [{ [cert]: own.certificate }, /TLS_SERVER_KEY/],
    [{ [key]: own.key }, /TLS_SERVER_CERT/],
    [{ [cert]: own.certificate, [key]: other.key }, /match/i],
    [{ [cert]: path.join(directory, 'none.pem'), [key]: own.key }, /none\.pem/],
    [{ [cert]: own.key, [key]: own.key }, /server\.key/],
    [{ STEADYBIT_EXTENSION_TLS_CLIENT_CAS: authority.certificate }, /TLS_CLIENT_CAS|TLS_SERVER_CERT/],
  ]) {
    const { code, said } = await refusesToStart(t, env);
    assert.ok(Number.isInteger(code) && code !== 0, JSON.stringify(env));
    assert.match(said, words);
  }
});

test('eventkit 46: with authorities, files and directories of them, a client shows a certificate of one', async (t) => {
  const directory = await temporaryDirectory(t);
  const [server, first, second, foreign] = await Promise.all(['a', 'b', 'c', 'd'].map((name) => makeAuthority(directory, name)));
  const authorities = path.join(directory, 'authorities');
  await mkdir(authorities);
  await copyFile(second.certificate, path.join(authorities, 'second.pem'));
  await writeFile(path.join(authorities, 'README'), 'no certificate');
  const kit = await startExample(t, {
    ...tlsVariables(await server.issue('server', names)),
    STEADYBIT_EXTENSION_TLS_CLIENT_CAS: `${first.certificate},${authorities}`,
  });
  const ca = await readFile(server.certificate);
  const showing = async (authority) => {
    const own = await authority.issue('client', 'DNS:agent');
    return { ca, cert: await readFile(own.certificate), key: await readFile(own.key) };
  };
  await kit.send(event(1), '/events/all', await showing(first));
  await kit.send(event(2), '/events/all', await showing(second));
  for (const refused of [{ ca }, await showing(foreign), await showing(server)]) {
    await assert.rejects(kit.call(event(3), '/events/all', refused));
  }
  assert.equal((await kit.lines()).length, 2);
});

test('eventkit 46: a certificate that changes on disk is used without a restart, a broken one is not', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const own = await authority.issue('first', names);
  const kit = await startExample(t, tlsVariables(own));
  const ca = await readFile(authority.certificate);
  const shown = async () => (await ask(kit.where, 'GET', '/', undefined, { ca })).certificate.subject.CN;
  assert.equal(await shown(), 'first');
  const put = async (made) => {
    for (const part of ['key', 'certificate']) {
      await copyFile(made[part], `${own[part]}.new`);
      await rename(`${own[part]}.new`, own[part]);
    }
  };
  await put(await authority.issue('second', names));
  await eventually('the second certificate', async () => (await shown()) === 'second');
  await writeFile(own.certificate, 'nonsense');
  await eventually('it says that it keeps the one it has', () => /cannot be used/.test(kit.log));
  assert.equal(await shown(), 'second');
  await put(await authority.issue('third', names));
  await eventually('the third certificate', async () => (await shown()) === 'third');
});

test('eventkit 46: on SIGHUP certificates are read again, even if nothing says that their files changed', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const kit = await startExample(t, tlsVariables(await authority.issue('first', names)));
  const reads = () => kit.log.match(/certificates were read again/g)?.length ?? 0;
  for (const count of [1, 2]) {
    kit.process.kill('SIGHUP');
    await eventually('it says so', () => reads() === count);
  }
  await kit.send(event(1), '/events/all', { ca: await readFile(authority.certificate) });
});

test('eventkit 46: an authority that changes on disk counts without a restart', async (t) => {
  const directory = await temporaryDirectory(t);
  const [server, first, second] = await Promise.all(['a', 'b', 'c'].map((name) => makeAuthority(directory, name)));
  const authorities = path.join(directory, 'authorities.pem');
  await copyFile(first.certificate, authorities);
  const kit = await startExample(t, { ...tlsVariables(await server.issue('server', names)), STEADYBIT_EXTENSION_TLS_CLIENT_CAS: authorities });
  const own = await second.issue('client', 'DNS:agent');
  const client = { ca: await readFile(server.certificate), cert: await readFile(own.certificate), key: await readFile(own.key) };
  await assert.rejects(kit.call(event(1), '/events/all', client));
  await copyFile(second.certificate, `${authorities}.new`);
  await rename(`${authorities}.new`, authorities);
  await eventually('it is let in', () => kit.call(event(2), '/events/all', client).then(({ status }) => status === 200, () => false));
});

test('eventkit 46: a second port says that the process lives and is ready', async (t) => {
  const port = await freePort();
  const kit = await startExample(t, { STEADYBIT_EXTENSION_HEALTH_PORT: String(port) });
  const health = (target) => ask({ host: '127.0.0.1', port, scheme: 'http' }, 'GET', target);
  for (const target of ['/health/liveness', '/health/readiness']) assert.equal((await health(target)).status, 200, target);
  assert.equal((await health('/events/all')).status, 404);
  await kit.send(event(1));
});

test('eventkit 46: on a Unix socket the health paths stand beside the index', async (t) => {
  const socket = path.join(await temporaryDirectory(t), 'extension.sock');
  const kit = await startExample(t, { STEADYBIT_EXTENSION_UNIX_SOCKET: socket });
  for (const target of ['/health/liveness', '/health/readiness']) assert.equal((await kit.ask('GET', target)).status, 200, target);
  const { status, headers } = await kit.ask('POST', '/health/liveness', '');
  assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
  assert.equal((await kit.ask('GET', '/')).status, 200);
  await kit.send(event(1));
});

test('eventkit 48: while it drains it lives, but is not ready', async (t) => {
  const port = await freePort();
  const kit = await startGated(t, { ...patient, STEADYBIT_EXTENSION_HEALTH_PORT: String(port) });
  const health = async (target) => (await ask({ host: '127.0.0.1', port, scheme: 'http' }, 'GET', `/health/${target}`)).status;
  const underWay = await kit.begin(event(1));
  assert.equal(await health('readiness'), 200);
  const stopped = kit.stop();
  await eventually('it is not ready', async () => (await health('readiness')) === 503);
  assert.equal(await health('liveness'), 200);
  await kit.openGate();
  assert.equal((await underWay.answer).status, 200);
  assert.equal(await stopped, 0);
});

test('eventkit 48: SIGTERM stops accepting, lets the handlers under way end and answer, and exits 0', async (t) => {
  const kit = await startGated(t, patient);
  const underWay = await kit.begin(event(1));
  const stopped = kit.stop();
  await eventually('it accepts nobody', () => kit.ask('GET', '/').then(() => false, (error) => error.code === 'ECONNREFUSED'));
  assert.ok(!kit.ended, 'it waits for the handler');
  await kit.openGate();
  const answer = await underWay.answer;
  assert.deepEqual([answer.status, answer.text], [200, '{}']);
  assert.equal(await stopped, 0);
  assert.equal((await kit.lines()).length, 1);
});

test('eventkit 48: a handler that does not end is waited for 5 seconds, not longer', async (t) => {
  const kit = await startGated(t);
  await kit.begin(event(1));
  const began = performance.now();
  const code = await kit.stop();
  const took = performance.now() - began;
  assert.ok(took > 4900 && took < 5000 + patienceMs, `after ${took} ms`);
  assert.equal(code, 1, 'that was no clean end');
});

test('eventkit 48: an idle one ends at once, by SIGINT too, and a kept-alive connection does not hold it', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const kit = await startExample(t, patient);
    const idle = exchange(kit.where, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await kit.send(event(1));
    const began = performance.now();
    assert.equal(await kit.stop(signal), 0, signal);
    assert.ok(performance.now() - began < patienceMs, `after ${performance.now() - began} ms`);
    assert.match((await idle).text, /^HTTP\/1\.1 200 /);
  }
});

test('eventkit 48: a second signal ends it at once', async (t) => {
  const kit = await startGated(t, patient);
  await kit.begin(event(1));
  kit.process.kill('SIGTERM');
  await eventually('it says that it stops', () => /stopping/.test(kit.log));
  const began = performance.now();
  assert.notEqual(await kit.stop('SIGTERM'), 0);
  assert.ok(performance.now() - began < patienceMs);
});

test('eventkit 48: an end that does not wait for a handler keeps what others have printed', async (t) => {
  const kit = await startScripted(t, patient);
  await kit.send(event(1), '/print');
  kit.call(event(2), '/until-cancelled').catch(() => {});
  await eventually('it waits', () => /the handler waits/.test(kit.log));
  assert.doesNotMatch(kit.log, /printed/, 'it is in a buffer still');
  kit.process.kill('SIGTERM');
  await eventually('it says that it stops', () => /stopping/.test(kit.log));
  assert.equal(await kit.stop('SIGTERM'), 1);
  assert.match(kit.log, /printed, not flushed/);
});

test('eventkit 48: an end that does not wait for a handler does not wait for its output either', async (t) => {
  const kit = await startScripted(t, patient);
  kit.call(event(1), '/hang-printing').catch(() => {});
  await eventually('it hangs', () => /the handler hangs/.test(kit.log));
  kit.process.kill('SIGTERM');
  await eventually('it says that it stops', () => /stopping/.test(kit.log));
  const began = performance.now();
  assert.equal(await kit.stop('SIGTERM'), 1);
  assert.ok(performance.now() - began < patienceMs, 'the handler hangs for a minute');
});
