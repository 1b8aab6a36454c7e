// Logs of the sizes at which trees go wrong, served by Gatehouse and by nginx from the same files,
// verified by a program that shares no line with ours (tlog/). Ends with "interop: N passed, N failed".
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildVerifier, runVerifier } from './verifier.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = path.join(root, 'build/release');
const gatehouse = process.env.GATEHOUSE ?? path.join(build, 'gatehouse');
const sizes = [1, 255, 256, 257, 65_535, 65_536, 70_000, 1_000_000];

const nginxProgram = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx';

const total = { passed: 0, failed: 0, skipped: 0 };
async function test(name, body) {
  const begin = Date.now();
  try {
    const said = await body();
    ++total.passed;
    console.log(`ok ${name} (${Date.now() - begin} ms)${said ? `: ${said}` : ''}`);
  } catch (error) {
    ++total.failed;
    console.log(`FAILED ${name}\n    ${String(error.message).replaceAll('\n', '\n    ')}`);
  }
}
function skip(name, why) {
  ++total.skipped;
  console.log(`skipped ${name}: ${why}`);
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });
function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => { child.text += piece; });
  running.add(child);
  child.ended = new Promise((done) => child.on('exit', () => { running.delete(child); done(); }));
  return child;
}
async function stop(child) {
  child?.kill('SIGTERM');
  await child?.ended;
}
function run(command, ...args) {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${path.basename(command)} ${args.join(' ')}: ${done.error ?? done.stdout + done.stderr}`);
  return done.stdout;
}

function freePort() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

async function answers(url, child) {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (child.exitCode !== null) break;
    try { await (await fetch(url)).arrayBuffer(); return; } catch { await sleep(50); }
  }
  throw new Error(`${url} does not answer:\n${child.text}`);
}

// Memory, when there is enough of it: the time goes into many small files.
function folderForLogs() {
  try {
    accessSync('/dev/shm', constants.W_OK);
    const free = Number(run('df', '--output=avail', '-B1', '/dev/shm').split('\n')[1]);
    if (free > 2 ** 31) return '/dev/shm';
  } catch { /* then on disk */ }
  return tmpdir();
}

async function serveOurselves(log, ...more) {
  const child = start(gatehouse, ['audit', 'serve', log, '--listen', '127.0.0.1:0', ...more]);
  for (let waited = 0; !child.text.includes('\n'); waited += 20) {
    if (child.exitCode !== null || waited > 10_000) throw new Error(`gatehouse audit serve: ${child.text}`);
    await sleep(20);
  }
  child.url = child.text.trim();
  return child;
}

// As docs/operating.md shows it, with entries.
async function serveWithNginx(log, folder) {
  const port = await freePort();
  const config = path.join(folder, 'nginx.conf');
  const asRoot = process.getuid() === 0 ? 'user root;' : '';
  mkdirSync(path.join(folder, 'nginx'));
  writeFileSync(config, `${asRoot}
daemon off;
worker_processes 1;
pid ${folder}/nginx/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/nginx/${one};`).join(' ')}
  server {
    listen 127.0.0.1:${port};
    root ${log};
    gzip off;
    location = /checkpoint { default_type "text/plain; charset=utf-8"; add_header Cache-Control no-cache; }
    location /tile/ { default_type application/octet-stream; add_header Cache-Control "public, max-age=31536000, immutable"; }
    location / { return 404; }
  }
}
`);
  const child = start(nginxProgram, ['-c', config, '-p', folder, '-e', 'stderr']);
  child.url = `http://127.0.0.1:${port}`;
  await answers(`${child.url}/checkpoint`, child);
  return child;
}

const folder = mkdtempSync(path.join(folderForLogs(), 'gatehouse-interop-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const log = path.join(folder, 'log');
let ours, nginx, bare;

async function verify(url, ...args) {
  const { status, text } = await runVerifier(verifier, '-url', url, ...args);
  if (status !== 0) throw new Error(text);
  return text;
}
async function refused(what, why, ...args) {
  const { status, text } = await runVerifier(verifier, ...args);
  if (status !== 1 || !why.test(text)) throw new Error(`${what} ended with ${status}: ${text}`);
  return text;
}

// Receipts made by our command line: the first, the last, and those at the edges of tiles.
function makeReceipts(size) {
  const to = path.join(folder, `receipts-${size}`);
  mkdirSync(to);
  const indices = new Set([0, 1, 254, 255, 256, 257, 65_534, 65_535, 65_536, size - 2, size - 1, Math.floor(size / 2)]
    .filter((index) => index >= 0 && index < size));
  for (const index of indices) run(gatehouse, 'audit', 'prove', log, String(index), '-o', path.join(to, `${index}.tlog-proof`));
  return to;
}

async function checkSize(size, key, earlier) {
  run(path.join(build, 'fill_log'), log, String(size));
  const old = earlier.flatMap((one) => ['-old', path.join(folder, `checkpoint-${one}`)]);
  ours ??= await serveOurselves(log, '--entries');
  bare ??= await serveOurselves(log);
  await test(`${size} entries served by gatehouse`, () => verify(ours.url, '-key', key, '-size', String(size), ...old,
    '-save', path.join(folder, `checkpoint-${size}`)));
  await test(`${size} entries served by gatehouse, hashes only`, () =>
    verify(bare.url, '-key', key, '-size', String(size), '-records', '100', '-no-entries'));
  if (hasNginx) {
    nginx ??= await serveWithNginx(log, folder);
    await test(`${size} entries served by nginx`, () => verify(nginx.url, '-key', key, '-size', String(size), ...old));
  } else {
    skip(`${size} entries served by nginx`, 'nginx is not installed');
  }
  await test(`receipts under ${size} entries`, async () => {
    const { status, text } = await runVerifier(verifier, '-key', key, '-receipts', makeReceipts(size));
    if (status !== 0) throw new Error(text);
    return text;
  });
}

// A client that fetched a checkpoint long ago can still read all of its tree.
async function checkLateClients(key) {
  for (const size of sizes) {
    const under = ['-key', key, '-size', String(size), '-checkpoint', path.join(folder, `checkpoint-${size}`), '-records', '100'];
    await test(`the tree of ${size} entries after the log has grown`, () => verify(ours.url, ...under));
    if (nginx) await test(`the tree of ${size} entries after the log has grown, nginx`, () => verify(nginx.url, ...under));
  }
}

// Every receipt that was made on the way still holds.
async function checkReceipts(key) {
  await test('receipts of every earlier size', async () => {
    let count = 0;
    for (const size of sizes) {
      const { status, text } = await runVerifier(verifier, '-key', key, '-receipts', path.join(folder, `receipts-${size}`));
      if (status !== 0) throw new Error(`${size}: ${text}`);
      count += Number(/(\d+) receipts/.exec(text)[1]);
    }
    return `${count} receipts`;
  });
}

// The verifier can say no.
async function checkRefusals(key) {
  const small = path.join(folder, 'small');
  run(path.join(build, 'fill_log'), small, '700');
  const server = await serveOurselves(small, '--entries');
  const other = key.replace('log.example/interop', 'log.example/other');
  await test('another key is refused', () => refused('another key', /key|verif/, '-url', server.url, '-key', other));
  for (const [name, why] of [['tile/entries/001', /entry 256 is not|ends after|follow/], ['tile/0/001', /do not give the signed root/], ['tile/1/000.p/2', /tile 1\/0 is not what its leaves say/], ['checkpoint', /checkpoint/]]) {
    const file = path.join(small, name);
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[20] ^= 1;
    writeFileSync(file, bad);
    await test(`a flipped bit in ${name} is refused`, () => refused(name, why, '-url', server.url, '-key', key));
    writeFileSync(file, good);
  }
  await test('the same log without it verifies', () => verify(server.url, '-key', key, '-size', '700'));
  await test('a checkpoint of another history is refused', async () => {
    // Its entries have other ids than those of the large log.
    const args = ['-url', server.url, '-key', key, '-old', path.join(folder, 'checkpoint-257')];
    const { status, text } = await runVerifier(verifier, ...args);
    if (status !== 1) throw new Error(text);
    return text;
  });
  await test('a receipt with another entry is refused', async () => {
    const to = path.join(folder, 'forged');
    mkdirSync(to);
    const from = path.join(folder, 'receipts-257');
    copyFileSync(path.join(from, '256.tlog-proof'), path.join(to, '256.tlog-proof'));
    copyFileSync(path.join(from, '255.entry.json'), path.join(to, '256.entry.json'));
    return refused('a forged receipt', /256/, '-key', key, '-receipts', to);
  });
  await stop(server);
}

const hasNginx = spawnSync(nginxProgram, ['-v']).status === 0;
for (const program of [gatehouse, path.join(build, 'fill_log')])
  if (!existsSync(program)) throw new Error(`${program} is not built; scripts/test builds it`);
const verifier = buildVerifier(folder);
if (!verifier) {
  skip('everything', 'no Go 1.19 or newer (scripts/install-dependencies installs golang-go)');
} else {
  const key = run(path.join(build, 'fill_log'), log, '1').trim();
  for (const [at, size] of sizes.entries()) await checkSize(size, key, sizes.slice(0, at));
  await checkLateClients(key);
  await checkReceipts(key);
  await checkRefusals(key);
  await test('our own verifier agrees', () => run(gatehouse, 'audit', 'verify', log, '--key', key).split('\n')[0]);
  if (readdirSync(path.join(log, 'tile/0')).length < 2) throw new Error('the log has no tiles; was it made?');
}
for (const child of [ours, bare, nginx]) await stop(child);
console.log(`interop: ${total.passed} passed, ${total.failed} failed${total.skipped ? ` (${total.skipped} skipped)` : ''}`);
process.exitCode = total.failed === 0 ? 0 : 1;
