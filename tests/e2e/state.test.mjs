// What a gateway keeps: its secret, its database beside its ledger, and copies of the ledger that
// somebody else checks.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, binary, cli, createKey, sleep, succeed, until } from './harness.mjs';

let simulator;
before(async () => { simulator = await Simulator.start(); });
after(() => simulator.stop());

async function within(options, body) {
  const gateway = await Gateway.start({ simulator, only: ['gpt-echo'], ...options });
  try { await body(gateway); } finally { await gateway.finish(); }
}

// A stopped gateway's folder, to be damaged.
async function withSite(body) {
  const site = Gateway.prepare({ simulator, only: [] });
  try { await body(site); } finally { rmSync(site.folder, { recursive: true, force: true }); }
}

// Another program that writes to the database and does not finish.
async function lockDatabase(data) {
  const shell = spawn('sqlite3', [path.join(data, 'state.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  shell.stdout.on('data', (text) => { said += text; });
  shell.stdin.write("BEGIN IMMEDIATE;\nSELECT 'locked';\n");
  await until(() => said.includes('locked'), 'the lock of the database');
  return () => new Promise((done) => { shell.on('exit', done); shell.stdin.end('ROLLBACK;\n'); });
}

const hasSqlite = spawnSync('sqlite3', ['-version']).status === 0;
test('a revoked key ends at once, even while the database cannot be written', { skip: !hasSqlite && 'no sqlite3' }, () => within({}, async (gateway) => {
  const { key, record } = createKey(gateway, 'service:leaked');
  const call = async () => (await gateway.chat('gpt-echo', 'x', {}, { headers: { authorization: `Bearer ${key}` } })).status;
  assert.equal(await call(), 200);
  const unlock = await lockDatabase(gateway.data);
  succeed(gateway.cli('key', 'revoke', record.prefix));
  assert.equal(await call(), 401);
  assert.match(succeed(gateway.cli('key', 'list')).stdout, new RegExp(`${record.prefix}.*leaked.*T.*T`));
  assert.equal(gateway.cli('key', 'create', '--principal', 'user:new').status, 2);
  await unlock();
  assert.equal((await gateway.chat('gpt-echo', 'x')).status, 200);
  createKey(gateway, 'user:new');
  assert.equal(await call(), 401);
}));

test('config check leaves the data folder alone', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-e2e-'));
  writeFileSync(path.join(folder, 'gatehouse.yaml'), 'data: var\n');
  succeed(cli('config', 'check', '--config', path.join(folder, 'gatehouse.yaml')));
  assert.equal(existsSync(path.join(folder, 'var')), false);
  rmSync(folder, { recursive: true });
});

test('a lost secret is asked for, not replaced', () => withSite((site) => {
  const secret = path.join(site.data, 'secret');
  renameSync(secret, `${secret}.away`);
  for (const args of [['config', 'check'], ['key', 'list'], ['serve']]) {
    const refused = cli(...args, '--config', site.config);
    assert.notEqual(refused.status, 0, args.join(' '));
    assert.match(refused.stderr, /var\/secret: .*restore this file from the backup/);
    assert.equal(existsSync(secret), false);
  }
  renameSync(`${secret}.away`, secret);
  succeed(cli('key', 'list', '--config', site.config));
}));

test('a second gateway on the same data is told why not', () => within({}, async (gateway) => {
  const second = cli('serve', '--config', gateway.config);
  assert.equal(second.status, 2);
  assert.match(second.stderr, /ledger\/lock: another process has this log open, probably a gateway/);
}));

test('a gateway starts while its ledger is being verified', () => withSite(async (site) => {
  let stop = false;
  const verifying = (async () => {
    while (!stop) await new Promise((done) => spawn(binary, ['audit', 'verify', site.ledger], { stdio: 'ignore' }).on('exit', done));
  })();
  try {
    for (let round = 0; round < 5; ++round) await (await Gateway.run(site)).stop();
  } finally {
    stop = true;
    await verifying;
  }
}));

test('a copy that is taken under load verifies, and goes on where it was', () => within({}, async (gateway) => {
  const copy = path.join(gateway.folder, 'copy');
  let stop = false;
  const load = Array.from({ length: 4 }, async () => {
    while (!stop) await (await gateway.chat('gpt-echo', 'x')).text();
  });
  // Not with spawnSync: that would hold up the load, too.
  const run = (...args) => new Promise((done) => {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.on('data', (text) => { stdout += text; });
    child.on('exit', (status) => done({ status, stdout }));
  });
  try {
    for (let round = 0; round < 5; ++round) {
      const copied = await run('audit', 'copy', gateway.ledger, copy);
      assert.match(copied.stdout, /^copied \d+ entries/);
      const verified = await run('audit', 'verify', copy, '--remember', path.join(gateway.folder, 'seen'));
      assert.equal(verified.status, 0, verified.stdout);
      assert.match(verified.stdout, round === 0 ? /first run: nothing to compare with/ : /is a part of this log/);
      await sleep(300);
    }
  } finally {
    stop = true;
    await Promise.all(load);
  }
  assert.equal(existsSync(path.join(copy, 'wal')), false);
  assert.equal(cli('audit', 'copy', gateway.ledger, gateway.folder).status, 2);
}));

test('a log under a new key is wrong, not unreadable', () => withSite(async (site) => {
  const seen = path.join(site.folder, 'seen');
  const first = succeed(cli('audit', 'verify', site.ledger, '--remember', seen, '--json'));
  assert.equal(JSON.parse(first.stdout).remembered, null);
  const again = succeed(cli('audit', 'verify', site.ledger, '--remember', seen, '--json'));
  assert.deepEqual(JSON.parse(again.stdout).remembered, { size: 1 });
  rmSync(site.data, { recursive: true });
  createKey(site, 'user:ada');
  const replaced = cli('audit', 'verify', site.ledger, '--remember', seen);
  assert.equal(replaced.status, 1);
  assert.match(replaced.stdout, /signed by another key than the remembered checkpoint/);
}));

test('what is wrong is printed without obeying it, whatever a file is called', () => withSite((site) => {
  writeFileSync(Buffer.concat([Buffer.from(`${site.ledger}/bad`), Buffer.from([0xff, 0x1b]), Buffer.from('[31m')]), '');
  const json = cli('audit', 'verify', site.ledger, '--json');
  assert.equal(json.status, 1);
  assert.ok(JSON.parse(json.stdout).file.endsWith('bad\\xff\\x1b[31m'), json.stdout);
  const text = cli('audit', 'verify', site.ledger);
  assert.equal(text.status, 1);
  assert.doesNotMatch(text.stdout, /\x1b/);
}));

test('an entry of ten thousand brackets is shown in one line', () => withSite((site) => {
  const entry = Buffer.from(`{"id":"x","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
  const plain = Buffer.from('{}');
  const record = (bytes) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  mkdirSync(path.join(site.ledger, 'tile/entries'), { recursive: true });
  writeFileSync(path.join(site.ledger, 'tile/entries/000'), Buffer.concat([record(entry), ...Array(255).fill(record(plain))]));
  const shown = succeed(cli('audit', 'show', site.ledger, '0'));
  assert.ok(shown.stdout.length < 100_000, `${shown.stdout.length} bytes`);
  assert.match(shown.stdout, /^raw {8}\{"id":"x","data":\[\[\[/m);
  const json = JSON.parse(succeed(cli('audit', 'show', site.ledger, '0', '--json')).stdout);
  assert.equal(Buffer.from(json.entry_base64, 'base64').compare(entry), 0);
}));

test('find ends at its limit', () => withSite((site) => {
  for (const name of ['a', 'b', 'c']) createKey(site, `user:${name}`);
  const found = succeed(cli('audit', 'find', site.ledger, '--type', 'key.', '--since', '1h', '--limit', '2', '--json')).stdout;
  assert.equal(found.trim().split('\n').length, 2);
  assert.equal(JSON.parse(found.split('\n')[1]).index, 1);
}));
