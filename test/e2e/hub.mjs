// Starts the built binary for a test: own data directory, own port, stopped by its pid when the test ends. Whatever a
// test or a hook of it does, no hub and no command outlives the file that started it.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = process.env.BELFRY_BINARY ?? path.join(root, 'build/release/belfry');
export const inRepository = (name) => path.join(root, name);

// What the tests of this folder wait for happens within milliseconds; this is for a machine that is loaded, or stalls for seconds.
export const patienceMs = 30_000;

export async function eventually(what, probe, withinMs = patienceMs) {
  const end = Date.now() + withinMs;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resume) => setTimeout(resume, 10));
  }
}

// A file that hangs says so and ends; the slowest takes a quarter of this, in a sanitized build on a loaded machine.
const fileLimitMs = 480_000;
setTimeout(() => {
  process.stderr.write(`${process.argv[1]} is not done after ${fileLimitMs / 1000} s\n`);
  process.exit(1);
}, fileLimitMs).unref();

// No secret turns up where people look: in a log, on the metrics, in an error, a listing or a command line. Every test
// that starts a hub or a command is searched for tokens and signing secrets, its own and wrong ones.
export function assertNoSecret(text, where) {
  const found = /belfry_[0-9a-f]{56}|whsec_[A-Za-z0-9+/]{24,}/.exec(text);
  if (found) throw new Error(`a secret (${found[0].slice(0, 12)}…) stands in ${where}`);
}

// The command lines of a process and of all that it started, as everybody on a machine can read them.
async function commandLines(pid) {
  const processes = new Map();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    processes.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (each) => each === pid || (processes.has(each) && isBelow(processes.get(each)));
  const wanted = [...processes.keys()].filter(isBelow);
  return Promise.all(wanted.map((each) => readFile(`/proc/${each}/cmdline`, 'latin1').catch(() => '')));
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(1));

// Starts the binary; whoever started it reads what it says.
export function start(args, options) {
  assertNoSecret(args.join(' '), 'a command line');
  const child = spawn(binary, args, options);
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

// What a test leaves behind ends by one hook, because hooks run in the order in which they were registered and none
// after one that failed: first all that writes is stopped, then the directories are removed.
const leftovers = new WeakMap();

function leftBy(t) {
  if (!leftovers.has(t)) {
    const left = { stops: [], directories: [] };
    leftovers.set(t, left);
    t.after(async () => {
      const stopped = await Promise.allSettled(left.stops.map(async (stop) => stop()));
      const removed = await Promise.allSettled(left.directories.map((name) => rm(name, { recursive: true, force: true })));
      const failed = [...stopped, ...removed].find(({ status }) => status === 'rejected');
      if (failed) throw failed.reason;
    });
  }
  return leftovers.get(t);
}

export async function temporaryDirectory(t) {
  const directory = await mkdtemp(path.join(tmpdir(), 'belfry-e2e-'));
  leftBy(t).directories.push(directory);
  return directory;
}

// For what writes into a temporary directory and is no hub; `stop` may give a promise.
export const stopAtEnd = (t, stop) => leftBy(t).stops.push(stop);

// Runs `belfry …` to its end, a minute at most; gives { code, stdout, stderr }.
export function belfry(args, { env = {}, input = '' } = {}) {
  const child = start(args, { env: { ...process.env, NO_COLOR: '1', ...env }, timeout: 60_000, killSignal: 'SIGKILL' });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (output.stdout += text));
  child.stderr.on('data', (text) => (output.stderr += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}

class Hub {
  constructor(data, args) {
    this.data = data;
    this.args = args;
    this.env = {}; // beside the environment of the test
    this.log = '';
  }

  async start() {
    const listen = this.args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
    const args = ['serve', ...listen, '--data', this.data, ...this.args];
    this.process = start(args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.env } });
    const begin = this.log.length;
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (text) => (this.log += text));
    }
    let dead = false;
    this.exited = new Promise((resolve) => {
      this.process.on('exit', (code, signal) => resolve(code ?? signal));
      this.process.on('error', resolve); // there is no such program
    }).finally(() => (dead = true));
    await eventually(`ready; it said:\n${this.log}`, async () => {
      if (dead) throw new Error(`belfry ended while starting:\n${this.log}`);
      const port = /(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)/.exec(this.log.slice(begin))?.[1];
      if (!port) return false;
      this.url = `${/https:\/\//.test(this.log.slice(begin)) ? 'https' : 'http'}://127.0.0.1:${port}`;
      // A hub listens when it serves; over https the test asks by itself.
      return this.url.startsWith('https') || fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
    });
    return this;
  }

  async stop(signal = 'SIGTERM') {
    this.process?.kill(signal);
    const status = await this.exited;
    assertNoSecret(this.log, 'the log');
    return status;
  }

  // What the test leaves behind. A closed hub shows its metrics to `token`.
  async end() {
    if (this.url?.startsWith('http:')) {
      const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
      const metrics = await fetch(`${this.url}/metrics`, { headers }).then((answer) => answer.text(), () => '');
      assertNoSecret(metrics, 'the metrics');
    }
    if (this.process?.exitCode === null && this.process.signalCode === null) {
      assertNoSecret((await commandLines(this.process.pid)).join('\n'), 'a command line');
    }
    return this.stop('SIGKILL');
  }

  async restart(signal = 'SIGTERM') {
    await this.stop(signal);
    return this.start();
  }

  // One request; the body of the answer is parsed when it is JSON.
  async request(method, target, body, headers = {}) {
    const isText = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const answer = await fetch(this.url + target, {
      method,
      body: isText ? body : JSON.stringify(body),
      headers: isText ? headers : { 'Content-Type': 'application/json', ...headers },
    });
    const text = await answer.text();
    if (method === 'GET' || answer.status >= 400) {
      assertNoSecret(text + JSON.stringify([...answer.headers]), `the answer to ${method} ${target.split('?')[0]}`);
    }
    const json = /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
    return { status: answer.status, headers: answer.headers, text, json };
  }

  // The same, for calls that must succeed; gives the JSON.
  async call(method, target, body, headers) {
    const answer = await this.request(method, target, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  publish(type, data = 'x', query = {}) {
    const target = `/api/v1/events?${new URLSearchParams({ type, ...query })}`;
    return this.call('POST', target, data, { 'Content-Type': 'text/plain' });
  }

  subscribe(name, sink, more = {}) {
    const document = { name, filter: { types: ['*'] }, start: 'new', ...more, sink: { kind: 'webhook', ...sink } };
    return this.call('POST', '/api/v1/subscriptions', document);
  }

  subscription(name) {
    return this.call('GET', `/api/v1/subscriptions/${name}`);
  }
}

// A hub on this data directory, not started yet; it ends with the test at the latest.
export function makeHub(t, data, ...args) {
  const hub = new Hub(data, args);
  stopAtEnd(t, () => hub.end());
  return hub;
}

export async function startHub(t, ...args) {
  return makeHub(t, path.join(await temporaryDirectory(t), 'data'), ...args).start();
}
