// Our gateway before a witness that is not ours, and our witness before a client that is not ours:
// github.com/transparency-dev/witness, built from tests/interop/witness. Without Go 1.25 this is
// skipped.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, Witness, cli, root, succeed, until } from './harness.mjs';
import { verifySignature } from './tlog.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-interop-'));
const program = path.join(folder, 'witness');
let simulator, missing;

before(async () => {
  simulator = await Simulator.start();
  const go = ['/usr/local/go/bin/go', 'go'].find((one) => spawnSync(one, ['version']).status === 0);
  if (!go) { missing = 'needs Go'; return; }
  const built = spawnSync(go, ['build', '-buildvcs=false', '-o', program, '.'], {
    cwd: path.join(root, 'tests/interop/witness'), encoding: 'utf8', timeout: 300_000, env: { ...process.env, GOTOOLCHAIN: 'local' } });
  if (built.status !== 0) missing = `Go cannot build the other witness: ${built.stderr?.trim().split('\n').at(-1)}`;
});
after(async () => { await simulator?.stop(); rmSync(folder, { recursive: true, force: true }); });

test('a client that is not ours takes its log to gatehouse witness', async (t) => {
  if (missing) { t.skip(missing); return; }
  const log = succeed(spawnSync(program, ['key'], { encoding: 'utf8' })).stdout.trim();
  const site = Witness.prepare({ name: 'interop.example/w', logs: [log], directory: mkdtempSync(path.join(folder, 'w-')) });
  const witness = await Witness.run(site);
  try {
    const driven = succeed(spawnSync(program, ['drive', witness.url, witness.key], { encoding: 'utf8', timeout: 120_000 }));
    assert.match(driven.stdout, /\d+ checkpoints cosigned, 6 refusals/);
  } finally { await witness.stop(); }
});

test('a witness that is not ours cosigns the ledger of a gateway', async (t) => {
  if (missing) { t.skip(missing); return; }
  const site = Gateway.prepare({ simulator, directory: mkdtempSync(path.join(folder, 'g-')), only: ['gpt-echo'] });
  const log = readFileSync(path.join(site.ledger, 'log.vkey'), 'utf8').trim();
  const other = spawn(program, ['serve', log], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  other.stdout.on('data', (piece) => { said += piece; });
  try {
    await until(() => said.endsWith('\n'), 'the other witness to start');
    const { url, key } = JSON.parse(said);
    const policy = path.join(site.folder, 'other.policy');
    writeFileSync(policy, `log ${log}\nwitness other ${key} ${url}\nquorum other\n`);
    writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('example.com/gatehouse-e2e}',
      'example.com/gatehouse-e2e, witness_policy: other.policy, witness_interval: 100ms}'));
    const gateway = await Gateway.run(site);
    for (let i = 0; i < 300; ++i) await (await gateway.chat('gpt-echo', `call ${i}`)).text();
    const file = path.join(site.ledger, 'checkpoint.witnessed');
    await until(() => existsSync(file) && Number(readFileSync(file, 'utf8').split('\n')[1]) > 600, 'more than one full tile to be cosigned', 15_000);
    verifySignature(readFileSync(file, 'utf8'), key);
    succeed(cli('audit', 'verify', site.ledger, '--policy', policy));
    // It knows a size now: the next start proves from there.
    await gateway.stop();
    const again = await Gateway.run(site);
    assert.equal(again.logs('witnesses: started without a quorum, so nobody says whether the ledger is the newest').length, 0);
    await again.stop();
  } finally { other.kill('SIGKILL'); }
});
