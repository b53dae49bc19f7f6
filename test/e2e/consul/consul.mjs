// Requests to Belfry's Consul door below every client: what is sent is exactly what stands in a test, and what came back
// is kept as it came, but for the case of header names.
import assert from 'node:assert/strict';
import net from 'node:net';
import { assertNoSecret } from '../hub.mjs';

const crlf = '\r\n';

// One connection; requests go one after another. A closed connection rejects whoever waits for an answer.
export class Connection {
  constructor(hub) {
    this.host = new URL(hub.url).host;
    this.bytes = Buffer.alloc(0);
    this.wake = () => {};
    this.socket = net.connect(Number(new URL(hub.url).port), '127.0.0.1');
    this.socket.setNoDelay();
    this.socket.on('data', (chunk) => ((this.bytes = Buffer.concat([this.bytes, chunk])), this.wake()));
    this.socket.on('error', () => {});
    this.socket.on('close', () => ((this.closed = true), this.wake()));
  }

  close() {
    this.socket.destroy();
  }

  write(method, target, { headers = {}, body } = {}) {
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${this.host}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const framed = Object.keys(headers).some((name) => /^(transfer-encoding|content-length)$/i.test(name));
    if (bytes && !framed) lines.push(`Content-Length: ${bytes.length}`);
    this.socket.write(lines.join(crlf) + crlf + crlf, 'latin1');
    if (bytes) this.socket.write(bytes);
  }

  async send(method, target, options) {
    this.write(method, target, options);
    return this.answer(method);
  }

  // The next answer: { line, status, headers, body, text, json() }.
  async answer(method = 'GET') {
    const line = await this.#line();
    const answer = { line, status: Number(line.split(' ')[1]), headers: {} };
    for (let header = await this.#line(); header !== ''; header = await this.#line()) {
      const [, name, value] = /^([^:]+):\s*(.*)$/.exec(header);
      assert.ok(!(name.toLowerCase() in answer.headers), `${name} comes twice`);
      answer.headers[name.toLowerCase()] = value;
    }
    const hasBody = method !== 'HEAD' && answer.status !== 204;
    answer.body = hasBody ? await this.#body(answer.headers) : Buffer.alloc(0);
    answer.text = answer.body.toString();
    assertNoSecret(line + JSON.stringify(answer.headers) + answer.text, 'an answer');
    answer.json = () => JSON.parse(answer.text);
    return answer;
  }

  async #body(headers) {
    if (headers['transfer-encoding'] !== 'chunked') return this.#exactly(Number(headers['content-length']));
    const chunks = [];
    for (;;) {
      const size = parseInt(await this.#line(), 16);
      chunks.push(await this.#exactly(size));
      await this.#line();
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  async #line() {
    let end;
    await this.#until(() => (end = this.bytes.indexOf(crlf)) >= 0);
    return this.#take(end + crlf.length).toString('latin1').slice(0, -crlf.length);
  }

  async #exactly(count) {
    await this.#until(() => this.bytes.length >= count);
    return this.#take(count);
  }

  #take(count) {
    const taken = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    return taken;
  }

  async #until(there) {
    while (!there()) {
      if (this.closed) throw new Error('the connection was closed');
      await new Promise((resume) => (this.wake = resume));
    }
  }
}

export async function send(hub, method, target, options) {
  const connection = new Connection(hub);
  try {
    return await connection.send(method, target, options);
  } finally {
    connection.close();
  }
}

// `target` is what stands behind /v1/event/fire/, as it goes over the wire.
export const fire = (hub, target, body, headers) => send(hub, 'PUT', `/v1/event/fire/${target}`, { body, headers });

// The same, for events that must be taken; gives the event.
export async function fired(hub, target, body, headers) {
  const answer = await fire(hub, target, body, headers);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

// `query` without the `?`; gives { status, headers, text, events, index }.
export const list = async (hub, query = '', headers = {}) => read(await send(hub, 'GET', listTarget(query), { headers }));

const listTarget = (query) => `/v1/event/list${query && `?${query}`}`;
const read = (answer) => ({ ...answer, events: answer.status === 200 ? answer.json() : undefined, index: answer.headers['x-consul-index'] });

export const names = ({ events }) => events.map(({ Name }) => Name);

// A list that is under way: `answer` is the promise of it, `answered` whether it came, `close()` hangs up.
export function startList(hub, query, headers = {}) {
  const connection = new Connection(hub);
  const began = Date.now();
  const state = { close: () => connection.close(), answered: false };
  connection.write('GET', listTarget(query), { headers });
  state.answer = connection.answer().then(read).finally(() => {
    state.answered = true;
    state.tookMs = Date.now() - began;
    connection.close();
  });
  state.answer.catch(() => {}); // a test that hangs up does not wait for it
  return state;
}

// A list that waits. The hub has seen it when it answers what was asked after it.
export async function startBlocked(hub, query, headers = {}) {
  const blocked = startList(hub, query, headers);
  await settled(hub);
  assert.ok(!blocked.answered, `a list of ${query} was answered at once`);
  return blocked;
}

// What was written before has been read by the hub: two turns of its loop have passed.
export async function settled(hub) {
  await send(hub, 'GET', '/v1/event/list?name=nothing-of-this-name');
  await send(hub, 'GET', '/v1/event/list?name=nothing-of-this-name');
}

// How clients compute the index of an event: its UUID's halves, exclusive or.
export function indexOf(id) {
  const digits = id.replaceAll('-', '');
  return String(BigInt(`0x${digits.slice(0, 16)}`) ^ BigInt(`0x${digits.slice(16)}`));
}

export const register = (hub, service, headers) => send(hub, 'PUT', '/v1/agent/service/register', { body: JSON.stringify(service), headers });
export const deregister = (hub, id, headers) => send(hub, 'PUT', `/v1/agent/service/deregister/${id}`, { headers });

// An error is bare text without a newline.
export function isError(answer, status, text, what = '') {
  assert.deepEqual([answer.status, answer.text], [status, text], what);
  if (text) assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8', what);
}

// What every refused fire must leave: nothing.
export async function isEmpty(hub) {
  const { text, index } = await list(hub);
  assert.deepEqual([text, index], ['[]', '1']);
}
