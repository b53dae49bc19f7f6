// An extension of Steadybit for tests, answering as real ones do (extension-kit and the official extensions, by what was
// seen of them): a mux whose root catches every unknown path and gives the index with 200, 301 for a double slash, an
// ETag that is no HTTP but a bare token, the JSON string "{}" for success, 503 `Timeout` by Request-Timeout, and 500
// with `title` and `detail` for everything that is wrong.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { gzipSync } from 'node:zlib';
import { eventually, stopAtEnd } from '../hub.mjs';

// What handlers may answer beside { status, headers, body } or a status.
export const hang = Symbol('no answer until the other side hangs up');
export const reset = Symbol('half an answer, then the connection is reset');

export const success = { status: 200, headers: { 'Content-Type': 'application/json' }, body: '"{}"\n' };
const json = (status, value) => ({ status, headers: { 'Content-Type': 'application/json' }, body: `${JSON.stringify(value)}\n` });
const plain = (status, body) => ({ status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body });
export const failure = (title, detail) => json(500, { title, detail });
export const redirect = (status, location) => ({ status, headers: { Location: location, 'Content-Type': 'text/html' }, body: 'Moved\n' });

// A listener of the index.
export const on = (path, ...names) => ({ path, method: 'POST', listenTo: names });

const uuid = /^(urn:uuid:)?[{]?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}[}]?$/i;
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

// What the decoder of extension-kit has against a body; it is lax: an empty object is fine.
function refusal(headers, body) {
  if (headers['content-encoding']) return 'invalid character \'\\x1f\' looking for beginning of value';
  let event;
  try {
    event = JSON.parse(body);
  } catch {
    return 'unexpected end of JSON input';
  }
  if (Array.isArray(event)) return 'json: cannot unmarshal array into Go value of type event_kit_api.EventRequestBody';
  if (event?.id !== undefined && !uuid.test(event.id)) return 'invalid UUID';
  if (event?.eventTime !== undefined && !rfc3339.test(event.eventTime)) return 'parsing time: cannot parse';
  return undefined;
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isSent(response, told) {
  if (told === hang) return;
  if (told === reset) {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 100 });
    response.write('{"half":', () => response.socket?.resetAndDestroy());
    return;
  }
  const { status, headers = {}, body = '' } = typeof told === 'number' ? { status: told } : told;
  const length = status === 204 || status === 304 ? {} : { 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(status, { ...length, ...headers }).end(body);
}

export class Extension {
  // `listeners` is what stands in the index; `handlers[path](call, number of calls there)` answers, `success` without
  // one; `unserved` are paths that are advertised and not served; `prefix` is what a proxy in front takes away;
  // `indexAnswer(request)` replaces the index.
  constructor({ listeners = [], handlers = {}, foreign = {}, prefix = '', unserved = [], indexAnswer, where, tls }) {
    Object.assign(this, { listeners, handlers, foreign, prefix, unserved, indexAnswer, where, tls });
    this.etag = 'kit-1'; // bare, compared byte for byte
    this.calls = []; // of listeners: { number, method, target, path, headers, body, event, at, connection }
    this.indexes = []; // requests of the index, the same shape
    this.strays = []; // calls that met no listener
    this.connections = 0;
    this.sockets = new Set();
    this.underWay = 0;
    this.mostUnderWay = 0;
  }

  // Other listeners, under a new ETag.
  change(listeners) {
    this.listeners = listeners;
    this.etag = `kit-${Number(this.etag.split('-')[1]) + 1}`;
  }

  async start() {
    const handle = (request, response) => this.#handle(request, response).catch((error) => response.destroy(error));
    this.server = this.tls ? createTlsServer(this.tls, handle) : createServer(handle);
    this.server.on(this.tls ? 'secureConnection' : 'connection', (socket) => (socket.number = ++this.connections));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server.on('tlsClientError', () => {});
    this.where ??= { port: 0, host: '127.0.0.1' };
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.where, resolve));
    if (this.where.path === undefined) {
      this.where = { port: this.server.address().port, host: '127.0.0.1' }; // the same one after a restart
      this.url = `${this.tls ? 'https' : 'http'}://127.0.0.1:${this.where.port}${this.prefix}`;
    }
    return this;
  }

  // As a process that dies: nothing under way is answered.
  async stop() {
    if (!this.server?.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.hangUp();
    await closed;
  }

  hangUp() {
    this.sockets.forEach((socket) => socket.destroy());
  }

  received(count) {
    return eventually(`${count} calls, there are ${this.calls.length}`, () => this.calls.length >= count && this.calls);
  }

  ids() {
    return this.calls.map(({ event }) => event.id);
  }

  async #handle(request, response) {
    const arrived = { method: request.method, target: request.url, headers: request.headers, at: Date.now(), connection: request.socket.number };
    arrived.bytes = await read(request);
    arrived.body = arrived.bytes.toString();
    arrived.cut = new Promise((resolve) => response.on('close', () => resolve(response.writableFinished ? 0 : Date.now())));
    if (!request.url.startsWith(this.prefix)) return isSent(response, plain(404, 'the proxy knows no such path\n'));
    const path = request.url.slice(this.prefix.length).split('?')[0] || '/';
    const told = await this.#answer({ ...arrived, path }, response);
    isSent(response, told);
  }

  async #answer(call, response) {
    if (call.path.includes('//')) {
      this.strays.push(call);
      return redirect(301, call.path.replace(/\/+/g, '/'));
    }
    response.setHeader('Request-Id', `${this.calls.length}`);
    const served = Array.isArray(this.listeners) && this.listeners.some((listener) => listener?.path?.split('?')[0] === call.path);
    if ((!served && !(call.path in this.handlers)) || this.unserved.includes(call.path)) return this.#index(call);
    return this.#listener(call);
  }

  async #index(call) {
    if (call.path === '/' && call.body === '') {
      this.indexes.push(call);
    } else {
      this.strays.push(call);
    }
    if (this.indexAnswer) return this.indexAnswer(call, this.indexes.length);
    if (call.headers['if-none-match'] === this.etag) return { status: 304, headers: { ETag: this.etag } };
    const index = json(200, { ...this.foreign, eventListeners: this.listeners });
    Object.assign(index.headers, { ETag: this.etag, Vary: 'Accept-Encoding' });
    if (/gzip/.test(call.headers['accept-encoding'] ?? '') && index.body.length > 1024) {
      index.body = gzipSync(index.body);
      index.headers['Content-Encoding'] = 'gzip';
    }
    return index;
  }

  async #listener(call) {
    const wrong = refusal(call.headers, call.bytes);
    call.event = wrong ? undefined : JSON.parse(call.body);
    call.number = this.calls.push(call);
    if (wrong) return failure('Failed to decode event request body', wrong);
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      const handler = this.handlers[call.path] ?? (() => success);
      const ofPath = this.calls.filter(({ path }) => path === call.path).length;
      const answered = Promise.resolve(handler(call, ofPath)).then((told) => told ?? success);
      return await Promise.race([answered, this.#timeout(call)]);
    } finally {
      this.underWay--;
    }
  }

  // Real extensions end a handler at the time that the caller announced.
  #timeout(call) {
    const seconds = Number(call.headers['request-timeout']);
    if (!(seconds > 0)) return new Promise(() => {});
    return new Promise((resolve) => setTimeout(() => resolve(plain(503, 'Timeout')), seconds * 1000).unref());
  }
}

// An extension that ends with the test. The options are the constructor's.
export async function startExtension(t, options = {}) {
  const extension = new Extension(options);
  stopAtEnd(t, () => extension.stop());
  return extension.start();
}
