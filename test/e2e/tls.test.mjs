// TLS on both sides: Node's https client in, Node's https server out.
import assert from 'node:assert/strict';
import { appendFile, copyFile, readFile } from 'node:fs/promises';
import https from 'node:https';
import test from 'node:test';
import { makeAuthority } from './certificates.mjs';
import { belfry, eventually, startHub, temporaryDirectory } from './hub.mjs';
import { startTlsListener } from './listener.mjs';

const names = 'DNS:localhost,IP:127.0.0.1';

// { status, text, certificate } of one request on a connection of its own.
function request(url, { method = 'GET', body = '', ...options }) {
  return new Promise((resolve, reject) => {
    const sent = https.request(url, { method, agent: false, ...options }, async (answer) => {
      const certificate = answer.socket.getPeerCertificate();
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString(), certificate });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const tlsHub = (t, own, ...more) =>
  startHub(t, '--set', `http.tls.certificate=${own.certificate}`, '--set', `http.tls.key=${own.key}`, ...more);

test('a hub with a certificate serves https, and the command line trusts who it is told to', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const hub = await tlsHub(t, await authority.issue('hub', names));
  const ca = await readFile(authority.certificate);
  const published = await request(`${hub.url}/api/v1/events?type=deploy`, { ca, method: 'POST', body: 'x' });
  assert.equal(published.status, 200);
  await assert.rejects(request(`${hub.url}/readyz`, {}), /certificate/);

  const listed = await belfry(['list', '--json', '--url', hub.url, '--ca-file', authority.certificate]);
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /deploy/);
  const distrusting = await belfry(['list', '--url', hub.url]);
  assert.equal(distrusting.code, 6);
  assert.match(distrusting.stderr, /certificate is refused/);
});

test('a new certificate is used after SIGHUP, without a restart, and a broken one is not', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const own = await authority.issue('first', names);
  const hub = await tlsHub(t, own);
  const ca = await readFile(authority.certificate);
  const shown = async () => (await request(`${hub.url}/readyz`, { ca })).certificate.subject.CN;
  assert.equal(await shown(), 'first');

  const second = await authority.issue('second', names);
  await copyFile(second.certificate, own.certificate);
  hub.process.kill('SIGHUP');
  await eventually('the complaint about half a pair', () => /certificates cannot be used/.test(hub.log));
  assert.equal(await shown(), 'first');

  await copyFile(second.key, own.key);
  hub.process.kill('SIGHUP');
  await eventually('the second certificate', async () => (await shown()) === 'second');
});

test('with an authority for clients, only who shows a certificate of it is served', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const me = await authority.issue('me', 'DNS:me');
  const hub = await tlsHub(t, await authority.issue('hub', names), '--set', `http.tls.client_ca=${authority.certificate}`);
  const ca = await readFile(authority.certificate);
  const mine = { cert: await readFile(me.certificate), key: await readFile(me.key) };
  assert.equal((await request(`${hub.url}/readyz`, { ca, ...mine })).status, 200);
  await assert.rejects(request(`${hub.url}/readyz`, { ca }));
  const env = { BELFRY_CERTIFICATE_FILE: me.certificate, BELFRY_KEY_FILE: me.key, BELFRY_CA_FILE: authority.certificate };
  const status = await belfry(['status', '--url', hub.url], { env });
  assert.equal(status.code, 0, status.stderr);
});

test('deliveries go over https to whom the hub trusts, and say why they do not go to others', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const stranger = await makeAuthority(directory, 'b');
  const good = await startTlsListener(t, await authority.issue('listener', names));
  const foreign = await startTlsListener(t, await stranger.issue('listener', names));
  const wrong = await startTlsListener(t, await authority.issue('other', 'DNS:other.example'));
  const hub = await startHub(t, '--set', `outbound.tls.ca=${authority.certificate}`);
  await hub.subscribe('good', { url: good.url });
  await hub.subscribe('foreign', { url: foreign.url });
  await hub.subscribe('wrong', { url: wrong.url });
  await hub.publish('deploy');
  await good.received(1);
  await eventually('the first is settled', async () => (await hub.subscription('good')).pending === 0);
  await hub.publish('deploy');
  await good.received(2);
  assert.equal(good.connections(), 1, 'the connection is kept');
  const error = (name) => eventually(`an error of ${name}`, async () => (await hub.subscription(name)).last_error);
  assert.match(JSON.stringify(await error('foreign')), /certificate is refused: unable to get local issuer certificate/);
  assert.match(JSON.stringify(await error('wrong')), /certificate is refused: (hostname|IP address) mismatch/);
  assert.equal(foreign.deliveries.length + wrong.deliveries.length, 0);
});

test('a listener is told whom it is called as', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const listener = await startTlsListener(t, await authority.issue('listener', names));
  const hub = await startHub(t, '--set', `outbound.tls.ca=${authority.certificate}`);
  await hub.subscribe('named', { url: listener.url.replace('127.0.0.1', 'localhost') });
  await hub.publish('deploy');
  const [{ servername }] = await listener.received(1);
  assert.equal(servername, 'localhost');
});

test('authority, certificate and key of deliveries change without a restart and without a failed attempt', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const next = await makeAuthority(directory, 'b');
  const trusted = `${directory}/trusted.pem`;
  await copyFile(authority.certificate, trusted);
  const own = await authority.issue('first', 'DNS:belfry');
  const asking = { ca: await readFile(authority.certificate), requestCert: true, rejectUnauthorized: true, keep: false };
  const listener = await startTlsListener(t, await authority.issue('listener', names), asking);
  const newcomer = await startTlsListener(t, await next.issue('newcomer', names), { ...asking });
  const hub = await startHub(t, '--set', `outbound.tls.ca=${trusted}`,
    '--set', `outbound.tls.certificate=${own.certificate}`, '--set', `outbound.tls.key=${own.key}`);
  await hub.subscribe('rotated', { url: listener.url });
  let published = 0;
  const reached = async (peer) => {
    published++;
    await hub.publish('deploy');
    const deliveries = await listener.received(published);
    return deliveries.at(-1).peer === peer;
  };
  assert.ok(await reached('first'));

  const second = await authority.issue('second', 'DNS:belfry');
  await copyFile(second.certificate, own.certificate);
  await copyFile(second.key, own.key);
  await appendFile(trusted, await readFile(next.certificate));
  hub.process.kill('SIGHUP');
  await eventually('the second certificate', () => reached('second'));
  await hub.subscribe('newcomer', { url: newcomer.url });
  await hub.publish('deploy');
  await newcomer.received(1);
  await listener.received(published + 1);
  assert.ok(listener.deliveries.concat(newcomer.deliveries).every(({ headers }) => headers['belfry-attempt'] === '1'));
  assert.equal(listener.deliveries.length, published + 1, 'each event came once');
});

test('a listener that asks for a certificate is shown ours', async (t) => {
  const directory = await temporaryDirectory(t);
  const authority = await makeAuthority(directory, 'a');
  const ours = await authority.issue('belfry', 'DNS:belfry');
  const ca = await readFile(authority.certificate);
  const listener = await startTlsListener(t, await authority.issue('listener', names), { ca, requestCert: true, rejectUnauthorized: true });
  const hub = await startHub(t, '--set', `outbound.tls.ca=${authority.certificate}`,
    '--set', `outbound.tls.certificate=${ours.certificate}`, '--set', `outbound.tls.key=${ours.key}`);
  await hub.subscribe('mutual', { url: listener.url });
  await hub.publish('deploy');
  const [{ peer }] = await listener.received(1);
  assert.equal(peer, 'belfry');
});
