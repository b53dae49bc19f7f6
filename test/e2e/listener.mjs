// A listener for tests: an HTTP server that keeps every delivery and answers as told.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createSocketServer } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { eventually } from './hub.mjs';

function listen(t, server) {
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  t.after(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  const scheme = server instanceof TlsServer ? 'https' : 'http';
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`${scheme}://127.0.0.1:${server.address().port}/in`)),
  );
}

// `answer(delivery, number)` gives a status or { status, headers }; a promise makes the listener slow.
export async function startListener(t, answer = () => 204) {
  const deliveries = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const delivery = { headers: request.headers, body: Buffer.concat(chunks).toString() };
    deliveries.push(delivery);
    const told = await answer(delivery, deliveries.length);
    const { status, headers = {} } = typeof told === 'number' ? { status: told } : told;
    response.writeHead(status, headers).end();
  });
  const url = await listen(t, server);
  const received = (count) =>
    eventually(`${count} deliveries, there are ${deliveries.length}`, () => deliveries.length >= count && deliveries);
  return { url, deliveries, received };
}

// The same over https; `own` is { certificate, key } as files. Without `keep` each connection has one request.
export async function startTlsListener(t, own, { keep = true, ...options } = {}) {
  const deliveries = [];
  let connections = 0;
  const files = { cert: await readFile(own.certificate), key: await readFile(own.key) };
  const server = createTlsServer({ ...files, ...options }, async (request, response) => {
    for await (const _ of request);
    const peer = request.socket.getPeerCertificate()?.subject?.CN;
    deliveries.push({ headers: request.headers, peer, servername: request.socket.servername });
    response.writeHead(204, keep ? {} : { Connection: 'close' }).end();
  });
  server.on('secureConnection', () => connections++);
  const url = await listen(t, server);
  const received = (count) => eventually(`${count} deliveries`, () => deliveries.length >= count && deliveries);
  return { url, deliveries, received, connections: () => connections };
}

export function freePort() {
  return new Promise((resolve) => {
    const probe = createSocketServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// A listener below HTTP: `behave(socket)` once the request came.
export async function startRawListener(t, behave) {
  return listen(t, createSocketServer((socket) => socket.once('data', () => behave(socket))));
}
