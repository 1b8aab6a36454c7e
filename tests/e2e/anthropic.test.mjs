// The official Anthropic client through the gateway, base URL changed and nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { Gateway, Simulator, readEvents } from './harness.mjs';

let simulator, gateway, client;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator });
  client = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url, maxRetries: 0 });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });

const ask = (model, content, more = {}) => ({ model, max_tokens: 4096, messages: [{ role: 'user', content }], ...more });
const script = (play, more) => ask('claude-script', JSON.stringify(play), more);
const weather = { name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } };
const search = { name: 'search', input_schema: { type: 'object', properties: { query: { type: 'string' } } } };

test('plain answer', async () => {
  const { data, response } = await client.messages.create(ask('claude-echo', 'Hello, "Ada" é\n🙂')).withResponse();
  assert.deepEqual(data.content, [{ type: 'text', text: 'Hello, "Ada" é\n🙂' }]);
  assert.equal(data.stop_reason, 'end_turn');
  assert.match(response.headers.get('gatehouse-entry'), /^[0-9a-f-]{36}$/);
});

test('streamed answer', async () => {
  const message = await client.messages.stream(ask('claude-echo', 'one two three')).finalMessage();
  assert.equal(message.content[0].text, 'one two three');
  assert.equal(message.usage.output_tokens, 3);
});

test('the events of a stream come in order, each with its event line, indices dense', async () => {
  const response = await gateway.messages('claude-script',
    JSON.stringify({ text: 'Hi', tool_calls: [{ name: 'f', arguments: { a: 1 } }, { name: 'g', arguments: {} }] }),
    { stream: true, thinking: { type: 'enabled', budget_tokens: 1024 } });
  const events = await readEvents(response);
  assert.ok(events.every((event) => event.event === event.data.type));
  assert.equal(events[0].event, 'message_start');
  assert.deepEqual(events.slice(-2).map((event) => event.event), ['message_delta', 'message_stop']);
  const starts = events.filter((event) => event.event === 'content_block_start');
  assert.deepEqual(starts.map((event) => event.data.index), [0, 1, 2, 3]);
  assert.deepEqual(starts.map((event) => event.data.content_block.type), ['thinking', 'text', 'tool_use', 'tool_use']);
});

test('thinking passes with its signature, plain and streamed', async () => {
  const body = ask('claude-echo', 'x', { thinking: { type: 'enabled', budget_tokens: 1024 } });
  const direct = await (await fetch(`${simulator.url}/v1/messages`, { method: 'POST',
    headers: { 'anthropic-version': '2023-06-01' }, body: JSON.stringify({ ...body, model: 'simulator-echo' }) })).json();
  const plain = await client.messages.create(body);
  const streamed = await client.messages.stream(body).finalMessage();
  assert.deepEqual(plain.content, direct.content);
  assert.deepEqual(streamed.content, direct.content);
});

test('tool use, plain and streamed, and the answer to its result', async () => {
  const body = ask('claude-tools', 'Zürich', { tools: [weather] });
  const plain = await client.messages.create(body);
  const streamed = await client.messages.stream(body).finalMessage();
  for (const answer of [plain, streamed]) {
    assert.equal(answer.stop_reason, 'tool_use');
    assert.deepEqual(answer.content[0].input, { city: 'Zürich' });
  }
  const messages = [...body.messages, { role: 'assistant', content: plain.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: plain.content[0].id, content: 'sunny' }] }];
  assert.equal((await client.messages.create({ ...body, messages })).content[0].text, 'sunny');
});

test('parallel tool use, plain and streamed', async () => {
  const body = ask('claude-tools', 'Bern', { tools: [weather, search] });
  for (const answer of [await client.messages.create(body), await client.messages.stream(body).finalMessage()]) {
    assert.deepEqual(answer.content.map((block) => block.name), ['weather', 'search']);
    assert.deepEqual(answer.content[1].input, { query: 'Bern' });
  }
});

test('a tool without arguments streams and ends as an empty object', async () => {
  const message = await client.messages.stream(script({ tool_calls: [{ name: 'now' }] })).finalMessage();
  assert.deepEqual(message.content[0].input, {});
});

test('refusal and max_tokens pass as stop reasons', async () => {
  assert.equal((await client.messages.create(script({ refusal: 'No.' }))).stop_reason, 'refusal');
  assert.equal((await client.messages.create(ask('claude-long', 'x', { max_tokens: 5 }))).stop_reason, 'max_tokens');
});

test('count_tokens', async () => {
  const { max_tokens: _, ...body } = ask('claude-echo', 'one two three');
  assert.equal((await client.messages.countTokens(body)).input_tokens, 6);
});

test('the models list has the models of this dialect and shape', async () => {
  const page = await client.models.list();
  const names = page.data.map((model) => model.id);
  assert.ok(names.includes('claude-echo'));
  assert.ok(!names.includes('gpt-echo'));
  assert.equal(page.data[0].type, 'model');
  assert.equal(page.has_more, false);
});

test('a bearer token is taken as well as x-api-key', async () => {
  const bearer = new Anthropic({ apiKey: null, authToken: gateway.key, baseURL: gateway.url, maxRetries: 0 });
  assert.equal((await bearer.messages.create(ask('claude-echo', 'hi'))).content[0].text, 'hi');
});

test('beta headers and version reach the provider, the caller\'s key does not', async () => {
  await simulator.clear();
  await gateway.messages('claude-echo', 'hi', {}, { headers: { 'anthropic-beta': 'future-2027-01-01' } });
  const [request] = await simulator.requests();
  assert.equal(request.headers['anthropic-beta'], 'future-2027-01-01');
  assert.equal(request.headers['anthropic-version'], '2023-06-01');
  assert.equal(request.headers['x-api-key'], 'sim-upstream-credential');
  assert.ok(!JSON.stringify(request).includes(gateway.key));
});
