// Every answer names its entry; the log verifies; a log that cannot be written stops traffic.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, cli, secrets, succeed, until } from './harness.mjs';

let simulator, gateway;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });

const idOf = (response) => response.headers.get('gatehouse-entry');

test('every answer has an entry, refused ones too', async () => {
  const responses = [
    await gateway.chat('gpt-echo', 'x'),
    await gateway.chat('gpt-echo', 'x', { stream: true }),
    await gateway.messages('claude-echo', 'x'),
    await gateway.chat('gpt-echo', secrets.awsKey()),
    await gateway.chat('gpt-unknown', 'x'),
    await gateway.script({ status: 500 }),
    await fetch(`${gateway.url}/v1/models`, { headers: gateway.headers() }),
    await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: gateway.headers(), body: '{' }),
    await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{}' }),
    await fetch(`${gateway.url}/v1/nothing`, { headers: gateway.headers() }),
  ];
  const ids = new Set();
  for (const response of responses) {
    await response.text();
    const entry = gateway.entry(idOf(response));
    assert.equal(entry.id, idOf(response));
    assert.equal(entry.node, 'gw-e2e');
    ids.add(entry.id);
  }
  assert.equal(ids.size, responses.length);
});

test('an entry says who asked for what, what was decided and why, and has no content', async () => {
  const response = await gateway.chat('gpt-echo', 'a perfectly secret plan');
  const entry = gateway.entry(idOf(response));
  assert.equal(entry.actor.id, 'ada');
  assert.equal(entry.actor.kind, 'user');
  assert.equal(entry.subject.model, 'gpt-echo');
  assert.equal(entry.subject.upstream_model, 'simulator-echo');
  assert.equal(entry.data.effect, 'permit');
  assert.ok(entry.data.policies.includes('registered-models'));
  assert.match(entry.snapshot, /^sha256:[0-9a-f]{64}$/);
  assert.match(entry.data.content.sha256, /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(entry).includes('secret plan'));
});

test('the outcome names the decision it belongs to', async () => {
  const response = await gateway.chat('gpt-echo', 'one two three');
  await response.text();
  const outcome = gateway.entries().find((entry) => entry.type === 'request.completed' && entry.data.decision === idOf(response));
  assert.equal(outcome.data.status, 200);
  assert.equal(outcome.data.output_tokens, 3);
});

test('the log verifies, while the gateway runs', () => {
  const verified = succeed(gateway.verify());
  assert.match(verified.stdout + verified.stderr, /\d/);
});

test('an inclusion proof is written and checks with the public key alone', async () => {
  const response = await gateway.chat('gpt-echo', 'prove it');
  await response.text();
  const file = path.join(gateway.folder, 'entry.tlog-proof');
  await until(() => cli('audit', 'prove', gateway.ledger, idOf(response), '-o', file).status === 0, 'a checkpoint that covers it');
  const { log: key } = JSON.parse(succeed(cli('audit', 'verify', gateway.ledger, '--json')).stdout);
  assert.equal(key, gateway.logs('listening')[0].ledger);
  succeed(cli('audit', 'check', file, '--key', key));
  const entry = readFileSync(file.replace('.tlog-proof', '.entry.json'), 'utf8');
  assert.equal(JSON.parse(entry).id, idOf(response));
  writeFileSync(file.replace('.tlog-proof', '.entry.json'), entry.replace('permit', 'forbid'));
  assert.equal(cli('audit', 'check', file, '--key', key).status, 1, 'a forged entry');
});

test('a changed byte in the log is found', async () => {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'] });
  const other = await Gateway.run(site);
  for (let i = 0; i < 20; ++i) await (await other.chat('gpt-echo', `entry ${i}`)).text();
  await other.stop();
  succeed(other.verify());
  const files = readdirSync(other.ledger, { recursive: true }).map((name) => path.join(other.ledger, name))
    .filter((name) => statSync(name).isFile() && statSync(name).size > 0);
  assert.ok(files.length >= 3);
  for (const file of files) {
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[Math.floor(bad.length / 2)] ^= 1;
    writeFileSync(file, bad);
    assert.equal(other.verify().status, 1, `${file} was changed`);
    writeFileSync(file, good);
  }
  succeed(other.verify());
  await other.finish();
});

// Sends calls until one is answered 503 (the publisher notices within a checkpoint interval), then
// shows that nothing reaches the provider any more.
async function stopsWhenFull(full) {
  await simulator.clear();
  let served = 0, refused = null;
  for (let i = 0; i < 20_000 && !refused; ++i) {
    const response = await full.chat('gpt-echo', 'fill it up');
    if (response.status === 503) refused = response;
    else { assert.equal(response.status, 200); await response.text(); ++served; }
  }
  assert.ok(refused, `no 503 after ${served} calls`);
  const error = (await refused.json()).error;
  assert.match(error.message, /ledger/i);
  assert.equal(error.code !== undefined, true);
  const reached = (await simulator.count()).received;
  assert.ok(reached <= served + 1, `${reached} calls reached the provider, ${served} were answered`);
  for (let i = 0; i < 5; ++i) {
    assert.equal((await full.chat('gpt-echo', 'x')).status, 503);
    const message = await full.messages('claude-echo', 'x');
    assert.equal(message.status, 503);
    assert.equal((await message.json()).type, 'error');
  }
  assert.equal((await simulator.count()).received, reached);
  assert.equal((await fetch(`${full.url}/readyz`)).status, 503);
  assert.equal((await fetch(`${full.url}/healthz`)).status, 200);
}

test('a file size limit on the ledger: 503 in the dialect, nothing reaches the provider', async () => {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo', 'claude-echo'] });
  // Files may have 1 MiB; writing more gives an error instead of the signal.
  const full = await Gateway.run(site, { shellPrefix: "trap '' XFSZ; ulimit -f 1024" });
  try { await stopsWhenFull(full); } finally { await full.finish(); }
});

test('a full disk: 503 in the dialect, nothing reaches the provider', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-full-'));
  const mounted = process.getuid() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=144m', 'tmpfs', folder]).status === 0;
  if (!mounted) { rmSync(folder, { recursive: true }); t.skip('needs root and the right to mount a small tmpfs'); return; }
  try {
    const site = Gateway.prepare({ simulator, directory: folder, only: ['gpt-echo', 'claude-echo'] });
    const full = await Gateway.run(site);
    try {
      spawnSync('dd', ['if=/dev/zero', `of=${folder}/filler`, 'bs=64k']);
      await stopsWhenFull(full);
    } finally { await full.stop(); }
    // With room again it starts by itself and nothing that was acknowledged is missing.
    rmSync(`${folder}/filler`);
    const again = await Gateway.run(site);
    try {
      assert.equal((await again.chat('gpt-echo', 'back')).status, 200);
    } finally { await again.stop(); }
    succeed(again.verify());
  } finally {
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});

test('relaxed mode says so in every answer', async () => {
  const relaxed = await Gateway.start({ simulator, audit: 'relaxed', only: ['gpt-echo'] });
  try {
    assert.equal((await relaxed.chat('gpt-echo', 'x')).headers.get('gatehouse-audit'), 'relaxed');
  } finally { await relaxed.finish(); }
  assert.notEqual((await gateway.chat('gpt-echo', 'x')).headers.get('gatehouse-audit'), 'relaxed');
});
