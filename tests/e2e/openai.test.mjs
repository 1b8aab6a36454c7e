// The official OpenAI client through the gateway, base URL changed and nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { Gateway, Simulator } from './harness.mjs';

let simulator, gateway, client;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator });
  client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });

const ask = (model, content, more = {}) => ({ model, messages: [{ role: 'user', content }], ...more });
const script = (play, more) => ask('gpt-script', JSON.stringify(play), more);
async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
const textOf = (chunks, choice = 0) => chunks.flatMap((chunk) => chunk.choices)
  .filter((one) => one.index === choice).map((one) => one.delta.content ?? '').join('');

const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city'] } } };
const search = { type: 'function', function: { name: 'search', parameters: { type: 'object',
  properties: { query: { type: 'string' } } } } };

test('plain answer', async () => {
  const { data, response } = await client.chat.completions.create(ask('gpt-echo', 'Hello, "Ada" \u00e9\n🙂')).withResponse();
  assert.equal(data.choices[0].message.content, 'Hello, "Ada" \u00e9\n🙂');
  assert.equal(data.object, 'chat.completion');
  assert.ok(data.usage.total_tokens > 0);
  assert.match(response.headers.get('gatehouse-entry'), /^[0-9a-f-]{36}$/);
});

test('the answer of the provider passes byte for byte when nothing was to be changed', async () => {
  const body = JSON.stringify(ask('simulator-echo', 'byte for byte'));
  const direct = await (await fetch(`${simulator.url}/v1/chat/completions`, { method: 'POST', body })).text();
  const governed = await (await gateway.chat('gpt-echo', 'byte for byte')).text();
  // The simulator's ids come from the request, whose model has another name by then.
  const id = (text) => JSON.parse(text).id;
  assert.equal(governed.replace(id(governed), id(direct)), direct);
  const odd = '{ "choices":[ {"index":0,"message":{"role":"assistant","content":"caf\\u00e9 \\/ x"},"finish_reason":"stop","new":1.0e0}\n] }';
  const response = await gateway.script({ raw: [odd], content_type: 'application/json' });
  assert.equal(await response.text(), odd);
});

test('streamed answer: one id, role first, finish last', async () => {
  const chunks = await collect(await client.chat.completions.create(ask('gpt-echo', 'one two three', { stream: true })));
  assert.equal(textOf(chunks), 'one two three');
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});

test('include_usage off: no usage and no empty chunk reaches the caller', async () => {
  const chunks = await collect(await client.chat.completions.create(ask('gpt-echo', 'one two', { stream: true })));
  assert.ok(chunks.every((chunk) => chunk.choices.length === 1));
  assert.ok(chunks.every((chunk) => chunk.usage == null));
});

test('include_usage on: exactly one usage chunk, the last', async () => {
  const chunks = await collect(await client.chat.completions.create(
    ask('gpt-echo', 'one two', { stream: true, stream_options: { include_usage: true } })));
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.completion_tokens, 2);
  assert.equal(chunks.filter((chunk) => chunk.choices.length === 0).length, 1);
});

test('usage stands in the ledger whether the caller asked for it or not', async () => {
  const { data, response } = await client.chat.completions.create(ask('gpt-echo', 'one two', { stream: true })).withResponse();
  await collect(data);
  const outcome = gateway.entries().find((entry) => entry.data?.decision === response.headers.get('gatehouse-entry'));
  assert.equal(outcome.data.output_tokens, 2);
});

test('tool call', async () => {
  const answer = await client.chat.completions.create(ask('gpt-tools', 'Zürich', { tools: [weather] }));
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  assert.equal(call.function.name, 'weather');
  assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Zürich', days: 1 });
});

test('streamed tool call, and the answer to its result', async () => {
  const messages = [{ role: 'user', content: 'Zürich' }];
  const first = await client.chat.completions.stream({ model: 'gpt-tools', messages, tools: [weather] }).finalChatCompletion();
  const message = first.choices[0].message;
  assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: 'Zürich', days: 1 });
  messages.push(message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'sunny' });
  const second = await client.chat.completions.create({ model: 'gpt-tools', messages, tools: [weather] });
  assert.equal(second.choices[0].message.content, 'sunny');
});

test('parallel tool calls, plain and streamed', async () => {
  const body = ask('gpt-tools', 'Bern', { tools: [weather, search] });
  const plain = await client.chat.completions.create(body);
  const streamed = await client.chat.completions.stream(body).finalChatCompletion();
  for (const answer of [plain, streamed]) {
    const calls = answer.choices[0].message.tool_calls;
    assert.deepEqual(calls.map((call) => call.function.name), ['weather', 'search']);
    assert.deepEqual(JSON.parse(calls[1].function.arguments), { query: 'Bern' });
  }
});

test('interleaved pieces of several tool calls keep their order by index', async () => {
  const play = { interleave: true, tool_calls: [
    { name: 'a', arguments: { text: 'first of them' } }, { name: 'b', arguments: { text: 'second of them' } }] };
  const answer = await client.chat.completions.stream(script(play)).finalChatCompletion();
  assert.deepEqual(answer.choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments).text),
    ['first of them', 'second of them']);
});

test('n > 1: every choice arrives, plain and streamed', async () => {
  const plain = await client.chat.completions.create(ask('gpt-echo', 'one two three', { n: 3 }));
  assert.deepEqual(plain.choices.map((choice) => choice.message.content), Array(3).fill('one two three'));
  const chunks = await collect(await client.chat.completions.create(ask('gpt-echo', 'one two three', { n: 3, stream: true })));
  for (const choice of [0, 1, 2]) assert.equal(textOf(chunks, choice), 'one two three');
});

test('refusal comes in its own channel, plain and streamed', async () => {
  const play = { refusal: 'I cannot help with that.' };
  const plain = await client.chat.completions.create(script(play));
  assert.equal(plain.choices[0].message.refusal, play.refusal);
  assert.equal(plain.choices[0].message.content, null);
  const streamed = await client.chat.completions.stream(script(play)).finalChatCompletion();
  assert.equal(streamed.choices[0].message.refusal, play.refusal);
});

test('finish reasons length and content_filter pass', async () => {
  const cut = await client.chat.completions.create(ask('gpt-long', 'x', { max_tokens: 5 }));
  assert.equal(cut.choices[0].finish_reason, 'length');
  const filtered = await client.chat.completions.create(script({ text: 'x', finish: 'content_filter' }));
  assert.equal(filtered.choices[0].finish_reason, 'content_filter');
});

test('a long stream arrives whole', async () => {
  const chunks = await collect(await client.chat.completions.create(ask('gpt-long', 'x', { stream: true })));
  const plain = await client.chat.completions.create(ask('gpt-long', 'x'));
  assert.equal(textOf(chunks), plain.choices[0].message.content);
});

test('embeddings, as base64 (the client asks for it) and as floats', async () => {
  const encoded = await client.embeddings.create({ model: 'embed', input: ['a', 'b'] });
  const floats = await client.embeddings.create({ model: 'embed', input: ['a', 'b'], encoding_format: 'float' });
  assert.equal(encoded.data.length, 2);
  for (const index of [0, 1]) {
    const distance = encoded.data[index].embedding.map((value, i) => Math.abs(value - floats.data[index].embedding[i]));
    assert.ok(Math.max(...distance) < 1e-6);
  }
});

test('the models list has the models of this dialect', async () => {
  const names = (await client.models.list()).data.map((model) => model.id);
  assert.ok(names.includes('gpt-echo'));
  assert.ok(!names.includes('claude-echo'));
});

test('members nobody knows pass to the provider untouched', async () => {
  await simulator.clear();
  await gateway.chat('gpt-echo', 'hi', { brand_new_option: { a: [1, 2.50, 'x'] }, seed: 12345678901234567890n.toString() });
  const [request] = await simulator.requests();
  assert.ok(request.body.includes('"brand_new_option":{"a":[1,2.5,"x"]}'));
});

test('the provider gets its own credential and never the caller\'s key', async () => {
  await simulator.clear();
  await gateway.chat('gpt-echo', 'hi');
  const [request] = await simulator.requests();
  assert.equal(request.headers.authorization, 'Bearer sim-upstream-credential');
  assert.ok(!JSON.stringify(request).includes(gateway.key));
});

test('two hundred calls at once, each gets its own answer', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    client.chat.completions.create(ask('gpt-echo', `number ${i}`, i % 2 ? {} : {}))));
  answers.forEach((answer, i) => assert.equal(answer.choices[0].message.content, `number ${i}`));
  const streams = await Promise.all(Array.from({ length: 50 }, async (_, i) =>
    textOf(await collect(await client.chat.completions.create(ask('gpt-echo', `stream number ${i}`, { stream: true }))))));
  streams.forEach((text, i) => assert.equal(text, `stream number ${i}`));
});
