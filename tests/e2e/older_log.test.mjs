// A ledger that was put back from a backup is refused, with a way out; see docs/operating.md.
import assert from 'node:assert/strict';
import { cpSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, cli, succeed } from './harness.mjs';

let simulator, site;
before(async () => {
  simulator = await Simulator.start();
  site = Gateway.prepare({ simulator });
});
after(async () => {
  await simulator?.stop();
  rmSync(site.folder, { recursive: true, force: true });
});

// Starts, makes some calls, stops.
async function someTraffic(calls) {
  const gateway = await Gateway.run(site);
  for (let i = 0; i < calls; ++i) await (await gateway.chat('gpt-echo', 'x')).text();
  await gateway.stop();
}

test('an older ledger is not gone on with, the newer one is', async () => {
  await someTraffic(3);
  cpSync(site.ledger, `${site.ledger}.backup`, { recursive: true });
  await someTraffic(3);
  renameSync(site.ledger, `${site.ledger}.newer`);
  cpSync(`${site.ledger}.backup`, site.ledger, { recursive: true });
  // Without the database too, which would notice by itself.
  for (const end of ['', '-wal', '-shm']) rmSync(path.join(site.data, `state.db${end}`), { force: true });

  await assert.rejects(Gateway.run(site), /older than what was signed for it/);
  const key = cli('key', 'create', '--principal', 'user:eve', '--config', site.config);
  assert.equal(key.status, 2, key.stdout);
  assert.match(key.stderr, /older than what was signed for it/);
  const resumed = cli('audit', 'resume', '--config', site.config);
  assert.equal(resumed.status, 2, 'what is known to be older cannot be declared the newest');

  rmSync(site.ledger, { recursive: true });
  renameSync(`${site.ledger}.newer`, site.ledger);
  await someTraffic(1);
  succeed(cli('audit', 'verify', site.ledger));
});

test('without what was remembered somebody has to say that the ledger is the newest', async () => {
  rmSync(path.join(site.data, 'last-signed'), { recursive: true });
  await assert.rejects(Gateway.run(site), /gatehouse audit resume/);
  assert.match(succeed(cli('audit', 'resume', '--config', site.config)).stdout, /signed entries/);
  await someTraffic(1);
  succeed(cli('audit', 'verify', site.ledger));
});
