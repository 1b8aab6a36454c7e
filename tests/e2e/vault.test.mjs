// Kept content: it comes back byte for byte, its digest is the one in the ledger, and after an erase
// neither it nor its salt nor its key is on the disk, while every receipt still verifies.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, cli, people, root, secrets, succeed, until } from './harness.mjs';

let simulator, gateway;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator, settings: 'vault: {log_content: all}' });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });

const idOf = (response) => response.headers.get('gatehouse-entry');
const vault = (on, ...args) => on.cli('vault', ...args);
const get = (on, id, which = 'request') => succeed(vault(on, 'get', id, '--which', which)).stdout;
const saltOf = (on, id, which = 'request') => Buffer.from(succeed(vault(on, 'get', id, '--which', which, '--salt')).stdout.trim(), 'hex');
const list = (on, ...args) => JSON.parse(succeed(vault(on, 'list', ...args, '--json')).stdout);
const sha256 = (...parts) => { const hash = createHash('sha256'); for (const part of parts) hash.update(part); return hash.digest('hex'); };
const outcomeOf = (on, id) => on.entries(['--type', 'request.completed']).find((entry) => entry.data.decision === id);
const body = (content, more = {}) => JSON.stringify({ model: 'gpt-echo', messages: [{ role: 'user', content }], ...more });
const post = (on, text, headers = {}) => fetch(`${on.url}/v1/chat/completions`, { method: 'POST', headers: on.headers(headers), body: text });

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const name = path.join(folder, item.name);
    return item.isDirectory() ? filesBelow(name) : item.isFile() ? [name] : [];
  });
}
// Names of files under the data folder that have these bytes.
// A checkpoint that is being written may be gone before it is read.
const bytesOf = (name) => { try { return readFileSync(name); } catch (error) { if (error.code === 'ENOENT') return Buffer.alloc(0); throw error; } };
const whoHas = (on, needle) => filesBelow(on.data).filter((name) => bytesOf(name).includes(needle));
const idBytes = (id) => Buffer.from(id.replaceAll('-', ''), 'hex');
// What stands in the key files for a record: key and salt, wrapped.
function slotsOf(on, id) {
  const slots = [];
  for (const name of filesBelow(path.join(on.data, 'vault/keys'))) {
    const bytes = readFileSync(name);
    for (let at = 256; at < bytes.length; at += 128)
      if (bytes.subarray(at + 12, at + 28).equals(idBytes(id))) slots.push(Buffer.from(bytes.subarray(at + 36, at + 128)));
  }
  return slots;
}

test('request and answer come back byte for byte, and are those of the ledger', async () => {
  const text = body(`Write to ${people.email} — schön,  "two  spaces"`, { user: 'x' });
  const response = await post(gateway, text);
  const answer = await response.text();
  const id = idOf(response);
  assert.equal(get(gateway, id), text);
  assert.equal(get(gateway, id, 'answer'), answer);
  const decided = gateway.entry(id).data.content;
  assert.equal(decided.kept, true);
  assert.equal(decided.sha256, sha256(saltOf(gateway, id), text));
  const completed = outcomeOf(gateway, id).data.content;
  assert.equal(completed.kept, true);
  assert.equal(completed.sha256, sha256(saltOf(gateway, id, 'answer'), answer));
  assert.deepEqual(list(gateway, id).map((record) => record.which).sort(), ['answer', 'request']);
  // Nothing of it lies anywhere in the clear, and each look is in the ledger.
  for (const needle of [people.email, 'two  spaces', saltOf(gateway, id)]) assert.deepEqual(whoHas(gateway, needle), []);
  const reads = gateway.entries(['--type', 'vault.read']).filter((entry) => entry.subject.id === id);
  assert.ok(reads.length >= 4);
  assert.match(reads[0].actor.id, /^cli:/);
});

test('a streamed answer is kept as the client got it', async () => {
  const response = await gateway.chat('gpt-echo', `Call ${people.phone} and ${people.email}`, { stream: true });
  const answer = await response.text();
  const id = idOf(response);
  assert.equal(get(gateway, id, 'answer'), answer);
  assert.equal(outcomeOf(gateway, id).data.content.sha256, sha256(saltOf(gateway, id, 'answer'), answer));
  const claude = await gateway.messages('claude-echo', 'hello there', { stream: true });
  const events = await claude.text();
  assert.equal(get(gateway, idOf(claude), 'answer'), events);
});

test('an answer beyond the limit is kept as far as it goes, and says so', async () => {
  const small = await Gateway.start({ simulator, settings: 'vault: {log_content: all}\nlimits: {answer_bytes: 4KiB}' });
  const response = await small.chat('gpt-long', 'x'.repeat(10), { stream: true });
  const answer = await response.text();
  assert.ok(answer.length > 8192, String(answer.length));
  const id = idOf(response);
  const got = vault(small, 'get', id, '--which', 'answer');
  assert.equal(got.stdout, answer.slice(0, 4096));
  assert.match(got.stderr, new RegExp(`the whole had ${Buffer.byteLength(answer)} bytes`));
  assert.equal(list(small, id).find((record) => record.which === 'answer').truncated, true);
  assert.equal(outcomeOf(small, id).data.content.bytes, Buffer.byteLength(answer));
  assert.equal(outcomeOf(small, id).data.content.sha256, sha256(saltOf(small, id, 'answer'), answer));
  await small.finish();
});

test('after an erase nothing is left, and receipts from before still verify', async () => {
  const marker = 'a sentence that nobody else says';
  const first = await post(gateway, body(`${marker} to ${people.email}`));
  await first.text();
  const id = idOf(first);
  const salts = ['request', 'answer'].map((which) => saltOf(gateway, id, which));
  const slots = slotsOf(gateway, id);
  assert.equal(slots.length, 2);
  for (const slot of slots) assert.equal(whoHas(gateway, slot).length, 1);
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-receipt-'));
  const proof = path.join(folder, 'call.tlog-proof');
  await until(() => cli('audit', 'prove', gateway.ledger, id, '-o', proof).status === 0, 'a checkpoint');
  const segments = filesBelow(path.join(gateway.data, 'vault/segments')).map((name) => [name, readFileSync(name)]);

  const erased = succeed(vault(gateway, 'erase', id, '--reason', 'she asked for it'));
  assert.match(erased.stdout, new RegExp(`erased ${id}`));

  for (const which of ['request', 'answer']) {
    const gone = vault(gateway, 'get', id, '--which', which);
    assert.equal(gone.status, 2);
    assert.match(gone.stderr, /was erased/);
  }
  for (const salt of salts) {
    assert.deepEqual(whoHas(gateway, salt), []);
    assert.deepEqual(whoHas(gateway, salt.toString('hex')), []);
  }
  for (const slot of slots) assert.deepEqual(whoHas(gateway, slot), []);
  assert.deepEqual(whoHas(gateway, marker), []);
  // The ciphertext too: what stood in the segments behind the record's frames is zeros now.
  let bodies = 0;
  for (const [name, before] of segments) {
    const now = readFileSync(name);
    for (let at = before.indexOf(idBytes(id)); at >= 0; at = before.indexOf(idBytes(id), at + 16)) {
      const length = before.readUInt32BE(at + 20);  // of what was sealed
      const begin = at + 48;
      assert.ok(before.subarray(begin, begin + length).some((byte) => byte !== 0));
      assert.ok(now.subarray(begin, begin + length).every((byte) => byte === 0));
      ++bodies;
    }
  }
  assert.equal(bodies, 2);

  const event = gateway.entries(['--type', 'vault.erased']).find((entry) => entry.data.records.includes(id));
  assert.equal(event.data.reason, 'she asked for it');
  assert.match(event.actor.id, /^cli:/);
  succeed(cli('audit', 'check', proof, '--key-file', path.join(gateway.ledger, 'log.vkey')));
  succeed(gateway.verify());
  assert.ok(list(gateway, id).every((record) => record.erased));
  assert.match(vault(gateway, 'erase', id, '--reason', 'again').stderr, /erased already/);
  rmSync(folder, { recursive: true });
});

test('people are found by what identifies them, in requests and in answers, and erased', async () => {
  const someone = ['grace.hopper', 'compilers.example.org'].join('@');
  const asked = await post(gateway, body(`about ${someone.toUpperCase()}`));
  await asked.text();
  const told = await gateway.script({ text: `ask ${someone}` }, { stream: true });
  await told.text();
  const whole = await gateway.script({ text: `ask ${someone}, again` });
  await whole.text();
  const other = await post(gateway, body('about nobody'));
  await other.text();
  const found = succeed(vault(gateway, 'find', someone)).stdout.trim().split('\n');
  assert.deepEqual(found.sort(), [idOf(asked), idOf(told), idOf(whole)].sort());
  assert.deepEqual(whoHas(gateway, someone), []);
  const done = succeed(vault(gateway, 'erase', '--subject', someone, '--reason', 'article 17'));
  assert.equal(done.stdout.trim().split('\n').length, 3);
  assert.equal(succeed(vault(gateway, 'find', someone)).stdout, '');
  assert.equal(vault(gateway, 'get', idOf(told), '--which', 'answer').status, 2);
  assert.ok(get(gateway, idOf(other)).includes('nobody'));
  const event = gateway.entries(['--type', 'vault.erased']).at(-1);
  assert.equal(event.data.records.length, 3);
  assert.match(event.data.subject_hash, /^[0-9a-f]{32}$/);
});

test('a hold is honoured until it is released, and the attempt is recorded', async () => {
  const response = await post(gateway, body(`about ${people.phone}`));
  await response.text();
  const id = idOf(response);
  for (const target of [[id], ['--subject', people.phone]]) {
    const { hold } = JSON.parse(succeed(vault(gateway, 'hold', ...target, '--reason', 'case 12', '--json')).stdout);
    assert.match(succeed(vault(gateway, 'holds')).stdout, /case 12/);
    assert.equal(list(gateway, id).every((record) => record.held), true);
    const refused = vault(gateway, 'erase', id, '--reason', 'please');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /under a legal hold/);
    assert.equal(gateway.entries(['--type', 'vault.refused']).at(-1).data.records[0], id);
    assert.ok(get(gateway, id).includes(people.phone));
    succeed(vault(gateway, 'release', hold, '--reason', 'case closed'));
    assert.equal(gateway.entries(['--type', 'vault.held']).at(-1).data.hold, hold);
    assert.equal(gateway.entries(['--type', 'vault.released']).at(-1).data.hold, hold);
  }
  assert.match(vault(gateway, 'hold', id).stderr, /--reason/);
  succeed(vault(gateway, 'erase', id, '--reason', 'now'));
});

test('flagged keeps what inspection found something in, and what was forbidden; policy has the last word', async () => {
  const policies = mkdtempSync(path.join(tmpdir(), 'gatehouse-policies-'));
  cpSync(path.join(root, 'policies'), policies, { recursive: true });
  const when = (team) => `(principal, action == Gatehouse::Action::"infer", resource) when { principal has team && principal.team == "${team}" };`;
  writeFileSync(path.join(policies, '50-tests.cedar'),
    `@id("keep-all") @log_content("all") permit ${when('keep')}\n@id("keep-nothing") @log_content("none") permit ${when('discreet')}\n`);
  const site = Gateway.prepare({ simulator, settings: `policies: ${policies}\nvault: {log_content: flagged, routes: {embeddings: none}}` });
  const keyOf = (team) => JSON.parse(succeed(cli('key', 'create', '--config', site.config, '--principal', `user:${team}`, '--attribute', `team=${team}`, '--json')).stdout).key;
  const as = (team) => ({ headers: { authorization: `Bearer ${keys[team]}` } });
  const keys = { keep: keyOf('keep'), discreet: keyOf('discreet') };
  const on = await Gateway.run(site);
  const kept = async (response) => {
    await response.text();
    const found = vault(on, 'list', idOf(response), '--json');
    return found.status === 0 ? JSON.parse(found.stdout).map((record) => record.which).sort() : [];
  };
  assert.deepEqual(await kept(await on.chat('gpt-echo', 'nothing special')), []);
  assert.deepEqual(await kept(await on.chat('gpt-echo', 'nothing special', { stream: true })), []);
  assert.deepEqual(await kept(await on.chat('gpt-echo', `to ${people.email}`)), ['answer', 'request']);
  assert.deepEqual(await kept(await on.chat('gpt-echo', `to ${people.email}`, { stream: true })), ['answer', 'request']);
  const forbidden = await on.chat('gpt-echo', secrets.awsKey());
  assert.equal(forbidden.status, 403);
  assert.deepEqual(await kept(forbidden), ['request']);
  // Found only in the answer: the answer is kept.
  const at = people.email.indexOf('@');
  const hidden = JSON.stringify({ chunks: [people.email.slice(0, at), people.email.slice(at)] });
  assert.deepEqual(await kept(await on.chat('gpt-script', hidden)), ['answer']);
  assert.deepEqual(await kept(await on.chat('gpt-echo', 'nothing special', {}, as('keep'))), ['answer', 'request']);
  assert.deepEqual(await kept(await on.chat('gpt-echo', `to ${people.email}`, {}, as('discreet'))), []);
  const quiet = await on.chat('gpt-echo', `to ${people.email}`, {}, as('discreet'));
  await quiet.text();
  assert.equal(on.entry(idOf(quiet)).data.content.kept, undefined);
  assert.deepEqual(await kept(await fetch(`${on.url}/v1/embeddings`, { method: 'POST', headers: on.headers(), body: JSON.stringify({ model: 'embed', input: people.email }) })), []);
  assert.match(succeed(cli('policy', 'check', policies)).stdout, /no errors/);
  await on.finish();
  rmSync(policies, { recursive: true });
});

test('nothing is kept unless somebody says so', async () => {
  const plain = await Gateway.start({ simulator });
  const response = await plain.chat('gpt-echo', `to ${people.email}`);
  await response.text();
  assert.equal(vault(plain, 'list', idOf(response)).status, 2);
  assert.deepEqual(list(plain), []);
  assert.equal(filesBelow(path.join(plain.data, 'vault/segments')).length, 0);
  await plain.finish();
});

test('what was acknowledged survives kill -9, and what was erased stays so', async () => {
  const site = Gateway.prepare({ simulator, settings: 'vault: {log_content: all, segment_bytes: 1MiB}' });
  const known = new Map();
  const erased = [];
  for (let life = 0; life < 3; ++life) {
    const on = await Gateway.run(site);
    let alive = true;
    const caller = async (name) => {
      for (let call = 0; alive; ++call) {
        const text = body(`life ${life} caller ${name} call ${call} ${'y'.repeat(call * 31 % 3000)}`);
        try {
          const response = await post(on, text);
          const answer = await response.text();
          if (response.status === 200) known.set(idOf(response), { text, answer });
        } catch { return; }
      }
    };
    const callers = [0, 1, 2, 3].map(caller);
    await until(() => known.size > (life + 1) * 60, 'calls', 20_000);
    const victim = [...known.keys()][life * 7];
    succeed(vault(on, 'erase', victim, '--reason', 'test'));
    known.delete(victim);
    erased.push(victim);
    on.signal('SIGKILL');
    alive = false;
    await Promise.all(callers);
    await on.stop('SIGKILL');
  }
  const on = await Gateway.run(site);
  const ids = [...known.keys()];
  for (const id of ids.filter((_, at) => at % Math.ceil(ids.length / 40) === 0)) {
    assert.equal(get(on, id), known.get(id).text);
    assert.equal(get(on, id, 'answer'), known.get(id).answer);
  }
  const present = new Set(list(on, '-n', '10000').filter((record) => !record.erased).map((record) => `${record.record} ${record.which}`));
  for (const id of ids) for (const which of ['request', 'answer']) assert.ok(present.has(`${id} ${which}`), `${id} ${which}`);
  for (const id of erased) assert.equal(vault(on, 'get', id).status, 2);
  succeed(on.verify());
  await on.finish();
});

test('a new vault key, at start and while it runs; the old one is not needed afterwards', async () => {
  const site = Gateway.prepare({ simulator, settings: 'vault: {log_content: all}' });
  const keys = { FIRST: 'a first vault key of more than 32 bytes', SECOND: 'a second vault key of more than 32 bytes' };
  Object.assign(process.env, keys);
  const settings = (text) => writeFileSync(site.config, readFileSync(site.config, 'utf8').replace(/vault: .*/, `vault: {log_content: all${text}}`));
  let on = await Gateway.run(site);
  const response = await post(on, body('under the derived key'));
  await response.text();
  const id = idOf(response);
  await on.stop();

  settings(', key: {env: FIRST}');
  on = await Gateway.run(site);
  assert.ok(get(on, id).includes('under the derived key'));
  assert.ok(on.entries(['--type', 'vault.rewrapped']).at(-1).data.count >= 2);

  settings(', key: {env: SECOND}, old_key: {env: FIRST}');
  assert.match(succeed(vault(on, 'rewrap')).stdout, /^2 records/);
  assert.ok(get(on, id).includes('under the derived key'));
  const next = await post(on, body('under the second key'));
  await next.text();
  await on.stop();

  settings(', key: {env: FIRST}');
  await assert.rejects(Gateway.run(site), /vault\.old_key/);
  settings(', key: {env: SECOND}');
  on = await Gateway.run(site);
  assert.ok(get(on, id).includes('under the derived key'));
  assert.ok(get(on, idOf(next)).includes('under the second key'));
  await on.finish();
});

test('the commands work while no gateway runs', async () => {
  const site = Gateway.prepare({ simulator, settings: 'vault: {log_content: all}' });
  let on = await Gateway.run(site);
  const response = await post(on, body('at night'));
  await response.text();
  await on.stop();
  assert.ok(get(on, idOf(response)).includes('at night'));
  succeed(vault(on, 'erase', idOf(response), '--reason', 'test'));
  on = await Gateway.run(site);
  assert.equal(vault(on, 'get', idOf(response)).status, 2);
  const metrics = await (await fetch(`${on.url}/metrics`)).text();
  assert.match(metrics, /gatehouse_vault_records 2/);
  await on.finish();
});

test('a vault that is full lets nothing through that must be kept, and says why', async () => {
  const on = await Gateway.start({ simulator, settings: 'vault: {log_content: all, max_bytes: 16MiB, segment_bytes: 1MiB}\nlimits: {body_bytes: 32MiB}' });
  const large = 'z'.repeat(3 << 20);
  let response;
  for (let call = 0; call < 8; ++call) {
    response = await on.chat('gpt-echo', large);
    if (response.status !== 200) break;
    await response.text();
  }
  assert.equal(response.status, 503);
  const problem = await response.json();
  assert.equal(problem.error.code, 'vault_unavailable');
  assert.match(problem.error.message, /vault cannot take it/);
  assert.equal(response.headers.get('retry-after'), '1');
  const refused = on.entry(idOf(response));
  assert.ok(['request.refused', 'request.decided'].includes(refused.type));
  assert.ok(on.logs('the vault refused a record')[0].error.includes('vault.max_bytes'));
  const small = await on.chat('gpt-echo', 'small');
  assert.equal(small.status, 200);
  await on.finish();
});

test('settings that cannot be are refused', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-settings-'));
  const file = path.join(folder, 'gatehouse.yaml');
  writeFileSync(file, 'vault:\n  log_content: some\n  routes: {nowhere: all, messages: most}\n  retention: 1h\n  key: {env: SHORT}\n');
  process.env.SHORT = 'short';
  const { status, stdout, stderr } = cli('config', 'check', '--config', file);
  assert.equal(status, 1);
  for (const word of ['log_content', 'no such route', 'none, flagged or all', 'retention', '32 bytes'])
    assert.ok((stdout + stderr).includes(word), `${word} in ${stdout}${stderr}`);
  rmSync(folder, { recursive: true });
});
