// Providers are not to be trusted either: odd framings are understood, secrets in answers are masked,
// what cannot be read is not passed on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Gateway, Simulator, people, readEvents, secrets } from './harness.mjs';

let simulator, gateway, openai, anthropic;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator, only: ['gpt-script', 'claude-script', 'gpt-echo', 'claude-echo'],
    settings: 'limits: {event_bytes: 64KiB, answer_bytes: 256KiB}' });
  openai = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url, maxRetries: 0 });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });
beforeEach(() => simulator.clear());

const user = (content) => [{ role: 'user', content }];
const ask = (play, first = 'hi') => ({ model: 'gpt-script', messages: [...user(first), ...user(JSON.stringify(play))] });
const askClaude = (play, first = 'hi') => ({ ...ask(play, first), model: 'claude-script', max_tokens: 4096 });
const chunk = (content, finish = null, role = {}) => JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm',
  choices: [{ index: 0, delta: content === null ? {} : { ...role, content }, finish_reason: finish }] });

// How servers in the field write the same stream.
const framings = {
  'CRLF line ends': (data) => `data: ${data}\r\n\r\n`,
  'no space after the colon': (data) => `data:${data}\n\n`,
  'comments between events': (data) => `: keep-alive\n\ndata: ${data}\n\n`,
  'ids and retry times': (data) => `id: 7\nretry: 100\ndata: ${data}\n\n`,
  'an event name': (data) => `event: message\ndata: ${data}\n\n`,
  'data over several lines': (data) => `data: ${data.slice(0, 10)}\ndata: ${data.slice(10)}\n\n`.replace(/data: \{"id":"c",\ndata: /, 'data: {"id":"c",\ndata: '),
};
for (const [name, frame] of Object.entries(framings)) {
  test(`OpenAI streams with ${name}`, async () => {
    const raw = [chunk('', null, { role: 'assistant' }), chunk('I am [EMA'), chunk('IL_1]'), chunk('.'), chunk(null, 'stop'), '[DONE]'].map(frame);
    const answer = await openai.chat.completions.stream(ask({ raw }, `me: ${people.email}`)).finalChatCompletion();
    assert.equal(answer.choices[0].message.content, `I am ${people.email}.`);
  });
}

test('OpenAI streams that end without [DONE] or without the last blank line', async () => {
  for (const end of ['', `data: ${chunk(null, 'stop')}`]) {
    const raw = [`data: ${chunk('whole')}\n\n`, `data: ${chunk(null, 'stop')}\n\n`, end].filter(Boolean);
    const events = await readEvents(await gateway.script({ raw }, { stream: true }));
    assert.equal(events.flatMap((event) => event.data.choices ?? []).map((one) => one.delta.content ?? '').join(''), 'whole');
  }
});

test('Anthropic streams with "event:" without a space, CRLF and comments', async () => {
  const event = (data, eol) => `: x${eol}event:${data.type}${eol}data:${JSON.stringify(data)}${eol}${eol}`;
  for (const eol of ['\n', '\r\n']) {
    const raw = [
      { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'I am [EMA' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'IL_1].' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 3 } },
      { type: 'message_stop' }].map((data) => event(data, eol));
    const message = await anthropic.messages.stream(askClaude({ raw }, `me: ${people.email}`)).finalMessage();
    assert.equal(message.content[0].text, `I am ${people.email}.`);
  }
});

test('a credential in an answer is masked: plain, streamed in pieces, in tool arguments', async () => {
  const key = secrets.awsKey();
  // The prompt has the key in pieces that no rule takes for one; the model puts them together.
  const pieces = [key.slice(0, 3), key.slice(3, 9), key.slice(9)];
  const plays = [{ chunks: ['use ', ...pieces, ' now'] }, { tool_calls: [{ name: 'f', chunks: ['{"k":"', ...pieces, '"}'] }] }];
  for (const play of plays) {
    for (const stream of [false, true]) {
      for (const response of [await gateway.chat('gpt-script', JSON.stringify(play), { stream }),
        await gateway.messages('claude-script', JSON.stringify(play), { stream })]) {
        assert.equal(response.status, 200);
        const text = await response.text();
        assert.ok(!text.includes(key), text.slice(0, 400));
        const joined = [...text.matchAll(/"(?:content|arguments|text|partial_json)":"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]).join('');
        assert.ok(!joined.includes(key) && !joined.includes(pieces[1] + pieces[2]), joined);
      }
    }
  }
});

test('personal data the model makes up itself reaches the caller unchanged', async () => {
  const made = ['somebody.else', 'other-place.org'].join('@');
  const play = { chunks: [made.slice(0, 5), made.slice(5, 20), made.slice(20)] };
  assert.equal((await openai.chat.completions.create(ask(play))).choices[0].message.content, made);
  assert.equal((await openai.chat.completions.stream(ask(play)).finalChatCompletion()).choices[0].message.content, made);
});

test('an answer that is not JSON is not passed on', async () => {
  for (const [type, body] of [['application/json', 'oops'], ['application/json', '{"choices":[{"message":{"content":"cut'], ['text/html', '<html>login</html>']]) {
    const response = await gateway.script({ raw: [body], content_type: type });
    assert.equal(response.status, 502, body);
    assert.equal(typeof (await response.json()).error.message, 'string');
    const other = await gateway.messages('claude-script', JSON.stringify({ raw: [body], content_type: type }));
    assert.equal(other.status, 502, body);
    assert.equal((await other.json()).type, 'error');
  }
});

// A stream that fails is an error answer where nothing was sent yet, an error event after that.
async function failure(response) {
  if (response.headers.get('content-type').startsWith('application/json')) {
    assert.equal(response.status, 502);
    return { error: (await response.json()).error, sent: '' };
  }
  const events = await readEvents(response);
  return { error: events.at(-1).data.error, sent: JSON.stringify(events) };
}

test('a stream whose events are not JSON ends in an error event of the dialect', async () => {
  for (const pace_ms of [0, 100]) {
    const raw = [`data: ${chunk('good and well and ')}\n\n`, 'data: not json\n\n', `data: ${chunk('never')}\n\n`];
    const { error, sent } = await failure(await gateway.script({ raw, pace_ms }, { stream: true }));
    assert.equal(typeof error.message, 'string');
    assert.ok(!sent.includes('never'));
  }
});

test('an event or an answer over the limit ends in an error, not in memory', async () => {
  const endless = await gateway.script({ raw: Array(40).fill(`data: ${'x'.repeat(4_000)}`) }, { stream: true });
  assert.equal(typeof (await failure(endless)).error.message, 'string');
  const large = await gateway.script({ text: 'word '.repeat(80_000) });
  assert.equal(large.status, 502);
  assert.equal((await gateway.chat('gpt-echo', 'still there')).status, 200);
});

test('a plain answer to a streamed call passes as what it is', async () => {
  const body = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'plain' }, finish_reason: 'stop' }] });
  const response = await gateway.script({ raw: [body], content_type: 'application/json' }, { stream: true });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).choices[0].message.content, 'plain');
});

test('the provider is asked for an answer that can be read: no compression', async () => {
  await gateway.chat('gpt-echo', 'x', {}, { headers: { 'accept-encoding': 'gzip, br, zstd' } });
  const [request] = await simulator.requests();
  assert.ok(['identity', undefined].includes(request.headers['accept-encoding']), request.headers['accept-encoding']);
});

test('a provider that compresses all the same is refused', async () => {
  const response = await gateway.script({ raw: ['whatever'], content_type: 'application/json', headers: { 'content-encoding': 'gzip' } });
  assert.equal(response.status, 502);
});

test('headers of the provider pass, those of the connection do not', async () => {
  const response = await gateway.script({ text: 'x', headers: { 'x-ratelimit-remaining-tokens': '5', 'x-custom': 'y', 'set-cookie': 'session=1', connection: 'x-custom' } });
  assert.equal(response.headers.get('x-ratelimit-remaining-tokens'), '5');
  assert.match(response.headers.get('x-request-id'), /^req_sim/);
});

test('a redirect is an error, and what makes clients go elsewhere never passes', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(Number(request.headers['x-request-id']), { location: 'http://127.0.0.1:1/elsewhere' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const moved = await Gateway.start({ upstreamUrl: `http://127.0.0.1:${server.address().port}`, only: ['gpt-echo'] });
  try {
    for (const status of [301, 302, 303, 304, 307, 308]) {
      const response = await moved.chat('gpt-echo', `me: ${people.email}`, {}, { headers: { 'x-request-id': status } });
      assert.equal(response.status, 502);
      assert.match((await response.json()).error.message, /redirect/);
      assert.equal(response.headers.get('location'), null);
    }
  } finally {
    await moved.finish();
    server.close();
  }
  const response = await gateway.script({ text: 'x', headers: { location: '/a', refresh: '0', 'gatehouse-audit': 'strict', 'gatehouse-x': '1' } });
  assert.equal(response.status, 200);
  for (const name of ['location', 'refresh', 'gatehouse-audit', 'gatehouse-x']) assert.equal(response.headers.get(name), null, name);
});

test('logprobs are taken out where they show what was changed, and left where not', async () => {
  const logprobs = { content: [{ token: '[EMAIL_1]', logprob: 0, bytes: [65], top_logprobs: [] }], refusal: null };
  const plain = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, logprobs,
    message: { role: 'assistant', content: '[EMAIL_1]' }, finish_reason: 'stop' }] });
  const answer = await openai.chat.completions.create(ask({ raw: plain.split(/(?<=\[EMA)/), content_type: 'application/json' }, `me: ${people.email}`));
  assert.equal(answer.choices[0].message.content, people.email);
  assert.equal(answer.choices[0].logprobs, null);
  const raw = [`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm',
    choices: [{ index: 0, delta: { role: 'assistant', content: '[EMAIL_1]' }, logprobs, finish_reason: null }] })}\n\n`,
  `data: ${chunk(null, 'stop')}\n\n`, 'data: [DONE]\n\n'].flatMap((event) => event.split(/(?<=\[EMA)/));
  const streamed = await openai.chat.completions.stream(ask({ raw }, `me: ${people.email}`)).finalChatCompletion();
  assert.equal(streamed.choices[0].message.content, people.email);
  assert.ok(!JSON.stringify(streamed).includes('"token"'));
  const harmless = { content: [{ token: 'fine', logprob: 0, bytes: [102], top_logprobs: [] }], refusal: null };
  const body = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, logprobs: harmless,
    message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }] });
  assert.deepEqual((await openai.chat.completions.create(ask({ raw: [body], content_type: 'application/json' }))).choices[0].logprobs, harmless);
});

test('an empty error member beside a delta hides nothing', async () => {
  const key = secrets.awsKey();
  const with_error = (content, error) => `data: ${JSON.stringify({ ...JSON.parse(chunk(content)), error })}\n\n`;
  for (const error of ['', {}, null, false]) {
    const raw = [with_error(`use ${key.slice(0, 6)}`, error), with_error(`${key.slice(6)} now`, error), `data: ${chunk(null, 'stop')}\n\n`, 'data: [DONE]\n\n'];
    const events = await readEvents(await gateway.script({ raw }, { stream: true }));
    const text = events.flatMap((event) => event.data.choices ?? []).map((one) => one.delta.content ?? '').join('');
    assert.match(text, /^use \[CREDENTIAL_\d+\] now$/);
  }
});

test('an error of the provider in the middle of a stream stands in the outcome', async () => {
  const response = await gateway.script({ text: 'one two three', error_after: 2 }, { stream: true });
  await response.text();
  const outcome = gateway.entries().find((entry) => entry.data?.decision === response.headers.get('gatehouse-entry'));
  assert.equal(outcome.data.problem, 'upstream_failed');
});

test('nothing counts after [DONE], not even a connection that breaks', async () => {
  const raw = [`data: ${chunk('whole')}\n\n`, `data: ${chunk(null, 'stop')}\n\n`, 'data: [DONE]\n\n', 'data: late\n\n', 'data: later\n\n'];
  const response = await gateway.script({ raw, pace_ms: 30, cut_after: 4 }, { stream: true });
  const text = await response.text();
  assert.ok(text.trimEnd().endsWith('data: [DONE]'), text);
  const outcome = gateway.entries().find((entry) => entry.data?.decision === response.headers.get('gatehouse-entry'));
  assert.equal(outcome.data.problem, undefined);
});
