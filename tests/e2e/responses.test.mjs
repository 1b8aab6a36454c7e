// The official OpenAI client's Responses API through the gateway, whole and streamed.
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

const script = (play, more) => ({ model: 'gpt-script', input: JSON.stringify(play), ...more });
async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}
// Every place in which a stream has the text of its only message.
function copies(events) {
  const of = (type) => events.filter((event) => event.type === type);
  return {
    deltas: of('response.output_text.delta').map((event) => event.delta).join(''),
    done: of('response.output_text.done')[0].text,
    part: of('response.content_part.done')[0].part.text,
    item: of('response.output_item.done').at(-1).item.content[0].text,
    answer: of('response.completed')[0].response.output.at(-1).content[0].text,
  };
}
const last = async () => (await fetch(`${simulator.url}/_simulator/last`)).json();
const email = 'ada.byron@analytical-engines.org';

test('plain answer; the provider sees a placeholder', async () => {
  const { data, response } = await client.responses.create({ model: 'gpt-echo', input: `Write to ${email}` }).withResponse();
  assert.equal(data.output_text, `Write to ${email}`);
  assert.equal(data.status, 'completed');
  assert.match(response.headers.get('gatehouse-entry'), /^[0-9a-f-]{36}$/);
  assert.equal((await last()).input, 'Write to [EMAIL_1]');
});

test('streamed answer: every copy of the text says the same, sequence numbers rise', async () => {
  const events = await collect(await client.responses.create({ model: 'gpt-echo', input: `Write to ${email} now`, stream: true }));
  for (const [place, text] of Object.entries(copies(events))) assert.equal(text, `Write to ${email} now`, place);
  const numbers = events.map((event) => event.sequence_number);
  assert.ok(numbers.every((number, at) => at === 0 || number > numbers[at - 1]), numbers.join());
});

test("the client's own accumulator puts the same answer together", async () => {
  const answer = await client.responses.stream({ model: 'gpt-echo', input: `Call ${email}` }).finalResponse();
  assert.equal(answer.output_text, `Call ${email}`);
});

test('a credential in an answer is masked in every copy', async () => {
  const key = ['AKIA', 'Q3EGRZN7W2XBK5TD'].join('');
  const pieces = ['The key is ', key.slice(0, 7), key.slice(7), ', keep it.'];
  const events = await collect(await client.responses.create(script({ chunks: pieces }, { stream: true })));
  const texts = Object.values(copies(events));
  assert.equal(new Set(texts).size, 1, texts.join(' | '));
  assert.ok(texts.every((text) => !text.includes(key.slice(7)) && text.startsWith('The key is [')));
  const whole = await client.responses.create(script({ chunks: pieces }));
  assert.equal(whole.output_text, texts[0]);
});

test('function calls, whole and streamed', async () => {
  const tools = [{ type: 'function', name: 'mail', strict: false, parameters: { type: 'object',
    properties: { to: { type: 'string' } }, required: ['to'] } }];
  const ask = { model: 'gpt-tools', input: email, tools };
  const whole = await client.responses.create(ask);
  const call = whole.output.find((item) => item.type === 'function_call');
  assert.deepEqual(JSON.parse(call.arguments), { to: email });
  const events = await collect(await client.responses.create({ ...ask, stream: true }));
  const deltas = events.filter((event) => event.type === 'response.function_call_arguments.delta').map((event) => event.delta);
  assert.deepEqual(JSON.parse(deltas.join('')), { to: email });
  const done = events.find((event) => event.type === 'response.function_call_arguments.done');
  assert.deepEqual(JSON.parse(done.arguments), { to: email });
});

test('the result of a function goes back, and is inspected', async () => {
  const answer = await client.responses.create({ model: 'gpt-echo', input: [
    { role: 'user', content: 'find her' },
    { type: 'function_call', call_id: 'c1', name: 'find', arguments: '{"name":"Ada"}' },
    { type: 'function_call_output', call_id: 'c1', output: `it is ${email}` }] });
  assert.equal(answer.status, 'completed');
  assert.equal((await last()).input[2].output, 'it is [EMAIL_1]');
});

test('a credential does not leave', async () => {
  const key = ['AKIA', 'Q3EGRZN7W2XBK5TD'].join('');
  for (const body of [{ input: `use ${key}` }, { input: 'x', instructions: `use ${key}` },
    { input: [{ type: 'function_call_output', call_id: 'c', output: key }] }]) {
    await assert.rejects(client.responses.create({ model: 'gpt-echo', ...body }), (error) => {
      assert.equal(error.status, 403);
      assert.equal(error.code, 'policy_blocked');
      return true;
    });
  }
});

test('errors are OpenAI errors', async () => {
  await assert.rejects(client.responses.create({ model: 'nobody', input: 'x' }), { status: 404, code: 'model_not_found' });
  await assert.rejects(client.responses.create({ model: 'claude-echo', input: 'x' }), { status: 400 });
  const response = await fetch(`${gateway.url}/v1/responses`, { headers: { authorization: `Bearer ${gateway.key}` } });
  assert.equal(response.status, 405);
});

test('a stream that breaks off ends in an error the client raises', async () => {
  const stream = await client.responses.create(script({ chunks: ['one ', 'two '], cut_after: 5 }, { stream: true }));
  await assert.rejects(collect(stream), OpenAI.APIError);
});

test('usage stands in the ledger', async () => {
  for (const stream of [false, true]) {
    const { data, response } = await client.responses.create({ model: 'gpt-echo', input: 'one two', stream }).withResponse();
    if (stream) await collect(data);
    const outcome = gateway.entries().find((entry) => entry.data?.decision === response.headers.get('gatehouse-entry'));
    assert.equal(outcome.data.output_tokens, 2);
    assert.equal(outcome.data.finish_reason, 'completed');
  }
});
