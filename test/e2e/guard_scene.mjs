// What guard.test.mjs runs inside a network and mount namespace of its own: a machine with a public-looking address, a
// cloud metadata address and a name server that changes its mind. Prints what happened as one line of JSON.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { eventually, makeHub } from './hub.mjs';

const [data, ...args] = process.argv.slice(2);
const publicAddress = '93.184.215.14';
const metadataAddress = '169.254.169.254';

// Whoever asks for rebind.test hears the public address until told otherwise; mixed.test has both. Names that begin with
// "silent" are not answered.
let rebound = false;
const names = {
  'rebind.test': () => [rebound ? metadataAddress : publicAddress],
  'mixed.test': () => [metadataAddress, publicAddress],
  'metadata.test': () => [metadataAddress],
  'quick.test': () => [publicAddress],
};

function answer(query, peer) {
  const labels = [];
  let at = 12;
  for (; query[at] !== 0; at += query[at] + 1) labels.push(query.subarray(at + 1, at + 1 + query[at]).toString());
  if (labels[0].startsWith('silent')) return;
  const question = query.subarray(12, at + 5);
  const isAddress = query.readUInt16BE(at + 1) === 1;
  const addresses = isAddress ? (names[labels.join('.').toLowerCase()]?.() ?? []) : [];
  const header = Buffer.from([query[0], query[1], 0x84, 0x00, 0, 1, 0, addresses.length, 0, 0, 0, 0]);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  );
  nameServer.send(Buffer.concat([header, question, ...records]), peer.port, peer.address);
}

const nameServer = createSocket('udp4');
nameServer.on('message', answer);
await new Promise((resolve) => nameServer.bind(53, '127.0.0.1', resolve));

function listener(address, port) {
  const hits = [];
  const server = createServer((request, response) => {
    hits.push(request.headers.host);
    request.resume();
    const redirect = request.url === '/redirect' ? { Location: `http://${metadataAddress}/latest` } : {};
    response.writeHead('Location' in redirect ? 307 : 204, { Connection: 'close', ...redirect }).end();
  });
  return new Promise((resolve) => server.listen(port, address, () => resolve({ hits, server })));
}
const open = await listener(publicAddress, 80);
const metadata = await listener(metadataAddress, 80);

// The directory is the test's, and the hub ends with this process.
const hub = await makeHub({ after() {} }, data, ...args).start();
const outcomes = {};
async function attempt(name, url) {
  await hub.subscribe(name, { url }, { filter: { types: ['never'] } });
  outcomes[name] = await hub.call('POST', `/api/v1/subscriptions/${name}/test`);
}
await attempt('public', `http://${publicAddress}/`);
await attempt('literal', `http://${metadataAddress}/`);
await attempt('mapped', `http://[::ffff:${metadataAddress}]/`);
await attempt('name', 'http://metadata.test/');
await attempt('mixed', 'http://mixed.test/');
await attempt('redirect', `http://${publicAddress}/redirect`);
await attempt('own', `${hub.url}/api/v1/events?type=loop`);
await attempt('closed', `http://${metadataAddress}:8081/`);
// The same URL, first good, then turned against us; its first delivery must arrive.
await hub.subscribe('rebind', { url: 'http://rebind.test/' }, { filter: { types: ['*'] }, delivery: { retry: ['1h'] } });
await hub.publish('first');
await eventually('the first delivery', async () => open.hits.includes('rebind.test'));
const metadataBefore = metadata.hits.length;
rebound = true;
await hub.publish('second');
await eventually('the second attempt', async () => {
  const { attempts } = await hub.call('GET', '/api/v1/subscriptions/rebind/attempts');
  outcomes.rebind = attempts.find(({ offset }) => offset === 1);
  return outcomes.rebind;
});
// A name is looked up while the servers of others are silent.
let silentOnes = 0;
for (let number = 0; number < 16; number += 1) {
  await hub.subscribe(`silent-${number}`, { url: `http://silent-${number}.test/` }, { filter: { types: ['never'] } });
  hub.call('POST', `/api/v1/subscriptions/silent-${number}/test`).then(({ error }) => {
    outcomes[`silent-${number}`] = error;
    silentOnes += 1;
  });
}
await attempt('quick', 'http://quick.test/');
outcomes.quick.silentBefore = silentOnes;
await attempt('file', 'http://silent-but-in-the-file.test/');
await eventually('the silent ones', async () => silentOnes === 16);
const result = { outcomes, open: open.hits, metadata: metadata.hits, rebindHits: metadata.hits.length - metadataBefore };
await hub.stop('SIGKILL');
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
