// Receipts for callers: with the official clients, checked by our own command line and by the
// program of tests/interop that shares no line with ours. And the log the gateway serves.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { buildVerifier, runVerifier } from '../interop/verifier.mjs';
import { Gateway, Simulator, cli, createKey, secrets, sleep, succeed, until } from './harness.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-receipts-'));
const verifier = buildVerifier(folder);
const noGo = verifier ? false : 'no Go 1.19 or newer';

let simulator, gateway, logKey;
before(async () => {
  simulator = await Simulator.start();
  const site = Gateway.prepare({ simulator });
  writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('ledger: {origin: example.com/gatehouse-e2e}',
    'ledger: {origin: example.com/gatehouse-e2e, serve: {listen: "127.0.0.1:0", prefix: /log, entries: true}, receipts: {readers: ["service:audit"]}}'));
  gateway = await Gateway.run(site);
  logKey = gateway.logs('listening')[0].ledger;
});
after(async () => { await gateway?.finish(); await simulator?.stop(); rmSync(folder, { recursive: true, force: true }); });

const receipt = (id, query = '?wait=5s', key = gateway.key, headers = {}) =>
  fetch(`${gateway.url}/v1/receipts/${id}${query}`, { headers: { authorization: `Bearer ${key}`, ...headers } });
const idOf = (response) => response.headers.get('gatehouse-entry');
const check = (file, ...more) => cli('audit', 'check', file, '--key', logKey, ...more);

let files = 0;
function save(text, suffix = '.json') {
  const file = path.join(folder, `${++files}${suffix}`);
  writeFileSync(file, text);
  return file;
}

// A receipt in JSON as what tlog-proof has: files of proofs with their entries beside them.
function unpack(receipts) {
  const to = path.join(folder, `unpacked-${++files}`);
  mkdirSync(to);
  receipts.flatMap((one) => [one, one.outcome]).filter(Boolean).forEach((one, at) => {
    writeFileSync(path.join(to, `${at}.tlog-proof`), one.proof);
    writeFileSync(path.join(to, `${at}.entry.json`), one.entry);
  });
  return to;
}
async function verifyWithGo(receipts) {
  const { status, text } = await runVerifier(verifier, '-key', logKey, '-receipts', unpack(receipts));
  assert.equal(status, 0, text);
  return text;
}

test('the official OpenAI client gets the receipt of its call', async () => {
  const client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 2 });
  const { response } = await client.chat.completions.create(
    { model: 'gpt-echo', messages: [{ role: 'user', content: 'prove it' }] }).withResponse();
  const made = await client.get(`/receipts/${idOf(response)}`, { query: { wait: '5s' } });
  assert.equal(made.id, idOf(response));
  assert.equal(JSON.parse(made.entry).type, 'request.decided');
  assert.equal(JSON.parse(made.outcome.entry).type, 'request.completed');
  assert.equal(JSON.parse(made.outcome.entry).data.decision, made.id);
  const checked = succeed(check(save(JSON.stringify(made))));
  assert.match(checked.stdout, /^ok: the entry in it is entry \d+ of example\.com\/gatehouse-e2e[^]*^ok: the outcome in it is entry/m);
});

test('the official Anthropic client gets the receipt of its stream', async () => {
  const client = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url, maxRetries: 2 });
  const { data, response } = await client.messages.create({ model: 'claude-echo', max_tokens: 100, stream: true,
    messages: [{ role: 'user', content: 'one two three' }] }).withResponse();
  for await (const event of data) assert.ok(event.type);
  const made = await client.get(`/v1/receipts/${idOf(response)}`, { query: { wait: '5s' } });
  assert.equal(JSON.parse(made.outcome.entry).data.decision, idOf(response));
  succeed(check(save(JSON.stringify(made))));
});

test('the clients ask again by themselves until it is there', async () => {
  // Without a wait nobody asks for a checkpoint; the next regular one is at most a second away.
  const client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 4 });
  const { response } = await client.chat.completions.create(
    { model: 'gpt-echo', messages: [{ role: 'user', content: 'later' }] }).withResponse();
  const made = await client.get(`/receipts/${idOf(response)}`);
  assert.equal(made.id, idOf(response));
});

test('as text it is a C2SP tlog-proof', async () => {
  const id = idOf(await gateway.chat('gpt-echo', 'as text'));
  const response = await receipt(id);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(response.headers.get('cache-control'), 'private, no-store');
  assert.equal(idOf(response), id);
  const text = await response.text();
  assert.ok(text.startsWith('c2sp.org/tlog-proof@v1\nindex '));
  const file = save(text, '.tlog-proof');
  const entry = succeed(cli('audit', 'show', gateway.ledger, id, '--json')).stdout;
  const json = await (await receipt(id, '?format=json')).json();
  assert.deepEqual(JSON.parse(json.entry), JSON.parse(entry).entry);
  writeFileSync(file.replace('.tlog-proof', '.entry.json'), json.entry);
  succeed(check(file));
});

test('the recorded request and answer, and nothing else, are recognised', async () => {
  const body = JSON.stringify({ model: 'gpt-echo', messages: [{ role: 'user', content: 'the very words' }] });
  for (const stream of [false, true]) {
    const sent = stream ? body.replace('{', '{"stream":true,') : body;
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: gateway.headers(), body: sent });
    const got = Buffer.from(await response.arrayBuffer());
    const id = idOf(response);
    const file = save(await (await receipt(id, '?wait=5s&format=json')).text());
    const salt = (which, of = id) => succeed(cli('audit', 'salt', of, '--which', which, '--config', gateway.config)).stdout.trim();
    const held = (content, which) => check(file, '--content', save(content), '--salt', salt(which), '--which', which);
    assert.match(succeed(held(sent, 'request')).stdout, /is the request that was recorded, to the byte/);
    assert.match(succeed(held(got, 'answer')).stdout, /is the answer that was recorded, to the byte/);
    assert.equal(held(`${sent} `, 'request').status, 1);
    assert.equal(held(sent.replace('words', 'wordz'), 'request').status, 1);
    assert.equal(held(sent, 'answer').status, 1);
    assert.notEqual(salt('request'), salt('answer'));
    // The outcome's id leads to the same salt; without a content there is none.
    assert.equal(salt('answer', JSON.parse(readFileSync(file, 'utf8')).outcome.id), salt('answer'));
    assert.equal(check(file, '--content', file).status, 2);
  }
  assert.equal(cli('audit', 'salt', '0', '--config', gateway.config).status, 2, 'that is not a call');
});

test('a forged receipt does not check', async () => {
  const made = await (await receipt(idOf(await gateway.chat('gpt-echo', 'forge me')), '?wait=5s&format=json')).json();
  const forged = [
    { ...made, entry: made.entry.replace('permit', 'forbid') },
    { ...made, proof: made.proof.replace(/index \d+/, 'index 0') },
    { ...made, outcome: { ...made.outcome, entry: made.outcome.entry.replace('"status":200', '"status":500') } },
    { ...made, outcome: { ...made, outcome: null } },
    { ...made, proof: undefined },
    { ...made, entry: '' },
  ];
  for (const one of forged) assert.equal(check(save(JSON.stringify(one))).status, 1, JSON.stringify(one).slice(0, 200));
  assert.equal(check(save('{"proof":')).status, 1);
  assert.equal(check(save('nothing')).status, 2, 'its entry is missing');
  succeed(check(save(JSON.stringify(made))));
});

test('a caller gets receipts of its own calls only; a reader gets all', async () => {
  const id = idOf(await gateway.chat('gpt-echo', 'mine'));
  assert.equal((await receipt(id)).status, 200);
  const other = createKey(gateway, 'user:bob').key;
  const twin = createKey(gateway, 'user:ada').key;
  const reader = createKey(gateway, 'service:audit').key;
  const foreign = await receipt(id, '?wait=2s', other);
  const unknown = await receipt('019ac1f0-8f3a-7c21-9d0e-5b6a7c8d9e0f', '', other);
  for (const response of [foreign, unknown]) {
    assert.equal(response.status, 404);
    assert.equal((await response.json()).error.code, 'entry_not_found');
    assert.equal(response.headers.get('retry-after'), null);
    // The attempt is in the ledger.
    const entry = gateway.entry(idOf(response));
    assert.equal(entry.type, 'request.refused');
    assert.equal(entry.actor.id, 'bob');
    assert.equal(entry.subject.route, 'receipts');
  }
  assert.equal((await receipt(id, '?wait=2s', twin)).status, 200, 'another key of the same principal');
  assert.equal((await receipt(id, '?wait=2s', reader)).status, 200);
  const anybody = await fetch(`${gateway.url}/v1/receipts/${id}`);
  assert.equal(anybody.status, 401);
  assert.equal(gateway.entry(idOf(anybody)).data.problem, 'unauthenticated');
});

test('refused calls have receipts too', async () => {
  const responses = [await gateway.chat('gpt-echo', secrets.awsKey()), await gateway.chat('gpt-unknown', 'x'),
    await fetch(`${gateway.url}/v1/nothing`, { headers: gateway.headers() }), await gateway.script({ status: 500 })];
  for (const response of responses) {
    await response.text();
    assert.notEqual(response.status, 200);
    const made = await receipt(idOf(response), '?wait=5s&format=json');
    // Nothing is known of who called before the key is looked at.
    if (response.status === 404 && made.status === 404) continue;
    assert.equal(made.status, 200, `${response.status}: ${await made.clone().text()}`);
    succeed(check(save(await made.text())));
  }
});

test('waiting: at once, for a while, and not for ever', async () => {
  const still = Gateway.prepare({ simulator, only: ['gpt-echo', 'claude-echo'] });
  writeFileSync(still.config, readFileSync(still.config, 'utf8')
    .replace('ledger: {', 'ledger: {checkpoint_interval: 1m, '));
  const slow = await Gateway.run(still);
  const ask = (id, query, headers = slow.headers()) => fetch(`${slow.url}/v1/receipts/${id}${query}`, { headers });
  try {
    const id = idOf(await slow.chat('gpt-echo', 'x'));
    const pending = await ask(id, '');
    assert.equal(pending.status, 404);
    assert.equal(pending.headers.get('retry-after'), '1');
    assert.equal(pending.headers.get('x-should-retry'), 'true');
    assert.equal((await pending.json()).error.code, 'receipt_pending');
    const dialect = await ask(id, '', slow.anthropicHeaders());
    const body = await dialect.json();
    assert.equal(body.type, 'error');
    assert.equal(body.error.type, 'not_found_error');
    // Whoever waits gets one although the interval is a minute.
    const begin = Date.now();
    assert.equal((await ask(id, '?wait=5s')).status, 200);
    assert.ok(Date.now() - begin < 2_000, `${Date.now() - begin} ms`);
    assert.equal((await ask(id, '')).status, 200, 'covered from then on');
    for (const query of ['?wait=11s', '?wait=1', '?wait=-1s', '?format=xml', '?x=1'])
      assert.equal((await ask(id, query)).status, 400, query);
    assert.equal((await ask('nothing', '')).status, 400);
    assert.equal((await fetch(`${slow.url}/v1/receipts/${id}`, { method: 'POST', headers: slow.headers(), body: '{}' })).status, 405);
    // An entry that is not there yet is waited for; a gateway that stops makes nobody wait.
    const young = idOf(await slow.chat('gpt-echo', 'x')).replace(/.{6}$/, '000000');
    const asked = Date.now();
    assert.equal((await ask(young, '?wait=300ms')).status, 404);
    assert.ok(Date.now() - asked >= 300);
    const waiting = ask(young, '?wait=10s');
    await sleep(200);
    const stopped = Date.now();
    const [answer] = await Promise.all([waiting, slow.stop()]);
    assert.equal(answer.status, 404);
    assert.ok(Date.now() - stopped < 5_000, `${Date.now() - stopped} ms`);
  } finally { await slow.finish(); }
});

test('in relaxed mode too', async () => {
  const relaxed = await Gateway.start({ simulator, audit: 'relaxed', only: ['gpt-echo'] });
  try {
    const id = idOf(await relaxed.chat('gpt-echo', 'x'));
    const made = await fetch(`${relaxed.url}/v1/receipts/${id}?wait=5s`, { headers: relaxed.headers() });
    assert.equal(made.status, 200);
    assert.equal(made.headers.get('gatehouse-audit'), 'relaxed');
  } finally { await relaxed.finish(); }
});

test('after a restart they are found in the log', async () => {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'] });
  const first = await Gateway.run(site);
  const ids = [];
  for (let i = 0; i < 300; ++i) {
    const response = await first.chat('gpt-echo', `call ${i}`);
    await response.text();
    ids.push(idOf(response));
  }
  await first.stop();
  const second = await Gateway.run(site);
  try {
    const key = second.logs('listening')[0].ledger;
    for (const id of ids) {
      const made = await fetch(`${second.url}/v1/receipts/${id}?format=json`, { headers: second.headers() });
      assert.equal(made.status, 200);
      const json = await made.json();
      assert.equal(json.id, id);
      assert.equal(JSON.parse(json.outcome.entry).data.decision, id);
      if (id === ids[150]) assert.equal(cli('audit', 'check', save(JSON.stringify(json)), '--key', key).status, 0);
    }
  } finally { await second.finish(); }
});

test('under load every acknowledged receipt verifies, and comes soon', async (t) => {
  const made = [];
  const calls = [];
  const waits = [];
  const until = Date.now() + 3_000;
  async function caller(number) {
    for (let i = 0; Date.now() < until; ++i) {
      const called = performance.now();
      const response = await gateway.chat('gpt-echo', `caller ${number}, call ${i}`);
      assert.equal(response.status, 200);
      await response.text();
      const begin = performance.now();
      calls.push(begin - called);
      const answer = await receipt(idOf(response), '?wait=5s&format=json');
      assert.equal(answer.status, 200);
      made.push(await answer.json());
      waits.push(performance.now() - begin);
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, number) => caller(number)));
  const at = (share, times = waits) => Math.round(times.sort((a, b) => a - b)[Math.floor((times.length - 1) * share)]);
  t.diagnostic(`${made.length} receipts; from the answer to the receipt p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ` +
    `the calls themselves p50 ${at(0.5, calls)} ms, p99 ${at(0.99, calls)} ms`);
  assert.ok(made.length > 100);
  assert.ok(made.every((one) => one.outcome !== null));
  assert.ok(at(0.99) < 1_000, `p99 ${at(0.99)} ms`);
  for (const one of made.slice(0, 5)) succeed(check(save(JSON.stringify(one))));
  if (verifier) assert.match(await verifyWithGo(made), new RegExp(`ok: ${made.length * 2} receipts`));
});

test('the log that the gateway serves verifies with another program', { skip: noGo }, async () => {
  const [{ url, entries }] = gateway.logs('the log is served');
  assert.equal(entries, true);
  const { status, text } = await until(async () => {
    const done = await runVerifier(verifier, '-url', url, '-key', logKey);
    return done.status === 0 ? done : null;
  }, 'a log that verifies');
  assert.equal(status, 0, text);
  for (const gone of ['/log.vkey', '/wal/next', '/tile/0/../../log.vkey', '/checkpoint?x'])
    assert.equal((await fetch(url + gone)).status, 404, gone);
});

test('every governed answer names its entry; the paths of the operator do not', async () => {
  const answers = [
    await gateway.chat('gpt-echo', 'x'), await gateway.chat('gpt-echo', 'x', { stream: true }),
    await gateway.messages('claude-echo', 'x', { stream: true }), await gateway.messages('claude-echo', 'x'),
    await fetch(`${gateway.url}/v1/embeddings`, { method: 'POST', headers: gateway.headers(), body: '{"model":"embed","input":"x"}' }),
    await fetch(`${gateway.url}/v1/models`, { headers: gateway.headers() }),
    await fetch(`${gateway.url}/v1/models`, { headers: gateway.anthropicHeaders() }),
    await fetch(`${gateway.url}/v1/messages/count_tokens`, { method: 'POST', headers: gateway.anthropicHeaders(), body: '{}' }),
    await fetch(`${gateway.url}/v1/chat/completions`, { method: 'PUT', headers: gateway.headers(), body: '{}' }),
    await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: gateway.headers({ 'content-encoding': 'gzip' }), body: '{}' }),
    await gateway.script({ status: 429 }), await gateway.script({ raw: ['{'], content_type: 'application/json' }),
    await fetch(`${gateway.url}/nothing`), await receipt('nothing'), await receipt('019ac1f0-8f3a-7c21-9d0e-5b6a7c8d9e0f'),
  ];
  const ids = new Set();
  for (const answer of answers) {
    await answer.arrayBuffer();
    assert.match(idOf(answer) ?? '', /^[0-9a-f-]{36}$/, `${answer.url} ${answer.status}`);
    assert.equal(gateway.entry(idOf(answer)).id, idOf(answer));
    ids.add(idOf(answer));
  }
  assert.equal(ids.size, answers.length);
  for (const place of ['/healthz', '/readyz', '/metrics'])
    assert.equal(idOf(await fetch(gateway.url + place)), null, place);
});
