// Data protection: credentials are stopped, personal data leaves only as placeholders and comes back.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Gateway, Simulator, parseEvents, people, secrets } from './harness.mjs';

let simulator, gateway, openai, anthropic;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator });
  openai = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url, maxRetries: 0 });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });
beforeEach(() => simulator.clear());

const sentence = `Write to ${people.email}, call ${people.phone}, pay to ${people.iban}. Again: ${people.email}!`;
const ask = (model, content, more = {}) => ({ model, messages: [{ role: 'user', content }], ...more });
const askClaude = (model, content, more = {}) => ask(model, content, { max_tokens: 4096, ...more });

async function onlyPlaceholdersLeft() {
  const received = await simulator.received();
  assert.ok(received.length > 0, 'nothing reached the provider');
  for (const original of Object.values(people)) assert.ok(!received.includes(original), `the provider saw ${original}`);
  for (const placeholder of ['[EMAIL_1]', '[PHONE_1]', '[IBAN_1]']) {
    assert.ok(received.includes(placeholder), `no ${placeholder} in ${received.slice(0, 800)}`);
  }
}

test('personal data: OpenAI, plain', async () => {
  const answer = await openai.chat.completions.create(ask('gpt-echo', sentence));
  assert.equal(answer.choices[0].message.content, sentence);
  await onlyPlaceholdersLeft();
});

test('personal data: OpenAI, streamed', async () => {
  const answer = await openai.chat.completions.stream(ask('gpt-echo', sentence)).finalChatCompletion();
  assert.equal(answer.choices[0].message.content, sentence);
  await onlyPlaceholdersLeft();
});

test('personal data: OpenAI, n > 1 streamed, every choice restored', async () => {
  const answer = await openai.chat.completions.stream(ask('gpt-echo', sentence, { n: 3 })).finalChatCompletion();
  for (const choice of answer.choices) assert.equal(choice.message.content, sentence);
});

test('personal data: Anthropic, plain and streamed', async () => {
  assert.equal((await anthropic.messages.create(askClaude('claude-echo', sentence))).content[0].text, sentence);
  await onlyPlaceholdersLeft();
  await simulator.clear();
  assert.equal((await anthropic.messages.stream(askClaude('claude-echo', sentence)).finalMessage()).content[0].text, sentence);
  await onlyPlaceholdersLeft();
});

const note = { type: 'object', properties: { text: { type: 'string' }, copy: { type: 'object', properties: { again: { type: 'string' } } } } };

test('personal data in tool arguments: OpenAI, plain and streamed', async () => {
  const body = ask('gpt-tools', sentence, { tools: [{ type: 'function', function: { name: 'note', parameters: note } }] });
  for (const answer of [await openai.chat.completions.create(body),
    await openai.chat.completions.stream(body).finalChatCompletion()]) {
    assert.deepEqual(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments),
      { text: sentence, copy: { again: sentence } });
  }
  await onlyPlaceholdersLeft();
});

test('personal data in tool arguments: Anthropic, plain and streamed', async () => {
  const body = askClaude('claude-tools', sentence, { tools: [{ name: 'note', input_schema: note }] });
  for (const answer of [await anthropic.messages.create(body), await anthropic.messages.stream(body).finalMessage()])
    assert.deepEqual(answer.content[0].input, { text: sentence, copy: { again: sentence } });
  await onlyPlaceholdersLeft();
});

test('personal data everywhere else in a request: system, tool results, tool descriptions', async () => {
  await openai.chat.completions.create({ model: 'gpt-echo', messages: [
    { role: 'system', content: sentence },
    { role: 'user', content: [{ type: 'text', text: sentence }] },
    { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: JSON.stringify({ who: people.email }) } }] },
    { role: 'tool', tool_call_id: 'c1', content: sentence }],
    tools: [{ type: 'function', function: { name: 'f', description: sentence,
      parameters: { type: 'object', properties: { p: { type: 'string', description: sentence } } } } }] });
  await onlyPlaceholdersLeft();
  await simulator.clear();
  await anthropic.messages.create({ model: 'claude-echo', max_tokens: 100, system: [{ type: 'text', text: sentence }], messages: [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: { who: people.email } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: sentence }] }] }],
    tools: [{ name: 'f', description: sentence, input_schema: { type: 'object', properties: { p: { type: 'string', description: sentence } } } }] });
  await onlyPlaceholdersLeft();
});

test('tool input of Anthropic calls is read with its keys, signed thinking is left alone', async () => {
  const password = ['hunter', '2x9'].join('');
  const history = (input, thinking) => [{ role: 'user', content: 'x' }, { role: 'assistant', content: [
    { type: 'thinking', thinking, signature: 'c2lnbmVk' }, { type: 'tool_use', id: 't1', name: 'f', input }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: `from ${people.email}` }] }];
  for (const input of [{ password }, { signature: secrets.awsKey() }, { data: secrets.awsKey() }, { deep: [{ thinking: secrets.awsKey() }] }]) {
    await assert.rejects(anthropic.messages.create({ model: 'claude-echo', max_tokens: 9, messages: history(input, 'hm') }),
      Anthropic.PermissionDeniedError, JSON.stringify(input));
  }
  await assert.rejects(anthropic.messages.create({ model: 'claude-echo', max_tokens: 9, messages: history({}, secrets.awsKey()) }), Anthropic.PermissionDeniedError);
  assert.equal((await simulator.count()).received, 0);
  // The model wrote these into its thinking; the second turn must go through, with the same name.
  await anthropic.messages.create({ model: 'claude-echo', max_tokens: 9, messages: history({}, `[EMAIL_1] is not ${['made.up', 'example-place.org'].join('@')}`) });
  assert.ok((await simulator.received()).includes('from [EMAIL_1]'));
});

test('the query of the URL is a text of the call; headers that are not on the list stay here', async () => {
  const post = (query, headers = {}) => fetch(`${gateway.url}/v1/chat/completions${query}`, { method: 'POST',
    headers: gateway.headers(headers), body: JSON.stringify(ask('gpt-echo', 'hi')) });
  const escaped = [...secrets.awsKey()].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
  for (const query of [`?k=${secrets.awsKey()}`, `?k=${escaped}`, `?to=${people.email.replace('@', '%40')}`])
    assert.equal((await post(query)).status, 403, query);
  assert.equal((await simulator.count()).received, 0);
  assert.equal((await post('?api-version=1', { 'x-notes': secrets.awsKey(), 'x-stainless-lang': 'js' })).status, 200);
  const [request] = await simulator.requests();
  assert.ok(request.target.endsWith('?api-version=1'));
  assert.equal(request.headers['x-notes'], undefined);
  assert.equal(request.headers['x-stainless-lang'], 'js');
});

test('a stream cut at every byte gives the same text, in both dialects', async () => {
  for (const rewrite of [1, 2, 3, 7, 64]) {
    const play = JSON.stringify({ text: `é ${sentence} 🙂`, rewrite });
    const chat = await openai.chat.completions.stream(ask('gpt-script', play)).finalChatCompletion();
    assert.equal(chat.choices[0].message.content, `é ${sentence} 🙂`, `rewrite ${rewrite}`);
    const message = await anthropic.messages.stream(askClaude('claude-script', play)).finalMessage();
    assert.equal(message.content[0].text, `é ${sentence} 🙂`, `rewrite ${rewrite}`);
  }
});

test('a placeholder split over deltas in every way is restored', async () => {
  // The caller's text holds the address, so the mapping has it; the model answers in odd pieces.
  for (const chunks of [['[', 'EMAIL', '_', '1', ']'], ['<[EMA', 'IL_1]>'], ['[EMAIL_1', ']'], ['x[', 'EMAIL_1]y']]) {
    const messages = [{ role: 'user', content: `I am ${people.email}` }, { role: 'user', content: JSON.stringify({ chunks }) }];
    const want = chunks.join('').replace('[EMAIL_1]', people.email);
    const chat = await openai.chat.completions.stream({ model: 'gpt-script', messages }).finalChatCompletion();
    assert.equal(chat.choices[0].message.content, want);
    const message = await anthropic.messages.stream({ model: 'claude-script', max_tokens: 100, messages }).finalMessage();
    assert.equal(message.content[0].text, want);
  }
});

test('a placeholder that the model wrote its own way is restored, in text and in arguments', async () => {
  // Cut so that the caller's own text has none of them.
  const chunks = ['[ema', 'il_1], [Ema', 'il 1], [EMAIL\\', '_1], \\[EMAIL\\', '_1\\], EMAIL_1, [EMAIL 2', '2]'];
  const expected = `${Array(4).fill(people.email).join(', ')}, EMAIL_1, [EMAIL 22]`;
  const script = (play) => [{ role: 'user', content: sentence }, { role: 'user', content: JSON.stringify(play) }];
  const call = { tool_calls: [{ name: 'f', chunks: ['{"a":"[EMA', 'IL\\\\_', '1]","b":"[ema', 'il 1]"}'] }] };
  for (const stream of [false, true]) {
    const run = async (play) => {
      const request = { model: 'gpt-script', messages: script(play) };
      return (stream ? await openai.chat.completions.stream(request).finalChatCompletion() : await openai.chat.completions.create(request)).choices[0].message;
    };
    assert.equal((await run({ chunks })).content, expected);
    assert.deepEqual(JSON.parse((await run(call)).tool_calls[0].function.arguments), { a: people.email, b: people.email });
    const request = { model: 'claude-script', max_tokens: 500, messages: script({ chunks }) };
    const answer = stream ? await anthropic.messages.stream(request).finalMessage() : await anthropic.messages.create(request);
    assert.equal(answer.content[0].text, expected);
  }
});

test('what the caller itself wrote like a placeholder stays as it is', async () => {
  for (const own of ['[email_1]', '[Email 1]', '[EMAIL\\_1]']) {
    const answer = await openai.chat.completions.create({ model: 'gpt-echo', messages: [{ role: 'user', content: `${own} is not ${people.email}` }] });
    assert.equal(answer.choices[0].message.content, `${own} is not ${people.email}`);
  }
});

test('streamed arguments are a valid prefix of JSON after every delta', async () => {
  const quoted = 'say "hi" \\ to';
  const messages = [{ role: 'user', content: `${quoted} ${people.email}` },
    { role: 'user', content: JSON.stringify({ tool_calls: [{ name: 'f', chunks: ['{"a":"[EMA', 'IL_1] \\u00', 'e9 \\', '"x"', ',"b":"[EMAIL', '_1]"}'] }] }) }];
  const stream = anthropic.messages.stream({ model: 'claude-script', max_tokens: 100, messages });
  const deltas = [];
  stream.on('inputJson', (delta) => deltas.push(delta));
  const message = await stream.finalMessage();
  assert.deepEqual(message.content[0].input, { a: `${people.email} é "x`, b: people.email });
  assert.ok(deltas.length > 1, 'the arguments came in one piece');
});

test('a placeholder nobody made is left alone', async () => {
  const text = 'What does [EMAIL_7] in a text mean?';
  assert.equal((await openai.chat.completions.create(ask('gpt-echo', text))).choices[0].message.content, text);
});

test('personal data in embeddings leaves as placeholders', async () => {
  await openai.embeddings.create({ model: 'embed', input: [sentence, 'other'] });
  await onlyPlaceholdersLeft();
});

test('count_tokens is inspected like messages', async () => {
  await anthropic.messages.countTokens(ask('claude-echo', sentence));
  await onlyPlaceholdersLeft();
  await simulator.clear();
  await assert.rejects(anthropic.messages.countTokens(ask('claude-echo', secrets.awsKey())), Anthropic.PermissionDeniedError);
  assert.equal((await simulator.count()).received, 0);
});

test('an internal model gets the originals', async () => {
  await openai.chat.completions.create(ask('gpt-inside', sentence));
  assert.ok((await simulator.received()).includes(people.email));
});

for (const [what, key] of [['a cloud key', secrets.awsKey()], ['a code hosting token', secrets.githubToken()]]) {
  test(`${what} to an external model is refused in the dialect, recorded, and reaches nobody`, async () => {
    for (const response of [await gateway.chat('gpt-echo', `use ${key}`), await gateway.messages('claude-echo', `use ${key}`)]) {
      assert.equal(response.status, 403);
      const text = await response.text();
      assert.ok(!text.includes(key), 'the refusal repeats the secret');
      assert.ok(JSON.parse(text).error.message.length > 20);
      const entry = gateway.entry(response.headers.get('gatehouse-entry'));
      assert.equal(entry.type, 'request.decided');
      assert.equal(entry.data.effect, 'forbid');
      assert.ok(entry.data.findings.some((finding) => finding.category === 'credentials'));
      assert.ok(!JSON.stringify(entry).includes(key));
    }
    assert.equal((await simulator.count()).received, 0);
  });
}

test('a key hidden in tool results, tool arguments, system text or escapes is found as well', async () => {
  const key = secrets.awsKey();
  const escaped = [...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const bodies = [
    JSON.stringify({ model: 'gpt-echo', messages: [{ role: 'system', content: key }, { role: 'user', content: 'x' }] }),
    JSON.stringify({ model: 'gpt-echo', messages: [{ role: 'tool', tool_call_id: 'c', content: key }] }),
    JSON.stringify({ model: 'gpt-echo', messages: [{ role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: JSON.stringify({ k: key }) } }] }] }),
    `{"model":"gpt-echo","messages":[{"role":"user","content":"${escaped}"}]}`,
  ];
  for (const body of bodies) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: gateway.headers(), body });
    assert.equal(response.status, 403, body);
  }
  assert.equal((await simulator.count()).received, 0);
});

test('a large text is inspected as well: replaced, restored, refused', async () => {
  const prose = 'the quick review of the quarterly figures says that nothing was found which matters. '.repeat(12_000);
  const answer = await openai.chat.completions.create(ask('gpt-echo', `${prose}${sentence}`));
  assert.ok(answer.choices[0].message.content.endsWith(sentence));
  await onlyPlaceholdersLeft();
  await simulator.clear();
  await assert.rejects(openai.chat.completions.create(ask('gpt-echo', `${prose}${secrets.awsKey()}`)), OpenAI.PermissionDeniedError);
  assert.equal((await simulator.count()).received, 0);
});

test('no original enters the ledger, the database or the logs', async () => {
  const { readdirSync, readFileSync, statSync } = await import('node:fs');
  await openai.chat.completions.create(ask('gpt-echo', sentence));
  const files = readdirSync(gateway.data, { recursive: true }).map((name) => `${gateway.data}/${name}`).filter((name) => statSync(name).isFile());
  assert.ok(files.length > 3);
  for (const file of files) {
    const content = readFileSync(file, 'latin1');
    for (const original of [...Object.values(people), gateway.key, secrets.awsKey()]) assert.ok(!content.includes(original), `${original} is in ${file}`);
  }
  for (const original of Object.values(people)) assert.ok(!gateway.log.includes(original));
});

test('the first text arrives before the stream has ended', async () => {
  const response = await gateway.script({ text: `Dear ${people.email}, ${'word '.repeat(30)}`, pace_ms: 20 }, { stream: true });
  const reader = response.body.getReader();
  const started = Date.now();
  let first = null, text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
    if (first === null && text.includes('Dear')) first = Date.now() - started;
  }
  const total = Date.now() - started;
  assert.ok(first !== null && first < total / 2, `first text after ${first} of ${total} ms`);
  const answer = parseEvents(text).flatMap((event) => event.data.choices ?? []).map((choice) => choice.delta.content ?? '').join('');
  assert.ok(answer.startsWith(`Dear ${people.email}, word`));
});
