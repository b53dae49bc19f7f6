// Programs made with the kit for extensions, for tests: started with the variables of an extension, asked as an agent
// asks, stopped by their pid when the test ends.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { binary, eventually, stopAtEnd, temporaryDirectory } from '../hub.mjs';

export const example = path.join(path.dirname(binary), 'event_lines');
export const scripted = path.join(path.dirname(binary), 'scripted_extension');

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// What a program sees: nothing of an extension's variables that stand in the environment of the test.
function environment(more) {
  const clean = Object.entries(process.env).filter(([name]) => !/^(STEADYBIT|EVENTKIT|EVENT_LINES)_/.test(name));
  return { ...Object.fromEntries(clean), STEADYBIT_EXTENSION_HOST: '127.0.0.1', STEADYBIT_EXTENSION_PORT: '0', ...more };
}

class KitProcess {
  constructor(program, env) {
    Object.assign(this, { program, env, log: '' });
  }

  async start(more = {}) {
    Object.assign(this.env, more);
    this.process = spawn(this.program, [], { env: environment(this.env), stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.process);
    const begin = this.log.length;
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.log += text));
    this.exited = new Promise((resolve) => {
      this.process.on('close', (code, signal) => resolve(code ?? signal));
      this.process.on('error', (error) => resolve((this.log += error.message))); // there is no such program
    }).finally(() => {
      this.ended = true;
      running.delete(this.process);
    });
    this.ended = false;
    const said = await eventually(`${this.program} listens`, () => {
      if (this.ended) throw new Error(`${this.program} ended while starting:\n${this.log}`);
      return /listening on (?:(https?):\/\/(?:[^:[]+|\[.*?\]):(\d+)|unix:(\S+?)(?=["'\s]|$))/m.exec(this.log.slice(begin));
    });
    const [, scheme, port, socketPath] = said;
    this.where = socketPath ? { socketPath, path: socketPath } : { host: '127.0.0.1', port: Number(port), scheme };
    if (port) this.url = `${scheme}://127.0.0.1:${port}`;
    return this;
  }

  // Its exit status, or the signal that ended it.
  stop(signal = 'SIGTERM') {
    this.process?.kill(signal);
    return this.exited;
  }

  async restart(signal, more) {
    await this.stop(signal);
    return this.start(more);
  }

  ask(method, target, body, more) {
    return ask(this.where, method, target, body, more);
  }

  // An event as an agent sends it.
  call(text, target = '/events/all', { method = 'POST', headers = {}, ...more } = {}) {
    return this.ask(method, target, text, { headers: { 'Content-Type': 'application/json', ...headers }, ...more });
  }

  // A call whose handler is at work: its request came before others that were answered meanwhile.
  async begin(text) {
    const answer = this.call(text);
    answer.catch(() => {}); // whoever awaits it sees it
    for (let turn = 0; turn < 5; turn++) await this.ask('GET', '/');
    return { answer };
  }

  // A call whose time is over while its handler is at work: its answer, and that to the next attempt. One that no worker begins in
  // its time is as if it had not come, and is tried again.
  async outlived(text, target, headers) {
    const attempt = () => this.call(text, target, { headers });
    let answer = await attempt();
    let next;
    await eventually('a handler begins', async () => {
      next = await attempt();
      if (next.text !== 'Timeout') return true;
      answer = next;
      return false;
    });
    return { answer, next };
  }

  // The same as call(), for calls that must succeed.
  async send(text, target, more) {
    const answer = await this.call(text, target, more);
    assert.deepEqual([answer.status, answer.text], [200, '{}'], this.log);
    return answer;
  }
}

// One request on a connection of its own. `where` is { host, port, scheme } or { socketPath }; a string or bytes as
// body have a length, a list of them is sent in chunks. `head` is the names of the headers in lower case.
export function ask(where, method, target, body, { headers = {}, ...options } = {}) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const one = { ...where, ...options, method, path: target, headers, agent: false };
    const sent = (where.scheme === 'https' ? httpsRequest : httpRequest)(one, async (answer) => {
      const chunks = [];
      try {
        for await (const chunk of answer) chunks.push(chunk);
      } catch (error) {
        return reject(error);
      }
      const text = Buffer.concat(chunks).toString();
      const type = answer.headers['content-type'] ?? '';
      resolve({
        status: answer.statusCode,
        headers: answer.headers,
        text,
        json: type.startsWith('application/json') && text !== '' ? JSON.parse(text) : undefined,
        ms: performance.now() - begun,
        certificate: answer.socket.getPeerCertificate?.(),
      });
    });
    sent.on('error', reject);
    sent.setTimeout(30_000, () => sent.destroy(new Error(`no answer to ${method} ${target}`)));
    if (Array.isArray(body)) {
      for (const chunk of body) sent.write(chunk);
      sent.end();
    } else {
      if (body !== undefined) sent.setHeader('Content-Length', Buffer.byteLength(body));
      sent.end(body);
    }
  });
}

// Bytes as they are on a connection of its own: what came back when the other side closed, or when `isEnough` of it.
export function exchange(where, bytes, isEnough = () => false) {
  return new Promise((resolve, reject) => {
    const socket = connect(where.path ? { path: where.path } : { host: where.host, port: where.port }, () => socket.write(bytes));
    let text = '';
    const done = (closed) => {
      socket.destroy();
      resolve({ text, closed });
    };
    socket.on('data', (chunk) => {
      text += chunk;
      if (isEnough(text)) done(false);
    });
    socket.on('end', () => done(true));
    socket.on('error', (error) => (text === '' ? reject(error) : done(true)));
  });
}

export function makeKit(t, program, env = {}) {
  const kit = new KitProcess(program, env);
  stopAtEnd(t, () => kit.stop('SIGKILL'));
  return kit;
}

// The example; its lines are in `kit.file`.
export async function startExample(t, env = {}) {
  const directory = await temporaryDirectory(t);
  const file = path.join(directory, 'lines.tsv');
  const kit = makeKit(t, example, { EVENT_LINES_FILE: file, ...env });
  Object.assign(kit, { directory, file: env.EVENT_LINES_FILE ?? file });
  kit.lines = () => linesOf(kit.file);
  return kit.start();
}

// The example with a pipe in place of its file: a handler waits there until the gate is opened.
export async function startGated(t, env = {}) {
  const directory = await temporaryDirectory(t);
  const pipe = path.join(directory, 'gate');
  await promisify(execFile)('mkfifo', [pipe]);
  const kit = await startExample(t, { EVENT_LINES_FILE: pipe, ...env });
  let reader;
  let text = '';
  stopAtEnd(t, async () => {
    await kit.stop('SIGKILL'); // nobody writes to what is closed
    await reader?.close();
  });
  kit.openGate = async () => (reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK));
  // What handlers wrote since it is open.
  kit.lines = async () => {
    const buffer = Buffer.alloc(65536);
    for (;;) {
      const { bytesRead } = await reader.read({ buffer }).catch(() => ({ bytesRead: 0 })); // EAGAIN: nothing now
      if (bytesRead === 0) return linesIn(text);
      text += buffer.toString('utf8', 0, bytesRead);
    }
  };
  return kit;
}

export const startScripted = (t, env = {}) => makeKit(t, scripted, env).start();

// A program that must not start: its exit status and what it said.
export async function refusesToStart(t, env, program = example) {
  const kit = makeKit(t, program, env);
  await assert.rejects(kit.start(), /ended while starting/);
  return { code: await kit.exited, said: kit.log };
}

const columns = ['time', 'name', 'principal', 'what', 'state', 'team', 'reason', 'step'];

const linesOf = async (file) => linesIn(await readFile(file, 'utf8').catch(() => ''));

function linesIn(text) {
  const rows = text.split('\n').slice(0, -1).map((line) => line.split('\t'));
  return rows.map((row) => {
    assert.equal(row.length, columns.length, `a line has ${columns.join(', ')}: ${row.join(' | ')}`);
    return Object.fromEntries(row.map((value, place) => [columns[place], value]));
  });
}
