// Limits and budgets against the real binary: thousands of callers at once, kills and restarts, and
// what the official clients make of a refusal. What was served is counted by the provider.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Gateway, Simulator, cli, createKey, succeed, until } from './harness.mjs';

let simulator;
before(async () => { simulator = await Simulator.start({ threads: 2 }); });
after(async () => { await simulator?.stop(); });

const prices = 'prices:\n  - {model: "*", input: "2.50", output: "10", most_output_tokens: 4096}\n';
const budget = (text) => `  - ${text}\n`;
const settingsOf = (...budgets) => `${prices}budgets:\n${budgets.map(budget).join('')}`;

const only = ['gpt-echo', 'gpt-script', 'gpt-inside', 'gpt-tools', 'claude-echo'];
async function start(...budgets) {
  const site = Gateway.prepare({ simulator, only, settings: settingsOf(...budgets) });
  writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('threads: 1', 'threads: 4'));
  await simulator.clear();
  return Gateway.run(site);
}
// A gateway that has just begun to listen opens its socket for administration a moment later.
function shown(gateway, name) {
  for (let tries = 0; ; ++tries) {
    const result = gateway.cli('limit', 'show', name, '--json');
    if (result.status === 0 || tries === 20 || !/has this log open/.test(result.stderr)) return JSON.parse(succeed(result).stdout);
    spawnSync('sleep', ['0.25']);
  }
}
const usedOf = (gateway, name, key = '') =>
  shown(gateway, name).counters.find((one) => one.key === key)?.used ?? 0;
const limits429 = (gateway) => gateway.entries(['--type', 'request.decided'])
  .filter((entry) => entry.data.limit_exceeded);

// Posts with as many sockets as the agent allows; gives status and body.
function post(gateway, agent, body) {
  return new Promise((done, failed) => {
    const request = http.request(`${gateway.url}/v1/chat/completions`, {
      method: 'POST', agent,
      headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => done({ status: response.statusCode, text }));
      response.on('error', failed);
    });
    request.on('error', failed);
    request.end(JSON.stringify(body));
  });
}
const call = (content, more = {}) =>
  ({ model: 'gpt-echo', max_tokens: 50, messages: [{ role: 'user', content }], ...more });

test('ten thousand callers race one budget: exactly what it allows is served', { timeout: 300_000 }, async () => {
  const gateway = await start('{name: day, unit: requests, amount: 777, window: day}');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2_000 });
  try {
    const answers = await Promise.all(Array.from({ length: 10_000 }, (_, at) => post(gateway, agent, call(`caller ${at}`))));
    const served = answers.filter((one) => one.status === 200).length;
    const refused = answers.filter((one) => one.status === 429).length;
    assert.equal(served + refused, 10_000);
    assert.equal(served, 777);
    assert.equal((await simulator.count()).received, 777);
    assert.equal(usedOf(gateway, 'day'), 777);
    // The same after a kill: nothing is given back, nothing more is taken.
    await gateway.stop('SIGKILL');
    const again = await Gateway.run(gateway);
    assert.equal(usedOf(again, 'day'), 777);
    const more = await Promise.all(Array.from({ length: 200 }, () => post(again, agent, call('after'))));
    assert.ok(more.every((one) => one.status === 429));
    assert.equal((await simulator.count()).received, 777);
    assert.equal(succeed(again.verify()).status, 0);
    agent.destroy();
    await again.finish();
  } finally { agent.destroy(); await gateway.stop(); }
});

test('money: what was spent never exceeds the budget, and is what the answers say', { timeout: 120_000 }, async () => {
  const gateway = await start('{name: purse, unit: money, amount: "0.05", window: month}');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 500 });
  try {
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, at) => post(gateway, agent, call(`a question of some words ${at}`))));
    const costs = answers.filter((one) => one.status === 200).map((one) => JSON.parse(one.text).usage)
      .map((usage) => Math.ceil((usage.prompt_tokens * 2_500_000 + usage.completion_tokens * 10_000_000) / 1_000_000));
    const spent = costs.reduce((sum, cost) => sum + cost, 0);
    assert.ok(costs.length > 1, 'some were served');
    assert.ok(spent <= 50_000, `${spent} micros`);
    assert.equal(Math.round(Number(usedOf(gateway, 'purse')) * 1e6), spent);
  } finally { agent.destroy(); await gateway.finish(); }
});

test('a kill while calls are under way: they count with their worst case, the rest as it was', { timeout: 120_000 }, async () => {
  let gateway = await start('{name: tokens, unit: tokens, amount: 1000000, window: day}', '{name: calls, unit: requests, amount: 1000, window: day}');
  try {
    const finished = await (await gateway.chat('gpt-echo', 'done before', { max_tokens: 100 })).json();
    const before = finished.usage.total_tokens;
    await until(() => usedOf(gateway, 'tokens') === before, 'the first call to be settled');
    const hanging = [0, 1, 2].map((at) => gateway.script({ text: `never ${at}`, hang_ms: 600_000 }, { max_tokens: 500 }).catch(() => 'cut'));
    await until(async () => (await simulator.count()).active === 3, 'three calls under way');
    const held = usedOf(gateway, 'tokens');
    assert.ok(held >= before + 3 * 500);
    await gateway.stop('SIGKILL');
    assert.deepEqual(await Promise.all(hanging), ['cut', 'cut', 'cut']);
    for (let round = 0; round < 3; ++round) {
      gateway = await Gateway.run(gateway);
      assert.equal(usedOf(gateway, 'tokens'), held);
      assert.equal(usedOf(gateway, 'calls'), 4);
      await gateway.stop(round === 1 ? 'SIGTERM' : 'SIGKILL');
    }
    gateway = await Gateway.run(gateway);
    await gateway.chat('gpt-echo', 'done after', { max_tokens: 100 });
    assert.equal(usedOf(gateway, 'calls'), 5);
  } finally { await gateway.finish(); }
});

test('killed again and again in the middle of a race: never more than the budget in all', { timeout: 240_000 }, async () => {
  let gateway = await start('{name: all, unit: requests, amount: 600, window: day}');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
  try {
    for (let round = 0; round < 4; ++round) {
      const calls = Array.from({ length: 300 }, () => post(gateway, agent, call(`round ${round}`)).catch(() => null));
      await until(async () => (await simulator.count()).received >= 60 * (round + 1), 'some to be served', 30_000);
      await gateway.stop('SIGKILL');
      await Promise.all(calls);
      gateway = await Gateway.run(gateway);
    }
    const received = (await simulator.count()).received;
    const used = usedOf(gateway, 'all');
    assert.ok(received <= used, `${received} reached the provider, ${used} are counted`);
    const rest = await Promise.all(Array.from({ length: 700 }, () => post(gateway, agent, call('the rest'))));
    assert.equal(rest.filter((one) => one.status === 200).length, 600 - used);
    assert.ok((await simulator.count()).received <= 600);
  } finally { agent.destroy(); await gateway.finish(); }
});

test('the OpenAI client: a used-up budget is not retried, a full window is', { timeout: 60_000 }, async () => {
  const gateway = await start('{name: month, unit: requests, amount: 2, window: month, match: {models: [gpt-echo]}}',
    '{name: moment, unit: requests, amount: 1, window: 1s, match: {models: [gpt-inside]}}');
  const client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 4 });
  const ask = (model) => client.chat.completions.create({ model, max_tokens: 20, messages: [{ role: 'user', content: 'hello' }] });
  try {
    const { response } = await ask('gpt-echo').withResponse();
    assert.equal(response.headers.get('x-ratelimit-limit-requests'), '2');
    assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '1');
    assert.match(response.headers.get('x-ratelimit-reset-requests'), /^(\d+h)?(\d+m)?\d+s$/);
    await ask('gpt-echo');
    await assert.rejects(ask('gpt-echo'), (error) => error instanceof OpenAI.RateLimitError && error.status === 429
      && error.code === 'insufficient_quota' && error.type === 'insufficient_quota'
      && error.headers.get('x-should-retry') === 'false' && error.headers.get('gatehouse-limit') === 'month'
      && error.headers.get('retry-after') === null);
    assert.equal(limits429(gateway).length, 1, 'asked once');
    await ask('gpt-inside');
    await ask('gpt-inside');  // waits as it is told to, then passes
    const told = limits429(gateway).slice(1);
    assert.ok(told.length >= 1);
    assert.equal(told[0].data.problem, 'rate_limited');
    assert.equal(told[0].data.limit_exceeded.limit, 'moment');
    const stream = await client.chat.completions.create({ model: 'gpt-tools', stream: true, max_tokens: 20, messages: [{ role: 'user', content: 'x' }] });
    for await (const _ of stream);
  } finally { await gateway.finish(); }
});

test('the Anthropic client: rate_limit_error, its own headers, not retried', { timeout: 60_000 }, async () => {
  const gateway = await start('{name: tokens, unit: tokens, amount: 3000, window: day}');
  const client = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url, maxRetries: 4 });
  const ask = (max) => client.messages.create({ model: 'claude-echo', max_tokens: max, messages: [{ role: 'user', content: 'hello there' }] });
  try {
    const { data, response } = await ask(100).withResponse();
    const used = data.usage.input_tokens + data.usage.output_tokens;
    assert.equal(response.headers.get('anthropic-ratelimit-tokens-limit'), '3000');
    assert.equal(response.headers.get('anthropic-ratelimit-tokens-remaining'), String(3000 - used));
    assert.match(response.headers.get('anthropic-ratelimit-tokens-reset'), /^\d{4}-\d\d-\d\dT00:00:00Z$/);
    // Counting tokens costs none.
    await client.messages.countTokens({ model: 'claude-echo', messages: [{ role: 'user', content: 'hello there' }] });
    assert.equal(usedOf(gateway, 'tokens'), used);
    await assert.rejects(ask(2900), (error) => error instanceof Anthropic.RateLimitError
      && error.error.error.type === 'rate_limit_error' && error.headers.get('x-should-retry') === 'false');
    assert.equal(limits429(gateway).length, 1);
    await ask(100);
  } finally { await gateway.finish(); }
});

test('each of a team and of its members, and nobody else', { timeout: 60_000 }, async () => {
  const gateway = await start('{name: each, unit: requests, amount: 1, window: day, per: [principal]}',
    '{name: red, unit: requests, amount: 2, window: day, match: {teams: [red]}}');
  const keys = { ada: gateway.key };
  for (const who of ['bob', 'eve']) keys[who] = createKey(gateway, `user:${who}`, '--attribute', 'team=red').key;
  keys.zoe = createKey(gateway, 'user:zoe').key;
  const ask = async (who) => (await gateway.chat('gpt-echo', 'hello', {}, { headers: { authorization: `Bearer ${keys[who]}` } })).status;
  try {
    assert.equal(await ask('ada'), 200);
    assert.equal(await ask('ada'), 429);
    assert.equal(await ask('bob'), 200);
    assert.equal(await ask('eve'), 429);  // the team has used its two
    assert.equal(await ask('zoe'), 200);
    assert.equal(usedOf(gateway, 'each', 'principal=user:eve'), 0);
    assert.equal(usedOf(gateway, 'red'), 2);
  } finally { await gateway.finish(); }
});

test('what is not known is refused or charged in full; what never left costs nothing', { timeout: 60_000 }, async () => {
  const site = Gateway.prepare({ simulator, only, settings: `prices:
  - {model: gpt-echo, input: "2.5", output: "10"}
  - {model: gpt-script, input: "2.5", output: "10"}
budgets:
  - {name: money, unit: money, amount: "1", window: day}
  - {name: requests, unit: requests, amount: 100, window: day}
` });
  const gateway = await Gateway.run(site);
  try {
    const unpriced = await gateway.chat('gpt-tools', 'x', { max_tokens: 5 });
    assert.equal(unpriced.status, 429);
    assert.match((await unpriced.json()).error.message, /no price is known for the model "gpt-tools"/);
    const endless = await gateway.chat('gpt-echo', 'x');
    assert.equal(endless.status, 429);
    assert.match((await endless.json()).error.message, /max_completion_tokens/);
    assert.equal(usedOf(gateway, 'requests'), 0);
    // The provider refuses: a request, and no money.
    assert.equal((await gateway.script({ status: 500, error: { message: 'no' } }, { max_tokens: 5 })).status, 500);
    assert.equal(usedOf(gateway, 'requests'), 1);
    assert.equal(usedOf(gateway, 'money'), 0);
    // The client leaves in the middle: the worst case.
    const abort = new AbortController();
    const left = await gateway.script({ text: 'word '.repeat(200), pace_ms: 50 }, { stream: true, max_tokens: 1_000 }, { signal: abort.signal });
    await left.body.getReader().read();
    abort.abort();
    await until(() => gateway.entries(['--type', 'request.completed']).some((entry) => entry.data.client_left), 'the outcome');
    const outcome = gateway.entries(['--type', 'request.completed']).find((entry) => entry.data.client_left);
    const charged = outcome.data.limits.find((one) => one.limit === 'money').charged;
    assert.ok(charged >= 1_000 * 10, `${charged} micros`);
    assert.equal(Math.round(Number(usedOf(gateway, 'money')) * 1e6), charged);
    // A whole stream: its usage.
    const whole = await gateway.script({ text: 'a few words' }, { stream: true, max_tokens: 1_000 });
    await whole.text();
    const spent = Math.round(Number(usedOf(gateway, 'money')) * 1e6) - charged;
    assert.ok(spent > 0 && spent < 1_000, `${spent} micros`);
  } finally { await gateway.finish(); }
});

test('a provider that cannot be reached costs nothing', { timeout: 60_000 }, async () => {
  const site = Gateway.prepare({ upstreamUrl: 'http://127.0.0.1:9', only, settings: settingsOf('{name: all, unit: requests, amount: 1, window: day}') });
  const gateway = await Gateway.run(site);
  try {
    for (let times = 0; times < 3; ++times) assert.equal((await gateway.chat('gpt-echo', 'x')).status, 502);
    assert.equal(usedOf(gateway, 'all'), 0);
  } finally { await gateway.finish(); }
});

test('list, show, reset, reload, metrics, replay', { timeout: 120_000 }, async () => {
  let gateway = await start('{name: few, unit: requests, amount: 1, window: 30d, per: [principal]}');
  try {
    assert.equal((await gateway.chat('gpt-echo', 'one')).status, 200);
    assert.equal((await gateway.chat('gpt-echo', 'two')).status, 429);
    const listed = JSON.parse(succeed(gateway.cli('limit', 'list', '--json')).stdout);
    assert.equal(listed[0].name, 'few');
    assert.equal(listed[0].counters[0].left, 0);
    assert.match(succeed(gateway.cli('limit', 'list')).stdout, /few +requests +1 +2592000s +principal +1/);
    assert.match((await (await fetch(`${gateway.url}/metrics`)).text()), /gatehouse_limit_refusals_total\{limit="few"\} 1/);
    assert.notEqual(gateway.cli('limit', 'reset', 'few').status, 0);
    assert.notEqual(gateway.cli('limit', 'reset', 'none', '--all').status, 0);
    succeed(gateway.cli('limit', 'reset', 'few', '--key', 'principal=user:ada'));
    const [reset] = gateway.entries(['--type', 'budget.reset']);
    assert.deepEqual(reset.data, { limit: 'few', key: 'principal=user:ada' });
    assert.equal((await gateway.chat('gpt-echo', 'three')).status, 200);
    assert.equal((await gateway.chat('gpt-echo', 'four')).status, 429);
    // A reload keeps what was counted and takes the new amount.
    writeFileSync(gateway.config, readFileSync(gateway.config, 'utf8').replace('amount: 1,', 'amount: 2,'));
    gateway.signal('SIGHUP');
    await until(() => gateway.logs('snapshot in force').length > 0, 'the reload');
    assert.equal((await gateway.chat('gpt-echo', 'five')).status, 200);
    assert.equal((await gateway.chat('gpt-echo', 'six')).status, 429);
    // Over a kill as well, the reset included; then without a running gateway.
    await gateway.stop('SIGKILL');
    assert.equal(usedOf(gateway, 'few', 'principal=user:ada'), 2);
    gateway = await Gateway.run(gateway);
    assert.equal((await gateway.chat('gpt-echo', 'seven')).status, 429);
    const replayed = cli('audit', 'replay', gateway.ledger, '--all');
    assert.equal(replayed.status, 0, replayed.stdout + replayed.stderr);
  } finally { await gateway.finish(); }
});

test('a limit that policy applies, and one it names that is not there', { timeout: 60_000 }, async () => {
  const folder = (await import('node:fs')).mkdtempSync('/tmp/gatehouse-limits-policies-');
  const fs = await import('node:fs');
  const path = await import('node:path');
  const { root } = await import('./harness.mjs');
  for (const file of fs.readdirSync(path.join(root, 'policies')))
    if (/\.(cedar|cedarschema)$/.test(file)) fs.copyFileSync(path.join(root, 'policies', file), path.join(folder, file));
  const write = (name) => fs.writeFileSync(path.join(folder, '90-limit.cedar'),
    `@id("careful")\n@limit("${name}")\npermit (principal, action == Gatehouse::Action::"infer", resource) when { context.purpose == "careful" };\n`);
  write('scarce');
  const site = Gateway.prepare({ simulator, only, settings: `policies: ${folder}\n${settingsOf('{name: scarce, unit: requests, amount: 1, window: day, applies: by_policy}')}` });
  const gateway = await Gateway.run(site);
  try {
    const ask = async (purpose) => (await gateway.chat('gpt-echo', 'x', {}, { headers: purpose ? { 'gatehouse-purpose': purpose } : {} })).status;
    assert.deepEqual([await ask(), await ask(), await ask('careful'), await ask('careful'), await ask()], [200, 200, 200, 429, 200]);
    write('missing');
    const checked = gateway.cli('config', 'check');
    gateway.signal('SIGHUP');
    await until(() => /there is none of this name|wants the limit \\"missing\\"|missing/.test(gateway.log), 'the refusal of the reload');
    assert.equal(await ask('careful'), 429);
    void checked;
  } finally { await gateway.finish(); fs.rmSync(folder, { recursive: true, force: true }); }
});
