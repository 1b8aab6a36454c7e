// Witnesses: cosigned checkpoints verify with code that is not ours; a witness refuses forks,
// rollbacks and bad proofs with the statuses of tlog-witness, whenever it is killed; the gateway
// raises an incident, and does not go on from a ledger of which its witnesses know more.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, Witness, cli, endAll, sleep, succeed, until } from './harness.mjs';
import { SigningLog, consistencyProof, leavesOf, parseCheckpoint, request, rootOf, verifySignature } from './tlog.mjs';

let simulator;
const folders = [];
before(async () => { simulator = await Simulator.start(); });
after(async () => {
  await simulator?.stop();
  endAll();  // what a failed test has left behind
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder() {
  folders.push(mkdtempSync(path.join(tmpdir(), 'gatehouse-witness-e2e-')));
  return folders.at(-1);
}
function prepareWitness(name, logs) {
  const site = Witness.prepare({ name, logs });
  folders.push(site.folder);
  return site;
}
const logKey = (site) => readFileSync(path.join(site.ledger, 'log.vkey'), 'utf8').trim();
const witnessedFile = (site) => path.join(site.ledger, 'checkpoint.witnessed');
const witnessed = (site) => existsSync(witnessedFile(site)) ? readFileSync(witnessedFile(site), 'utf8') : null;
const sizeOf = (file) => parseCheckpoint(readFileSync(file, 'utf8')).size;

// A gateway whose ledger these witnesses (sites) have to cosign, all of them.
function prepareGateway(witnesses, more = '') {
  const directory = folder();
  const site = Gateway.prepare({ simulator, directory, only: ['gpt-echo'] });
  setWitnesses(site, witnesses, more);
  return site;
}
function setWitnesses(site, witnesses, more = '') {
  site.policy = path.join(site.folder, 'witnesses.policy');
  writeFileSync(site.policy, [
    `log ${logKey(site)}`,
    ...witnesses.map((one, i) => `witness w${i} ${one.key} http://127.0.0.1:${one.port}`),
    `group all-of-them all ${witnesses.map((one, i) => `w${i}`).join(' ')}`,
    'quorum all-of-them', ''].join('\n'));
  const config = readFileSync(site.config, 'utf8');
  writeFileSync(site.config, config.replace(/ledger: .*/,
    `ledger: {origin: example.com/gatehouse-e2e, witness_policy: witnesses.policy, witness_interval: 100ms, witness_timeout: 2s${more}}`));
}
async function calls(gateway, count) {
  for (let i = 0; i < count; ++i) await (await gateway.chat('gpt-echo', `call ${i}`)).text();
}
async function metric(gateway, name) {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}
// A witness whose port is known before the gateway that uses it exists.
async function startedWitness(name, logs) {
  const site = prepareWitness(name, logs);
  return Witness.run(site);
}
// Names the log that a witness serves once the log's key is known.
async function learn(witness, logs) {
  await witness.stop();
  witness.site.logs = logs;
  Witness.configure(witness.site);
  return Witness.run(witness.site);
}

const stranger = new SigningLog('stranger.example/log', 9);

test('two witnesses cosign what a gateway signs; it verifies with other code and with ours', async () => {
  let one = await startedWitness('one.example/w', [stranger.vkey]);
  let two = await startedWitness('two.example/w', [stranger.vkey]);
  const site = prepareGateway([one.site, two.site]);
  one = await learn(one, [logKey(site)]);
  two = await learn(two, [logKey(site)]);
  const begin = Math.floor(Date.now() / 1000);
  const gateway = await Gateway.run(site);
  await calls(gateway, 5);
  const id = (await gateway.chat('gpt-echo', 'prove me')).headers.get('gatehouse-entry');
  const own = await until(() => {
    const size = sizeOf(path.join(site.ledger, 'checkpoint'));
    return size >= 12 && witnessed(site) && sizeOf(witnessedFile(site)) === size ? size : null;
  }, 'the cosigned checkpoint to come as far as the log', 10_000);

  const note = witnessed(site);
  assert.equal(parseCheckpoint(note).signatures.length, 3);
  assert.equal(parseCheckpoint(note).signatures[0].name, 'example.com/gatehouse-e2e', 'the log signs first');
  verifySignature(note, logKey(site));
  for (const key of [one.key, two.key]) {
    const time = verifySignature(note, key);
    assert.ok(time >= begin && time <= Date.now() / 1000 + 1);
  }
  assert.throws(() => verifySignature(note.replace(`\n${own}\n`, `\n${own + 1}\n`), one.key));

  // The witness shows the same checkpoint to monitors.
  const shown = await one.latest(stranger.hash);
  assert.equal(shown.status, 404, 'a log it has never cosigned');
  const mine = await (await one.latest(new SigningLog('example.com/gatehouse-e2e').hash)).text();
  verifySignature(mine, one.key);
  verifySignature(mine, logKey(site));

  // gatehouse audit with the policy, beside the running gateway.
  const verified = succeed(cli('audit', 'verify', site.ledger, '--policy', site.policy));
  assert.match(verified.stdout, /witness +w0 cosigned at 2/);
  assert.match(verified.stdout, /witness +w1 cosigned at 2/);
  const proof = path.join(site.folder, 'entry.tlog-proof');
  await until(() => cli('audit', 'prove', site.ledger, id, '-o', proof).status === 0, 'a proof');
  await until(() => {
    succeed(cli('audit', 'prove', site.ledger, id, '-o', proof));
    return cli('audit', 'check', proof, '--policy', site.policy).status === 0;
  }, 'a proof under a cosigned checkpoint');
  const checked = JSON.parse(succeed(cli('audit', 'check', proof, '--policy', site.policy, '--json')).stdout);
  assert.deepEqual(checked.witnesses.map((witness) => witness.name), ['w0', 'w1']);

  // Who trusts another witness as well is not satisfied, and is told who is missing.
  const wider = path.join(site.folder, 'wider.policy');
  const third = prepareWitness('three.example/w', [stranger.vkey]);
  writeFileSync(wider, readFileSync(site.policy, 'utf8').replace('group all-of-them all', `witness w9 ${third.key}\ngroup all-of-them all w9`));
  for (const command of [['verify', site.ledger], ['check', proof]]) {
    const refused = cli('audit', ...command, '--policy', wider);
    assert.equal(refused.status, 1, refused.stdout + refused.stderr);
    assert.match(refused.stdout, /missing: w9/);
  }
  assert.equal(await metric(gateway, 'gatehouse_witness_quorum'), 1);
  assert.equal(await metric(gateway, 'gatehouse_witness_incidents'), 0);

  // One witness away: the log goes on, the cosigned checkpoint waits, and catches up later.
  await two.stop();
  await calls(gateway, 3);
  await until(async () => await metric(gateway, 'gatehouse_witness_failing') === 1, 'the gateway to notice');
  assert.equal(await metric(gateway, 'gatehouse_witness_quorum'), 0);
  const stale = sizeOf(witnessedFile(site));
  two = await Witness.run(two.site);
  await until(() => sizeOf(witnessedFile(site)) > stale, 'the cosigned checkpoint to catch up', 15_000);
  succeed(cli('audit', 'verify', site.ledger, '--policy', site.policy));
  await gateway.stop();
  succeed(cli('audit', 'verify', site.ledger, '--policy', site.policy));
  await one.stop();
  await two.stop();
});

test('the log over HTTP gives the cosigned checkpoint', async () => {
  let one = await startedWitness('http.example/w', [stranger.vkey]);
  const site = prepareGateway([one.site], ', serve: {listen: "127.0.0.1:0"}');
  one = await learn(one, [logKey(site)]);
  const gateway = await Gateway.run(site);
  const url = gateway.logs('the log is served')[0].url;
  await until(() => witnessed(site), 'a cosigned checkpoint');
  const note = await (await fetch(`${url}/checkpoint`)).text();
  verifySignature(note, one.key);
  verifySignature(note, logKey(site));
  await gateway.stop();
  await one.stop();
});

test('two installations witness each other', async () => {
  // Each has a gateway and a witness; each witness knows the other gateway's log.
  let ofA = await startedWitness('a.example/witness', [stranger.vkey]);
  let ofB = await startedWitness('b.example/witness', [stranger.vkey]);
  const siteA = prepareGateway([ofB.site]);
  const siteB = prepareGateway([ofA.site]);
  ofA = await learn(ofA, [logKey(siteB)]);
  ofB = await learn(ofB, [logKey(siteA)]);
  const a = await Gateway.run(siteA);
  const b = await Gateway.run(siteB);
  await calls(a, 3);
  await calls(b, 3);
  for (const [site, witness] of [[siteA, ofB], [siteB, ofA]]) {
    await until(() => witnessed(site), 'a cosigned checkpoint');
    verifySignature(witnessed(site), witness.key);
    succeed(cli('audit', 'verify', site.ledger, '--policy', site.policy));
  }
  for (const one of [a, b, ofA, ofB]) await one.stop();
});

test('the statuses of tlog-witness', async () => {
  const log = new SigningLog('wire.example/log', 5);
  const witness = await startedWitness('wire.example/w', [log.vkey]);
  const entries = Array.from({ length: 12 }, (_, i) => `entry ${i}`);
  const forked = entries.map((entry, i) => i < 3 ? entry : `${entry} forked`);
  const status = async (body) => (await witness.add(body)).status;

  assert.equal((await witness.latest(log.hash)).status, 404, 'never cosigned');
  assert.equal(await status(log.request(4, entries)), 409, 'it has cosigned nothing yet');
  let answer = await witness.add(log.request(0, entries.slice(0, 5)));
  assert.equal(answer.status, 200);
  const first = log.checkpoint(5, rootOf(leavesOf(entries.slice(0, 5)))) + await answer.text();
  assert.ok(verifySignature(first, witness.key) > 0);

  assert.equal(await status(stranger.request(0, ['x'])), 404, 'an unknown log');
  assert.equal(await status(new SigningLog('wire.example/log', 6).request(5, entries)), 403, 'no trusted signature');
  const good = log.request(5, entries);
  const damaged = good.trimEnd().slice(0, -8) + 'AAAAAAA=\n';
  assert.equal(await status(damaged), 403, 'a trusted key, and the signature does not hold');
  for (const bad of ['', 'old 5', good.replace('old 5', 'old 05'), good.replace('old 5', 'older 5'), good.replace('\n\n', '\n'), good.slice(0, -1)])
    assert.equal(await status(bad), 400, JSON.stringify(bad.slice(0, 40)));
  assert.equal(await status(log.request(13, entries)), 400, 'old is larger than the checkpoint');

  // A log that was rolled back has fewer entries; it cannot name the size it must prove from.
  answer = await witness.add(log.request(3, entries.slice(0, 4)));
  assert.equal(answer.status, 409);
  assert.equal(answer.headers.get('content-type'), 'text/x.tlog.size');
  assert.equal(await answer.text(), '5\n');
  assert.equal(await status(log.request(0, entries)), 409);
  assert.equal(await status(log.request(5, entries.slice(0, 4))), 400, 'the witness knows 5, the checkpoint has 4');

  assert.equal(await status(log.request(5, forked.slice(0, 5))), 422, 'same size, other root');
  assert.equal(await status(log.request(5, forked)), 422, 'grown on another branch');
  const leaves = leavesOf(entries);
  const proof = consistencyProof(5, leaves);
  const checkpoint = log.checkpoint(12, rootOf(leaves));
  assert.equal(await status(request(5, proof.slice(1), checkpoint)), 422, 'a proof that is too short');
  assert.equal(await status(request(5, [...proof, proof[0]], checkpoint)), 422, 'a proof that is too long');
  assert.equal(await status(request(5, [proof[1], proof[0], ...proof.slice(2)], checkpoint)), 422, 'a proof in another order');
  assert.equal(await status(request(5, Array(64).fill(proof[0]), checkpoint)), 400, 'more than 63 lines');
  assert.equal(parseCheckpoint(await (await witness.latest(log.hash)).text()).size, 5, 'nothing of this was taken');

  assert.equal(await status(good), 200);
  assert.equal(await status(log.request(12, entries)), 200, 'the same again');
  const shown = await witness.latest(log.hash);
  assert.match(shown.headers.get('content-type'), /^text\/plain/);
  const note = await shown.text();
  assert.equal(parseCheckpoint(note).size, 12);
  verifySignature(note, witness.key);
  verifySignature(note, log.vkey);

  assert.equal((await fetch(`${witness.url}/add-checkpoint`)).status, 405);
  assert.equal((await fetch(`${witness.url}/other`, { method: 'POST', body: 'x' })).status, 404);
  assert.equal((await fetch(`${witness.url}/${'0'.repeat(64)}/checkpoint`)).status, 404);
  assert.equal(await status('x'.repeat(400_000)), 413);
  await witness.stop();
});

test('killed at any moment, a witness never cosigns two roots for one size', async () => {
  const log = new SigningLog('killed.example/log', 7);
  const site = prepareWitness('killed.example/w', [log.vkey]);
  const roots = new Map();  // size -> root, as cosigned
  const entries = [];       // what the witness has cosigned
  let witness = await Witness.run(site);
  let answered = 0, contested = 0;
  const rounds = 25;
  for (let round = 0; round < rounds; ++round) {
    const submissions = [];
    let going = true;
    // Two histories compete for every next size, as fast as they can.
    const compete = async (name) => {
      for (let step = 0; going; ++step) {
        const known = entries.length;
        const mine = [...entries.slice(0, known), `${name} ${round} ${step}`];
        let answer;
        try {
          answer = await witness.add(log.request(known, mine));
          const text = await answer.text();
          if (answer.status === 200) {
            const root = rootOf(leavesOf(mine)).toString('base64');
            verifySignature(log.checkpoint(mine.length, Buffer.from(root, 'base64')) + text, witness.key);
            assert.ok(!roots.has(mine.length) || roots.get(mine.length) === root, `two roots for size ${mine.length}`);
            roots.set(mine.length, root);
            if (entries.length < mine.length) entries.push(mine.at(-1));
            ++answered;
          } else {
            assert.ok([409, 422].includes(answer.status), `${answer.status} ${text}`);
            ++contested;
          }
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          return [mine, known];  // killed under our hands; perhaps it was stored
        }
      }
      return null;
    };
    submissions.push(compete('left'), compete('right'));
    await sleep(20 + Math.random() * 60);
    going = Math.random() < 0.1;
    const stopped = witness.stop('SIGKILL');
    going = false;
    const open = (await Promise.all(submissions)).filter(Boolean);
    await stopped;
    witness = await Witness.run(site);
    // What was stored and not answered is shown; it must be one of the two that were open.
    const shown = await witness.latest(log.hash);
    if (shown.status === 404) { assert.equal(roots.size, 0); continue; }
    const note = parseCheckpoint(await shown.text());
    if (note.size > entries.length) {
      const stored = open.find(([mine]) => mine.length === note.size && rootOf(leavesOf(mine)).toString('base64') === note.root);
      assert.ok(stored, 'a checkpoint nobody submitted');
      entries.push(stored[0].at(-1));
    }
    assert.equal(note.size, entries.length, 'an answered checkpoint was forgotten');
    const root = rootOf(leavesOf(entries)).toString('base64');
    assert.equal(note.root, root);
    assert.ok(!roots.has(note.size) || roots.get(note.size) === root);
    roots.set(note.size, root);
  }
  await witness.stop();
  assert.ok(answered > rounds && contested > 0, `${answered} cosigned, ${contested} contested`);
  console.log(`    ${answered} cosigned, ${contested} refused, ${rounds} kills`);
});

test('a damaged, missing or foreign state refuses to start', async () => {
  const log = new SigningLog('state.example/log', 8);
  const site = prepareWitness('state.example/w', [log.vkey]);
  const start = () => cli('witness', '--config', site.config);
  let witness = await Witness.run(site);
  assert.equal((await witness.add(log.request(0, ['a', 'b']))).status, 200);
  const second = start();
  assert.equal(second.status, 2);
  assert.match(second.stderr, /another witness runs on this folder/);
  await witness.stop();

  const stored = path.join(site.data, 'logs', log.hash);
  const files = { [stored]: readFileSync(stored), [path.join(site.data, 'known')]: readFileSync(path.join(site.data, 'known')),
    [path.join(site.data, 'witness.vkey')]: readFileSync(path.join(site.data, 'witness.vkey')) };
  for (const [file, bytes] of Object.entries(files)) {
    for (const at of [0, bytes.length >> 1, bytes.length - 2]) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 1;
      writeFileSync(file, changed);
      const refused = start();
      assert.equal(refused.status, 2, `${file} byte ${at}`);
      assert.match(refused.stderr, /gatehouse: .+/);
    }
    unlinkSync(file);
    const missing = start();
    assert.equal(missing.status, 2, `${file} removed`);
    assert.match(missing.stderr, /witness\.md/);
    writeFileSync(file, bytes);
  }
  // A checkpoint that the log signed and this witness did not cosign is not its state.
  writeFileSync(stored, log.checkpoint(1, rootOf(leavesOf(['a']))));
  assert.match(start().stderr, /has not cosigned it/);
  writeFileSync(stored, files[stored]);
  const again = cli('witness', 'init', '--config', site.config);
  assert.equal(again.status, 2);
  assert.match(again.stderr, /not empty/);
  writeFileSync(path.join(site.folder, 'secret'), 'another secret, long enough to be one');
  assert.match(start().stderr, /belongs to the witness/);
  writeFileSync(path.join(site.folder, 'secret'), `${site.name} `.repeat(32));

  witness = await Witness.run(site);
  assert.equal((await witness.add(log.request(2, ['a', 'b', 'c']))).status, 200, 'as it was, it goes on');
  await witness.stop();
});

// A ledger that the witness knows up to some size, and a copy of it from before that.
async function clonedSite(name) {
  let witness = await startedWitness(name, [stranger.vkey]);
  const site = prepareGateway([witness.site]);
  witness = await learn(witness, [logKey(site)]);
  let gateway = await Gateway.run(site);
  await calls(gateway, 2);
  await until(() => witnessed(site), 'a cosigned checkpoint');
  await gateway.stop();
  const older = path.join(site.folder, 'older');
  cpSync(site.data, older, { recursive: true, filter: (source) => !source.endsWith('.sock') });
  gateway = await Gateway.run(site);
  await calls(gateway, 10);
  await until(() => sizeOf(path.join(site.ledger, 'checkpoint')) > 20 && sizeOf(witnessedFile(site)) > 20, 'the witness to know more', 15_000);
  await gateway.stop();
  // The newer ledger is gone; the older one is put back, with its memory of what was signed.
  rmSync(site.data, { recursive: true });
  cpSync(older, site.data, { recursive: true });
  return { witness, site };
}

test('an older ledger does not start: its witness knows more', async () => {
  const { witness, site } = await clonedSite('older.example/w');
  const size = sizeOf(path.join(site.ledger, 'checkpoint'));
  const refused = cli('serve', '--config', site.config);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /log\.rolled_back/);
  assert.match(refused.stderr, /signature of this log's own key/);
  assert.match(refused.stderr, /docs\/witness\.md/);
  assert.equal(sizeOf(path.join(site.ledger, 'checkpoint')), size, 'nothing was appended');
  // The command line does not go on from it either.
  assert.notEqual(cli('key', 'create', '--config', site.config, '--principal', 'user:eve').status, 0);
  await witness.stop();
});

test('a witness that cannot be asked: started with a warning, or not at all', async () => {
  const { witness, site } = await clonedSite('away.example/w');
  await witness.stop();
  setWitnesses(site, [witness.site], ', witness_required: true');
  const refused = cli('serve', '--config', site.config);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /witness_required/);
  setWitnesses(site, [witness.site]);

  // It starts, and the witness, back again, finds that fewer entries are there than it knows.
  const gateway = await Gateway.run(site);
  assert.equal(gateway.logs('witnesses: started without a quorum, so nobody says whether the ledger is the newest').length, 1);
  const back = await Witness.run(witness.site);
  const raised = await until(() => gateway.entries(['--type', 'incident.raised'])[0], 'an incident', 20_000);
  assert.equal(raised.data.kind, 'log.rolled_back');
  assert.equal(raised.data.details.witness, 'w0');
  assert.ok(raised.data.details.witness_size > raised.data.details.size);
  verifySignature(raised.data.details.evidence, logKey(site));
  assert.equal(await metric(gateway, 'gatehouse_witness_incidents'), 1);
  assert.equal(gateway.logs('incident: a witness contradicts the ledger or refuses it').length, 1);
  await gateway.stop();
  await back.stop();
});

test('a fork raises an incident with the proof of it', async () => {
  const { witness, site } = await clonedSite('fork.example/w');
  const known = parseCheckpoint(await (await witness.latest(new SigningLog('example.com/gatehouse-e2e').hash)).text());
  await witness.stop();
  const gateway = await Gateway.run(site);
  await calls(gateway, 20);
  await until(() => sizeOf(path.join(site.ledger, 'checkpoint')) > known.size, 'more entries than the witness knows');
  const back = await Witness.run(witness.site);
  const raised = await until(() => gateway.entries(['--type', 'incident.raised'])[0], 'an incident', 20_000);
  assert.equal(raised.data.kind, 'log.forked');
  assert.equal(raised.data.details.status, 422);
  assert.equal(raised.data.details.witness_size, known.size);
  assert.equal(raised.data.details.witness_root, known.root);
  assert.notEqual(raised.data.details.root_there, known.root);
  // Two statements of one key that contradict each other: this is the proof.
  verifySignature(raised.data.details.evidence, logKey(site));
  await calls(gateway, 2);
  await sleep(1_500);
  assert.equal(gateway.entries(['--type', 'incident.raised']).length, 1, 'raised once');
  await gateway.stop();
  // And it does not start again.
  const refused = cli('serve', '--config', site.config);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /log\.forked/);
  await back.stop();
});

test('a witness that does not know the log: an incident, and the gateway goes on', async () => {
  const witness = await startedWitness('refusing.example/w', [stranger.vkey]);
  const site = prepareGateway([witness.site]);
  const gateway = await Gateway.run(site);
  const raised = await until(() => gateway.entries(['--type', 'incident.raised'])[0], 'an incident', 10_000);
  assert.equal(raised.data.kind, 'witness.refused');
  assert.equal(raised.data.details.status, 404);
  assert.equal((await gateway.chat('gpt-echo', 'still here')).status, 200);
  assert.equal(witnessed(site), null);
  await gateway.stop();
  await witness.stop();
});

test('a policy that cannot work is refused before anything starts', () => {
  const site = Gateway.prepare({ simulator, directory: folder(), only: ['gpt-echo'] });
  const witness = prepareWitness('nobody.example/w', [stranger.vkey]);
  const check = (policy) => {
    setWitnesses(site, [{ key: witness.key, port: 1 }]);
    writeFileSync(site.policy, policy);
    return cli('config', 'check', '--config', site.config);
  };
  assert.match(check('quorum w0\n').stderr, /witnesses\.policy:1: .*defined above/);
  assert.match(check(`witness w0 ${witness.key}\nquorum w0\n`).stderr, /needs a URL/);
  assert.match(check(`witness w0 ${witness.key} nonsense\nquorum w0\n`).stderr, /URL of witness w0/);
  assert.equal(check(`witness w0 ${witness.key} http://127.0.0.1:1\nquorum w0\n`).status, 0);
  writeFileSync(site.policy, `log ${stranger.vkey}\nwitness w0 ${witness.key} http://127.0.0.1:1\nquorum w0\n`);
  const refused = cli('serve', '--config', site.config);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /not the one of this gateway: add "log example\.com/);
});
