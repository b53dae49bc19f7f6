// A listener behind OAuth 2.0: the token endpoint and the listener are ours, and strict.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import test from 'node:test';
import { eventually, startHub } from './hub.mjs';
import { startListener } from './listener.mjs';

const client = { client_id: 'belfry:one', client_secret: 'p@ss word&=%+', scope: 'events:write' };

// RFC 6749, 4.4: gives a token for client credentials in Basic; `tokens` are the good ones.
async function startTokenServer(t, { lifetime = 3600 } = {}) {
  const tokens = new Set();
  const state = { requests: 0, tokens, refuse: false };
  const server = createServer(async (request, response) => {
    state.requests++;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const [, basic] = /^Basic (.*)$/.exec(request.headers.authorization ?? '') ?? [];
    const [id, secret] = Buffer.from(basic ?? '', 'base64').toString().split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
    const good = !state.refuse && request.method === 'POST' && form.get('grant_type') === 'client_credentials' &&
      form.get('scope') === client.scope && id === client.client_id && secret === client.client_secret;
    response.setHeader('Content-Type', 'application/json');
    if (!good) return response.writeHead(401).end(JSON.stringify({ error: 'invalid_client' }));
    const token = randomBytes(24).toString('base64url');
    tokens.add(token);
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: lifetime }));
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${server.address().port}/token`;
  return state;
}

const authorised = (issuer) => ({ headers }) =>
  issuer.tokens.has(/^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1]) ? 204 : 401;
const sink = (listener, issuer, more = {}) => ({ url: listener.url, auth: { oauth2: { token_url: issuer.url, ...client, ...more } } });

test('deliveries carry a token, which is asked for once and renewed when the listener refuses it', async (t) => {
  const hub = await startHub(t);
  const issuer = await startTokenServer(t);
  const listener = await startListener(t, authorised(issuer));
  await hub.subscribe('guarded', sink(listener, issuer));
  for (let i = 0; i < 20; i++) await hub.publish('deploy', String(i));
  await listener.received(20);
  assert.equal(issuer.requests, 1);
  issuer.tokens.clear(); // all are revoked
  await hub.publish('deploy', 'after');
  const deliveries = await listener.received(22);
  assert.equal(issuer.requests, 2);
  assert.deepEqual(deliveries.slice(20).map(({ body }) => body), ['after', 'after'], 'one attempt, sent twice');
  assert.equal(deliveries[21].headers['belfry-attempt'], '1');
  await eventually('all is settled', async () => (await hub.subscription('guarded')).cursor === 21);
  const shown = JSON.stringify(await hub.subscription('guarded'));
  assert.ok(!shown.includes(client.client_secret), shown);
});

test('without a token nothing is sent; the attempt fails, is retried, and says why', async (t) => {
  const hub = await startHub(t);
  const issuer = await startTokenServer(t);
  issuer.refuse = true;
  const listener = await startListener(t, authorised(issuer));
  await hub.subscribe('guarded', sink(listener, issuer), { delivery: { retry: ['50ms', '50ms', '50ms', '10ms'] } });
  await hub.publish('deploy');
  await eventually('it says why', async () => /no token.*401 \(invalid_client\)/.test((await hub.subscription('guarded')).last_error));
  assert.equal(listener.deliveries.length, 0);
  issuer.refuse = false;
  await listener.received(1);
});
