// The kit as others get it: installed, and as a Debian package; the example built against it in a folder of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { binary, inRepository, temporaryDirectory } from '../hub.mjs';
import { event } from '../steadybit/agent.mjs';
import { makeKit } from './kit.mjs';

const build = path.dirname(binary);
const cache = existsSync(path.join(build, 'CMakeCache.txt')) ? await readFile(path.join(build, 'CMakeCache.txt'), 'utf8') : '';
// A sanitized library asks its users for the sanitizer; nobody packages one.
const skip = /^BELFRY_SANITIZE:[^=]*=.+/m.test(cache) ? 'a sanitized build' : cache === '' ? 'the binary is in no build folder' : false;

async function run(program, args, options = {}) {
  try {
    return await promisify(execFile)(program, args, { timeout: 200_000, maxBuffer: 1 << 24, ...options });
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

// A copy of the example beside nothing of the repository.
async function copyExample(directory) {
  const source = path.join(directory, 'source');
  await mkdir(source);
  for (const name of await readdir(inRepository('examples/event_lines'))) {
    await copyFile(path.join(inRepository('examples/event_lines'), name), path.join(source, name));
  }
  return source;
}

const ownCompiler = () => /^CMAKE_CXX_COMPILER:[^=]*=(.*)/m.exec(cache)[1];

async function buildAgainst(prefix, directory, source, { compiler = ownCompiler(), shared = false, name = 'build' } = {}) {
  const into = path.join(directory, name);
  const settings = [`-DCMAKE_PREFIX_PATH=${prefix}`, `-DCMAKE_CXX_COMPILER=${compiler}`, `-DBUILD_SHARED_LIBS=${shared ? 'ON' : 'OFF'}`];
  await run('cmake', ['-G', 'Ninja', '-S', source, '-B', into, ...settings]);
  await run('cmake', ['--build', into]);
  return into;
}

async function assertWorks(t, program, directory, env = {}) {
  const file = path.join(directory, 'lines.tsv');
  const kit = await makeKit(t, program, { EVENT_LINES_FILE: file, ...env }).start();
  await kit.send(event(1));
  assert.match(await readFile(file, 'utf8'), /killswitch\.engaged\tuser tom\.mason/);
  assert.equal(await kit.stop(), 0);
}

const librariesOf = async (program) => (await run('ldd', [program])).stdout;

async function install(t) {
  const directory = await temporaryDirectory(t);
  const prefix = path.join(directory, 'prefix');
  await run('cmake', ['--install', build, '--component', 'eventkit', '--prefix', prefix]);
  return { directory, prefix };
}

test('installed, the kit builds the example in a clean folder, and the static library is whole', { skip }, async (t) => {
  const { directory, prefix } = await install(t);
  const program = path.join(await buildAgainst(prefix, directory, await copyExample(directory)), 'event_lines');
  assert.ok(!/eventkit/.test(await librariesOf(program)), 'nothing of the kit is needed to run it');
  await assertWorks(t, program, directory);
});

test('installed headers need nothing but the standard library', { skip }, async (t) => {
  const { directory, prefix } = await install(t);
  const include = path.join(prefix, 'include');
  const headers = ['belfry/eventkit.h', ...(await readdir(path.join(include, 'belfry/eventkit'))).map((name) => `belfry/eventkit/${name}`)];
  assert.ok(headers.length > 3, headers.join());
  assert.deepEqual(await readdir(include), ['belfry'], 'no header of a room is installed');
  const compiler = ownCompiler();
  for (const header of headers) {
    const text = await readFile(path.join(include, header), 'utf8');
    for (const [, name] of text.matchAll(/^#include [<"]([^>"]+)[>"]/gm)) {
      assert.match(name, /^(belfry\/eventkit\/[a-z_]+\.h|[a-z_]+)$/, `${header} includes ${name}`);
    }
  }
  const all = path.join(directory, 'all.cc');
  await writeFile(all, headers.map((header) => `#include <${header}>\n`).join(''));
  await run(compiler, ['-std=c++23', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only', '-I', include, all]);
});

// Whether a compiler beside ours is there; its users need not have ours.
const gcc = await run('g++', ['-dumpversion']).then(({ stdout }) => Number.parseInt(stdout, 10) >= 12, () => false);

test("the README's whole program compiles and runs against the installed kit, with the shared library, and by g++", { skip }, async (t) => {
  const { directory, prefix } = await install(t);
  const readme = await readFile(inRepository('sdk/eventkit/README.md'), 'utf8');
  const program = /```(?:cpp|c\+\+)\n([^]*?)```/.exec(readme)[1];
  assert.match(program, /int main\(\)/);
  assert.ok(program.trim().split('\n').length <= 18, 'about fifteen lines');
  const source = path.join(directory, 'source');
  await mkdir(source);
  await writeFile(path.join(source, 'main.cc'), program);
  const lists = /```cmake\n([^]*?)```/.exec(readme)[1];
  const start = 'cmake_minimum_required(VERSION 3.25)\nproject(extension LANGUAGES CXX)\nadd_executable(extension main.cc)\n';
  await writeFile(path.join(source, 'CMakeLists.txt'), start + lists);
  const assertRuns = async (name, shared, compiler) => {
    const built = path.join(await buildAgainst(prefix, directory, source, { name, shared, compiler }), 'extension');
    assert.equal(/libbelfry-eventkit\.so\.\d+ => .*prefix/.test(await librariesOf(built)), shared, name);
    const kit = await makeKit(t, built).start();
    const [{ path: listens, method, listenTo }] = (await kit.ask('GET', '/')).json.eventListeners;
    await kit.send(event(1, listenTo[0]), listens, { method });
    assert.equal(await kit.stop(), 0);
    assert.match(kit.log, /^ADM-4: completed$/m);
  };
  await assertRuns('shared', true);
  if (gcc) {
    await assertRuns('shared-gcc', true, 'g++');
    await assertRuns('static-gcc', false, 'g++');
  } else {
    t.diagnostic('there is no g++ of version 12 or later');
  }
});

test('the Debian package holds the kit, names what it needs, and builds the example', { skip }, async (t) => {
  const directory = await temporaryDirectory(t);
  await run('cpack', ['-G', 'DEB', '-B', directory], { cwd: build });
  const packages = (await readdir(directory)).filter((name) => name.endsWith('.deb'));
  assert.equal(packages.length, 1, packages.join());
  assert.match(packages[0], /^libbelfry-eventkit-dev_\d+\.\d+\.\d+.*_[a-z0-9]+\.deb$/);
  const deb = path.join(directory, packages[0]);
  const { stdout: control } = await run('dpkg-deb', ['--field', deb]);
  assert.match(control, /^Package: libbelfry-eventkit-dev$/m);
  const depends = /^Depends: (.*)$/m.exec(control)[1].split(', ').sort();
  assert.deepEqual(depends, ['libboost-json1.81-dev', 'libfmt-dev', 'libsimdjson-dev', 'libsodium-dev', 'libssl-dev']);
  assert.match(control, /^Section: libdevel$/m);
  assert.match(control, /^Maintainer: \S/m);
  const root = path.join(directory, 'root');
  await run('dpkg-deb', ['-x', deb, root]);
  assert.ok(existsSync(path.join(root, 'usr/include/belfry/eventkit.h')));
  assert.match(await readFile(path.join(root, 'usr/share/doc/libbelfry-eventkit-dev/copyright'), 'utf8'), /Apache/);
  const program = path.join(await buildAgainst(path.join(root, 'usr'), directory, await copyExample(directory)), 'event_lines');
  await assertWorks(t, program, directory);
});
