// Did this text come from us? With the official client: ask, take a part of the answer elsewhere, find it
// again, and check the proof of where it came from.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { Gateway, Simulator, createKey, cli, people, readEvents, root, succeed } from './harness.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-provenance-'));
const policies = path.join(folder, 'policies');
cpSync(path.join(root, 'policies'), policies, { recursive: true });
writeFileSync(path.join(policies, '60-links.cedar'), ['redact', 'block'].map((action) => `
@id("links-${action}") @check("links:${action}") permit (principal, action == Gatehouse::Action::"infer", resource)
when { principal has team && principal.team == "${action}" };`).join(''));
let simulator, site, gateway;
const keys = {};
before(async () => {
  simulator = await Simulator.start();
  site = Gateway.prepare({ simulator, settings: `policies: ${policies}
checks: [{name: links, type: links, allow_hosts: [example.com], hold: sentence}]` });
  for (const team of ['redact', 'block'])
    keys[team] = JSON.parse(succeed(cli('key', 'create', '--config', site.config, '--principal', `user:${team}`,
      '--attribute', `team=${team}`, '--json')).stdout).key;
  gateway = await Gateway.run(site);
});
after(async () => { await gateway?.finish(); await simulator?.stop(); rmSync(folder, { recursive: true, force: true }); });

// Prose nobody else has: words by number, the same for the same seed.
function prose(seed, count) {
  const words = [];
  for (let at = 0, state = seed; at < count; at++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    words.push(['ship', 'quiet', 'river', 'under', 'glass', 'tower', 'seven', 'amber', 'walk', 'stone'][state % 10] + 'aeiouy'[(state >> 8) % 6] + 'nrstlm'[(state >> 12) % 6]);
  }
  return words.join(' ');
}
const part = (text, from, count) => text.split(' ').slice(from, from + count).join(' ');
const idOf = (response) => response.headers.get('gatehouse-entry');
const find = (text, { key = gateway.key, ...more } = {}) => fetch(`${gateway.url}/v1/provenance/find`, { method: 'POST',
  headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ text, ...more }) });
function save(name, text) { const file = path.join(folder, name); writeFileSync(file, text); return file; }
// The outcome that belongs to a decision.
const outcome = (id) => gateway.entries(['--type', 'request.completed']).find((entry) => entry.data.decision === id);

test('a part of an answer is found in another text, with its proof', async () => {
  const client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1` });
  const said = prose(1, 200);
  const { data, response } = await client.chat.completions.create(
    { model: 'gpt-echo', messages: [{ role: 'user', content: said }] }).withResponse();
  const quoted = `${prose(2, 80)} ${part(data.choices[0].message.content, 60, 50)} ${prose(3, 70)}`;
  const reply = await find(quoted);
  assert.equal(reply.status, 200, await reply.clone().text());
  const { words, matches } = await reply.json();
  assert.equal(words, 200);
  assert.equal(matches.length, 1);
  const [match] = matches;
  assert.equal(match.entry, idOf(response));
  assert.equal(match.model, 'gpt-echo');
  assert.equal(match.kind, 'excerpt');
  assert.equal(match.choice, 0);
  assert.ok(Math.abs(match.covered - 0.25) < 0.05, String(match.covered));
  // The proof is a receipt like any other.
  const proof = save('proof.tlog-proof', match.proof);
  const whole = await fetch(`${gateway.url}${match.receipt}?wait=5s&format=json`, { headers: gateway.headers() });
  const receipt = await whole.json();
  save('proof.entry.json', receipt.entry);
  const logKey = gateway.logs('listening')[0].ledger;
  succeed(cli('audit', 'check', proof, '--key', logKey));
  // The event says what was noted, and what the answer is.
  const event = JSON.parse(receipt.outcome.entry);
  assert.equal(event.label.origin, 'ai');
  assert.equal(event.data.provenance.outputs.length, 1);
  assert.equal(event.data.provenance.outputs[0].words, 200);
  assert.match(event.data.provenance.outputs[0].fingerprint, /^[0-9a-f]{64}$/);
});

test('a rewrite is found, another text is not', async () => {
  const said = prose(11, 200);
  const id = idOf(await gateway.chat('gpt-echo', said));
  const other = prose(12, 200).split(' ');
  const rewritten = said.split(' ').map((word, at) => (at % 5 < 2 ? other[at] + at : word)).join(' ');
  const { matches } = await (await find(rewritten)).json();
  assert.equal(matches[0]?.entry, id);
  // The vocabulary of prose() is small; a text about something else has its own.
  const another = part(readFileSync(path.join(root, 'docs/witness.md'), 'utf8').split(/\s+/).join(' '), 40, 200);
  assert.deepEqual((await (await find(another)).json()).matches, []);
});

test('streams are noted as the client gets them, in both dialects', async () => {
  for (const [seed, call] of [[21, 'chat'], [22, 'messages']]) {
    const said = prose(seed, 120);
    const response = await gateway[call](call === 'chat' ? 'gpt-echo' : 'claude-echo', said, { stream: true });
    await readEvents(response);
    const { matches } = await (await find(part(said, 30, 50))).json();
    assert.equal(matches[0]?.entry, idOf(response), call);
    assert.equal(outcome(idOf(response)).data.provenance.outputs[0].words, 120);
  }
});

// What clients put together from an answer.
async function received(call, model, content, { stream, key = gateway.key }) {
  const response = await gateway[call](model, content, { stream }, { headers: { authorization: `Bearer ${key}`, 'x-api-key': key } });
  if (!stream) {
    const body = await response.json();
    return { id: idOf(response), text: call === 'chat' ? body.choices[0].message.content : body.content[0].text };
  }
  const pieces = (await readEvents(response)).map(({ data }) => (call === 'chat' ? data.choices?.[0]?.delta?.content : data.delta?.text) ?? '');
  return { id: idOf(response), text: pieces.join('') };
}

for (const stream of [false, true]) {
  for (const [call, name] of [['chat', 'gpt'], ['messages', 'claude']]) {
    test(`what is noted is what the client gets (${call}${stream ? ', streamed' : ''})`, async () => {
      const noted = async ({ id, text }) => {
        const found = await (await find(text)).json();
        assert.equal(found.matches[0]?.entry, id);
        assert.ok(found.matches[0].covered > 0.95, String(found.matches[0].covered));
        assert.equal(outcome(id).data.provenance.outputs[0].words, found.words);
      };
      const seed = 40 + 2 * call.length + stream;
      // Restored: the model never saw the address, which has more words than its placeholder.
      const mails = Array.from({ length: 20 }, (_, at) => `${prose(seed + 100 * at, 3)} ${people.email.replace('@', `.${at}x@`)}`).join(' ');
      const echoed = await received(call, `${name}-echo`, mails, { stream });
      assert.equal(echoed.text, mails);
      await noted(echoed);
      // Taken out by a check: the link has words of its own.
      const before = prose(seed + 3000, 60), after = prose(seed + 4000, 60);
      const answer = { chunks: [`${before}. See https://evil.example/p?steal`, `=${'x'.repeat(40)} now. `, `${after}.`] };
      const cut = await received(call, `${name}-script`, JSON.stringify(answer), { stream, key: keys.redact });
      assert.ok(cut.text.includes('[REMOVED]') && !cut.text.includes('evil'), cut.text);
      const { data: { provenance } } = outcome(cut.id);
      const own = await (await find(cut.text, { key: keys.redact })).json();
      assert.equal(provenance.outputs[0].words, own.words);
      assert.ok(own.matches[0].covered > 0.95, String(own.matches[0].covered));
    });
  }
}

test('of a stream that is refused on its way what was sent is noted, and nothing else', async () => {
  const sent = prose(71, 60), never = prose(72, 60);
  const answer = { chunks: [`${sent}. `, `${sent.toUpperCase()}. `, `See https://evil.example/p?steal=${'x'.repeat(40)} now. `, `${never}.`], pace_ms: 100 };
  const { id, text } = await received('chat', 'gpt-script', JSON.stringify(answer), { stream: true, key: keys.block });
  assert.ok(text.startsWith(sent) && !text.includes('evil') && !text.includes(never), text);
  const found = await (await find(text, { key: keys.block })).json();
  assert.equal(found.matches[0]?.entry, id);
  assert.equal(outcome(id).data.provenance.outputs[0].words, found.words);
});

test('a match is for the one whose call it was', async () => {
  const stranger = createKey(gateway, 'user:bob').key;
  const said = prose(31, 120);
  await gateway.chat('gpt-echo', said);
  assert.equal((await (await find(said)).json()).matches.length, 1);
  const reply = await (await find(said, { key: stranger })).json();
  assert.deepEqual(reply.matches, []);
  assert.equal(reply.covered, 0);
  assert.equal((await find(said, { key: 'gh-nobody' })).status, 401);
});

test('short answers are nobody\'s, and bad requests are refused', async () => {
  const id = idOf(await gateway.chat('gpt-echo', prose(41, 12)));
  assert.equal(outcome(id).data.provenance, undefined);
  assert.equal(outcome(id).label.origin, 'ai');
  assert.equal((await find(7)).status, 400);
  assert.equal((await find('text', { top: 0 })).status, 400);
  assert.equal((await fetch(`${gateway.url}/v1/provenance/find`, { headers: gateway.headers() })).status, 405);
});

test('marks of other texts are read and left as they are', async () => {
  const marked = `A report. <!-- -----BEGIN C2PA MANIFEST----- https://example.com/m -----END C2PA MANIFEST----- -->`;
  await simulator.clear();
  const id = idOf(await gateway.chat('gpt-echo', marked));
  assert.ok((await simulator.received()).includes('BEGIN C2PA MANIFEST'));
  const entry = gateway.entry(id);
  assert.deepEqual(entry.data.marks, ['c2pa']);
  assert.equal(entry.label.origin, 'mixed');  // a person's words and a model's
  succeed(cli('audit', 'replay', gateway.ledger, id));
});

test('the command line finds, beside a gateway and after kill -9 without one', async () => {
  const said = prose(51, 150);
  const id = idOf(await gateway.chat('gpt-echo', said));
  const file = save('quoted.txt', part(said, 40, 60));
  const found = () => {
    const result = JSON.parse(succeed(gateway.cli('provenance', 'find', file, '--json')).stdout);
    assert.equal(result.matches[0].entry, id);
  };
  found();
  await gateway.stop('SIGKILL');
  found();
  assert.match(succeed(gateway.cli('provenance', 'check')).stdout, /^ok: .* 0 of the ledger's are not in the journal/);
  gateway = await Gateway.run(site);
  found();
  const checked = JSON.parse(succeed(gateway.cli('provenance', 'check', '--json')).stdout);
  assert.equal(checked.missing, 0);
  assert.ok(checked.recorded >= 5);
  const status = JSON.parse(succeed(gateway.cli('provenance', 'status', '--json')).stdout);
  assert.equal(status.outputs, checked.outputs);
  const nothing = gateway.cli('provenance', 'find', save('other.txt', prose(98, 100)));
  assert.equal(nothing.status, 1);
  assert.match(nothing.stdout, /not found/);
});

test('switched off, nothing is noted', async () => {
  const off = await Gateway.start({ simulator, settings: 'provenance: {enabled: false}' });
  try {
    const said = prose(61, 100);
    const id = idOf(await off.chat('gpt-echo', said));
    assert.equal(off.entries(['--type', 'request.completed']).find((entry) => entry.data.decision === id).data.provenance, undefined);
    const reply = await fetch(`${off.url}/v1/provenance/find`, { method: 'POST', headers: off.headers(), body: JSON.stringify({ text: said }) });
    assert.equal(reply.status, 404);
    assert.equal(off.cli('provenance', 'status').status, 2);
  } finally {
    await off.finish();
  }
});
