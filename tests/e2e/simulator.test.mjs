// The simulator is what the other tests stand on: the official clients must take its answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Simulator } from './harness.mjs';

let simulator, openai, anthropic;
before(async () => {
  simulator = await Simulator.start({ key: 'sim-key' });
  openai = new OpenAI({ apiKey: 'sim-key', baseURL: `${simulator.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: 'sim-key', baseURL: simulator.url, maxRetries: 0 });
});
after(() => simulator.stop());

const ask = (model, content, more = {}) => ({ model, messages: [{ role: 'user', content }], ...more });

test('OpenAI: plain and streamed answers are the same text', async () => {
  const plain = await openai.chat.completions.create(ask('simulator-echo', 'Grüße, Ada'));
  assert.equal(plain.choices[0].message.content, 'Grüße, Ada');
  const streamed = await openai.chat.completions.stream(ask('simulator-echo', 'Grüße, Ada')).finalChatCompletion();
  assert.equal(streamed.choices[0].message.content, 'Grüße, Ada');
});

test('Anthropic: plain and streamed answers are the same message', async () => {
  const body = ask('simulator-echo', 'Grüße, Ada', { max_tokens: 100, thinking: { type: 'enabled', budget_tokens: 1024 } });
  const plain = await anthropic.messages.create(body);
  const streamed = await anthropic.messages.stream(body).finalMessage();
  assert.deepEqual(streamed.content, plain.content);
  assert.equal(plain.content[0].type, 'thinking');
  assert.equal(plain.content[1].text, 'Grüße, Ada');
});

test('both: models list, embeddings, token counts', async () => {
  assert.ok((await openai.models.list()).data.some((model) => model.id === 'simulator-echo'));
  assert.ok((await anthropic.models.list()).data.some((model) => model.id === 'simulator-echo'));
  const embedding = await openai.embeddings.create({ model: 'simulator-embed', input: 'x' });
  assert.equal(embedding.data[0].embedding.length, 256);
  const floats = await openai.embeddings.create({ model: 'simulator-embed', input: 'x', encoding_format: 'float' });
  assert.ok(embedding.data[0].embedding.every((v, i) => Math.abs(v - floats.data[0].embedding[i]) < 1e-6));
  assert.ok((await anthropic.messages.countTokens(ask('simulator-echo', 'one two'))).input_tokens > 0);
});

test('both: a wrong key raises AuthenticationError', async () => {
  await assert.rejects(new OpenAI({ apiKey: 'no', baseURL: `${simulator.url}/v1` }).models.list(), OpenAI.AuthenticationError);
  await assert.rejects(new Anthropic({ apiKey: 'no', baseURL: simulator.url }).models.list(), Anthropic.AuthenticationError);
});
