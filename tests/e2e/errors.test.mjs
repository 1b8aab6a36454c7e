// Each error class: the SDK's right exception, the right retry behaviour, the caller's own dialect.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Gateway, Simulator, readEvents, secrets } from './harness.mjs';

let simulator, gateway, openai, anthropic;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator, settings: 'limits: {body_bytes: 256KiB}' });
  openai = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 2 });
  anthropic = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url, maxRetries: 2 });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });
beforeEach(() => simulator.clear());

const ask = (model, content, more = {}) => ({ model, messages: [{ role: 'user', content }], ...more });
const chat = (model, content, more) => openai.chat.completions.create(ask(model, content, more));
const message = (model, content, more) => anthropic.messages.create(ask(model, content, { max_tokens: 4096, ...more }));
const openaiScript = (play, more) => chat('gpt-script', JSON.stringify(play), more);
const anthropicScript = (play, more) => message('claude-script', JSON.stringify(play), more);
async function drain(stream) { for await (const _ of await stream) { /* to the end */ } }

function hasOpenAiShape(error) {
  assert.deepEqual(Object.keys(error.error).sort(), ['code', 'message', 'param', 'type']);
  return true;
}
function hasAnthropicShape(error) {
  assert.equal(error.error.type, 'error');
  assert.equal(typeof error.error.error.type, 'string');
  assert.equal(typeof error.error.error.message, 'string');
  return true;
}
const raises = (promise, type, shape, status) => assert.rejects(promise, (error) => {
  assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
  if (status) assert.equal(error.status, status);
  return shape ? shape(error) : true;
});

test('a wrong key raises AuthenticationError and nothing reaches the provider', async () => {
  const strangers = ['wrong', `${gateway.key.slice(0, -1)}${gateway.key.endsWith('A') ? 'B' : 'A'}`];
  for (const apiKey of strangers) {
    await raises(new OpenAI({ apiKey, baseURL: `${gateway.url}/v1` }).chat.completions.create(ask('gpt-echo', 'x')),
      OpenAI.AuthenticationError, hasOpenAiShape, 401);
    await raises(new Anthropic({ apiKey, baseURL: gateway.url }).messages.create(ask('claude-echo', 'x', { max_tokens: 9 })),
      Anthropic.AuthenticationError, hasAnthropicShape, 401);
  }
  const none = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST',
    headers: { 'content-type': 'application/json' }, body: JSON.stringify(ask('gpt-echo', 'x')) });
  assert.equal(none.status, 401);
  assert.equal((await simulator.count()).received, 0);
});

test('a revoked or expired key is refused', async () => {
  const { createKey, succeed, sleep } = await import('./harness.mjs');
  const revoked = createKey(gateway, 'service:build');
  const use = (key) => fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await use(revoked.key)).status, 200);
  succeed(gateway.cli('key', 'revoke', revoked.record.prefix));
  assert.equal((await use(revoked.key)).status, 401);
  const brief = createKey(gateway, 'service:build', '--expires', '1s');
  await sleep(1_200);
  assert.equal((await use(brief.key)).status, 401);
});

test('a blocked request raises PermissionDeniedError and is not tried again', async () => {
  const text = `deploy with ${secrets.awsKey()}`;
  const calls = async () => gateway.entries().filter((entry) => entry.type === 'request.decided').length;
  const before = await calls();
  await raises(chat('gpt-echo', text), OpenAI.PermissionDeniedError, hasOpenAiShape, 403);
  await raises(message('claude-echo', text), Anthropic.PermissionDeniedError, hasAnthropicShape, 403);
  assert.equal(await calls(), before + 2);
  assert.equal((await simulator.count()).received, 0);
});

test('an unknown model raises NotFoundError', async () => {
  await raises(chat('gpt-nobody-registered', 'x'), OpenAI.NotFoundError, hasOpenAiShape, 404);
  await raises(message('claude-nobody-registered', 'x'), Anthropic.NotFoundError, hasAnthropicShape, 404);
  assert.equal((await simulator.count()).received, 0);
});

test('a model of the other dialect is a bad request that says which path to use', async () => {
  await raises(chat('claude-echo', 'x'), OpenAI.BadRequestError, (error) => /\/v1\/messages/.test(error.message));
  await raises(message('gpt-echo', 'x'), Anthropic.BadRequestError, (error) => /chat\/completions/.test(error.message));
});

test('unknown paths and methods are refused in the dialect', async () => {
  const path = await fetch(`${gateway.url}/v1/files`, { headers: gateway.headers() });
  assert.equal(path.status, 404);
  assert.ok((await path.json()).error.message);
  const method = await fetch(`${gateway.url}/v1/messages`, { headers: gateway.anthropicHeaders() });
  assert.equal(method.status, 405);
  assert.equal((await method.json()).type, 'error');
  assert.equal((await simulator.count()).received, 0);
});

test('upstream 429 raises RateLimitError; the client\'s own retries reach the provider', async () => {
  await raises(openaiScript({ status: 429, headers: { 'retry-after-ms': '5' } }), OpenAI.RateLimitError, hasOpenAiShape, 429);
  assert.equal((await simulator.count()).received, 3);
  await simulator.clear();
  await raises(anthropicScript({ status: 429, headers: { 'retry-after-ms': '5' } }), Anthropic.RateLimitError, hasAnthropicShape, 429);
  assert.equal((await simulator.count()).received, 3);
});

test('upstream retry headers pass: x-should-retry false stops the client', async () => {
  await raises(openaiScript({ status: 429, headers: { 'x-should-retry': 'false' } }), OpenAI.RateLimitError);
  assert.equal((await simulator.count()).received, 1);
  const response = await gateway.script({ status: 429, retry_after: 7 });
  assert.equal(response.headers.get('retry-after'), '7');
});

test('a provider that recovers is reached by the client\'s retry', async () => {
  const answer = await openaiScript({ status: 503, fail_times: 2, text: 'back again', headers: { 'retry-after-ms': '5' } });
  assert.equal(answer.choices[0].message.content, 'back again');
  assert.equal((await simulator.count()).received, 3);
});

test('upstream 500 and 529 raise InternalServerError', async () => {
  const quick = { headers: { 'retry-after-ms': '5' } };
  await raises(openaiScript({ status: 500, ...quick }), OpenAI.InternalServerError, hasOpenAiShape, 500);
  await raises(anthropicScript({ status: 529, ...quick }), Anthropic.InternalServerError, hasAnthropicShape, 529);
});

test('the provider\'s own error body passes', async () => {
  await raises(openaiScript({ status: 422, error: { message: 'too odd', type: 'odd_error', code: 'odd', param: 'n' } }),
    OpenAI.UnprocessableEntityError, (error) => {
      assert.deepEqual(error.error, { message: 'too odd', type: 'odd_error', code: 'odd', param: 'n' });
      return true;
    });
});

for (const [name, play] of [['an error event', { text: 'one two three four', error_after: 3 }],
  ['a cut connection', { text: 'one two three four', cut_after: 3 }]]) {
  test(`mid-stream failure by ${name} raises APIError in both clients`, async () => {
    await raises(drain(openaiScript(play, { stream: true })), OpenAI.APIError);
    await raises(drain(anthropicScript(play, { stream: true })), Anthropic.APIError);
  });

  test(`mid-stream failure by ${name} is an error event of the dialect, and recorded`, async () => {
    const response = await gateway.script(play, { stream: true });
    const events = await readEvents(response);
    assert.equal(typeof events.at(-1).data.error.message, 'string');
    assert.ok(!events.some((event) => event.data === '[DONE]'));
    assert.ok(events.every((event) => event.data.choices || event.data.error));
    const other = await gateway.messages('claude-script', JSON.stringify(play), { stream: true });
    const last = (await readEvents(other)).at(-1);
    assert.equal(last.event, 'error');
    assert.equal(last.data.type, 'error');
    const id = response.headers.get('gatehouse-entry');
    assert.ok(gateway.entries().some((entry) => entry.type === 'request.completed' && entry.data.decision === id));
  });
}

test('an answer cut in the middle of its body is an error, not a short answer', async () => {
  const response = await gateway.script({ text: 'x'.repeat(500), cut_after: 300 });
  assert.equal(response.status, 502);
  assert.ok((await response.json()).error.message);
});

test('malformed JSON raises BadRequestError in both dialects', async () => {
  const send = (path, headers, body) => fetch(gateway.url + path, { method: 'POST', headers, body });
  for (const body of ['{', '', '[]', '{"messages":[]}', '{"model":7,"messages":[]}',
    `{"model":"gpt-echo","messages":${'['.repeat(5000)}`, '{"model":"gpt-echo","model":"gpt-inside","messages":[]}']) {
    const openaiAnswer = await send('/v1/chat/completions', gateway.headers(), body);
    assert.equal(openaiAnswer.status, 400, body.slice(0, 60));
    assert.equal((await openaiAnswer.json()).error.type, 'invalid_request_error');
    const anthropicAnswer = await send('/v1/messages', gateway.anthropicHeaders(), body);
    assert.equal(anthropicAnswer.status, 400, body.slice(0, 60));
    assert.equal((await anthropicAnswer.json()).error.type, 'invalid_request_error');
  }
  assert.equal((await simulator.count()).received, 0);
});

test('a body over the limit is 413 in both dialects', async () => {
  const text = 'x'.repeat(300 * 1024);
  await raises(chat('gpt-echo', text), OpenAI.APIError, hasOpenAiShape, 413);
  await raises(message('claude-echo', text), Anthropic.APIError, hasAnthropicShape, 413);
  assert.equal((await simulator.count()).received, 0);
});

test('a provider that cannot be reached is 502 in the dialect', async () => {
  const { Gateway: Another } = await import('./harness.mjs');
  const lonely = await Another.start({ upstreamUrl: 'http://127.0.0.1:9', only: ['gpt-echo', 'claude-echo'] });
  try {
    const response = await lonely.chat('gpt-echo', 'x');
    assert.equal(response.status, 502);
    assert.ok((await response.json()).error.message);
    assert.equal((await (await lonely.messages('claude-echo', 'x')).json()).type, 'error');
  } finally {
    await lonely.finish();
  }
});

test('a provider that does not answer in time is 504', async () => {
  const slow = await Gateway.start({ simulator, only: ['gpt-script'], settings: 'timeouts: {upstream_first_byte: 300ms}' });
  try {
    const response = await slow.script({ hang_ms: 5_000 });
    assert.equal(response.status, 504);
    assert.ok((await response.json()).error.message);
  } finally {
    await slow.finish();
  }
});
