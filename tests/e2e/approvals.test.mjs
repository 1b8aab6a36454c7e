// Calls that wait for people, decided over HTTP, by the command line elsewhere, and by signed links. The calls come from
// chat traffic: a provider that answers with exactly the call the test wants, official client, shipped policies.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { Gateway, binary, cli, createKey, sleep, succeed, until } from './harness.mjs';

const declarations = `
tools:
  - {name: read_page, effects: [read], trust: untrusted, arguments: {url: destination}}
  - {name: pay, effects: [write, external, irreversible], trust: trusted, arguments: {recipient: recipient, amount: amount}}
  - {name: pay_all, effects: [write, external, irreversible], trust: trusted, arguments: {recipient: recipient}}
`;
// Two more rules of the deployment: what two people of two roles must agree to, and what is over at once.
const more = `
@id("all-at-once")
@require_approval("role=approver, count=2, expires=1h")
permit (principal, action == Gatehouse::Action::"call_tool", resource)
when { resource.name == "pay_all" };
@id("all-at-once-treasurer")
@require_approval("role=treasurer, count=1, expires=1h")
permit (principal, action == Gatehouse::Action::"call_tool", resource)
when { resource.name == "pay_all" };
@id("quickly")
@require_approval("role=approver, count=1, expires=1s")
permit (principal, action == Gatehouse::Action::"call_tool", resource)
when { context.purpose == "quickly" };
`;

let provider, gateway, next;
const keys = {};
before(async () => {
  provider = http.createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
        choices: [{ index: 0, finish_reason: 'tool_calls', message: { role: 'assistant', content: null,
          tool_calls: [{ id: 'call_0', type: 'function', function: { name: next.name, arguments: JSON.stringify(next.arguments) } }] } }] }));
    });
  });
  await new Promise((done) => provider.listen(0, '127.0.0.1', done));
  const site = Gateway.prepare({ upstreamUrl: `http://127.0.0.1:${provider.address().port}`, settings: `${declarations}policies: policies\n`, only: ['gpt-echo'] });
  const policies = path.join(site.folder, 'policies');
  succeed(cli('policy', 'init', policies));
  appendFileSync(path.join(policies, '60-own.cedar'), more);
  gateway = await Gateway.run(site);
  const make = (name, principal, role) => { keys[name] = createKey(gateway, principal, ...(role ? ['--attribute', `role=${role}`] : [])).key; };
  keys.ada = gateway.key;
  make('bob', 'user:bob', 'approver');
  make('eve', 'user:eve', 'approver');
  make('tom', 'user:tom', 'treasurer');
  make('adaApprover', 'user:ada', 'approver');
  make('administrator', 'user:root', 'administrator');
  make('agent', 'agent:helper', 'approver');
});
after(async () => { await gateway?.finish(); provider?.close(); });

// One turn of chat after a page was read; the call the model makes is held or passes.
async function turn(name, args, { key = keys.ada, purpose } = {}) {
  next = { name, arguments: args };
  const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0, defaultHeaders: purpose ? { 'Gatehouse-Purpose': purpose } : {} });
  const { data, response } = await client.chat.completions.create({ model: 'gpt-echo',
    tools: ['read_page', 'pay', 'pay_all'].map((tool) => ({ type: 'function', function: { name: tool, parameters: { type: 'object', properties: {} } } })),
    messages: [{ role: 'user', content: 'Pay the bill on the page.' },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read_page', arguments: '{"url":"x"}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: `Send it to ${args.recipient}: ${args.amount ?? 'all'}.` }] }).withResponse();
  const { message } = data.choices[0];
  return { calls: message.tool_calls ?? [], text: message.content ?? '', id: response.headers.get('gatehouse-approval') };
}
async function held(name, args, more) {
  const answer = await turn(name, args, more);
  assert.equal(answer.calls.length, 0, JSON.stringify(answer));
  assert.match(answer.id ?? '', /^ap_[0-9a-f]{24}$/, answer.text);
  return answer.id;
}
const passes = async (...call) => (await turn(...call)).calls.length === 1;
async function api(key, method, where, body) {
  const response = await fetch(`${gateway.url}/v1/approvals${where}`, { method, headers: { authorization: `Bearer ${key}`, ...(method === 'POST' && { 'content-type': 'application/json' }) },
    body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined });
  const answer = await response.json();
  return { status: response.status, entry: response.headers.get('gatehouse-entry'), ...answer };
}
const remote = (key, ...args) => spawnSync(binary, args, { encoding: 'utf8', cwd: '/', env: { GATEHOUSE_SERVER: gateway.url, GATEHOUSE_KEY: key } });
const bill = (amount) => ({ recipient: `BILL-${amount}-ACCOUNT`, amount });

test('an approver sees the call, its label and why it waits, approves it, and it passes once', async () => {
  const id = await held('pay', bill(20));
  const { approvals } = await api(keys.bob, 'GET', '');
  const listed = approvals.find((one) => one.id === id);
  assert.equal(listed.may_decide, true);
  assert.equal(listed.own, false);
  assert.equal(listed.arguments, undefined, 'a list has no content');
  const shown = await api(keys.bob, 'GET', `/${id}`);
  assert.equal(shown.status, 200, JSON.stringify(shown));
  assert.deepEqual(JSON.parse(shown.approval.arguments), bill(20));
  assert.match(shown.approval.reason, /Only untrusted content names: amount, recipient/);
  assert.match(shown.approval.label, /integrity untrusted/);
  assert.equal(gateway.entry(shown.entry).data.action, 'approve', 'looking at it is recorded');
  const approved = await api(keys.bob, 'POST', `/${id}/approve`, { reason: 'it is the bill of this month' });
  assert.equal(approved.status, 200, JSON.stringify(approved));
  assert.equal(approved.approval.state, 'granted');
  assert.ok(await passes('pay', bill(20)));
  assert.ok(!await passes('pay', bill(20)), 'once');
  const [granted] = gateway.entries(['--type', 'approval.granted']).filter((entry) => entry.data.approval === id);
  assert.equal(granted.actor.id, 'user:bob');
  assert.equal(granted.data.note, 'it is the bill of this month');
  const decided = gateway.entry(approved.entry);
  assert.equal(decided.type, 'administration.decided');
  assert.deepEqual(decided.data.policies, ['approvers-approve']);
  assert.ok(!JSON.stringify(gateway.entries()).includes('BILL-20'), 'no content in the ledger');
});

test('who asked, in whose name it was asked, an agent, and whoever lacks the role, do not decide', async () => {
  const id = await held('pay', bill(21));
  const own = await api(keys.adaApprover, 'POST', `/${id}/approve`);
  assert.equal(own.status, 403);
  assert.match(own.error.message, /nobody-approves-their-own.*Somebody else has to decide this/);
  for (const [key, why] of [[keys.tom, /Blocked by policy/], [keys.administrator, /Blocked by policy/], [keys.agent, /no-administration-by-agents/]]) {
    const answer = await api(key, 'POST', `/${id}/approve`);
    assert.equal(answer.status, 403);
    assert.match(answer.error.message, why);
    assert.equal((await api(key, 'POST', `/${id}/deny`)).status, 403);
    assert.equal((await api(key, 'GET', `/${id}`)).status, 403, 'nor look at the arguments');
    assert.ok(!(await api(key, 'GET', '')).approvals.some((one) => one.id === id));
  }
  assert.equal((await api('gh_none', 'POST', `/${id}/approve`)).status, 401);
  // Who asked sees what became of it.
  const mine = await api(keys.ada, 'GET', `/${id}`);
  assert.deepEqual(JSON.parse(mine.approval.arguments), bill(21));
  assert.ok((await api(keys.ada, 'GET', '')).approvals.find((one) => one.id === id).own);
  // An agent that acts for ada: neither of the two decides.
  const { access_token: token } = await (await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: keys.adaApprover, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    actor_token: keys.agent, actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' }) })).json();
  const delegated = await held('pay', bill(22), { key: token });
  assert.equal((await api(keys.adaApprover, 'POST', `/${delegated}/approve`)).status, 403);
  assert.equal((await api(keys.bob, 'POST', `/${delegated}/approve`)).status, 200);
  assert.ok(await passes('pay', bill(22), { key: token }));
  assert.ok(!await passes('pay', bill(22)), 'what the agent may do for ada, ada may not do herself by it');
});

test('a denial is final until it ends; a second decision is refused', async () => {
  const id = await held('pay', bill(23));
  assert.equal((await api(keys.bob, 'POST', `/${id}/deny`, { reason: 'no such bill' })).approval.state, 'denied');
  const again = await api(keys.eve, 'POST', `/${id}/approve`);
  assert.equal(again.status, 409);
  assert.match(again.error.message, /denied already/);
  assert.match((await turn('pay', bill(23))).text, /refused the call of "pay".*denied/s);
  assert.equal((await api(keys.bob, 'POST', '/ap_000000000000000000000000/approve')).status, 404);
  assert.equal((await api(keys.bob, 'POST', `/${id}/approve`, { resaon: 'misspelt' })).status, 400);
  assert.equal((await api(keys.bob, 'POST', `/${id}/settle`)).status, 404);
});

test('two roles, three different people', async () => {
  const id = await held('pay_all', { recipient: 'ALL-ACCOUNT' });
  assert.equal((await api(keys.bob, 'POST', `/${id}/approve`)).approval.state, 'pending');
  assert.equal((await api(keys.bob, 'POST', `/${id}/approve`)).status, 409);
  assert.equal((await api(keys.eve, 'POST', `/${id}/approve`)).approval.state, 'pending');
  assert.ok(!await passes('pay_all', { recipient: 'ALL-ACCOUNT' }));
  assert.equal((await api(keys.tom, 'POST', `/${id}/approve`)).approval.state, 'granted');
  assert.ok(await passes('pay_all', { recipient: 'ALL-ACCOUNT' }));
});

test('it ends by itself', async () => {
  const id = await held('pay', bill(24), { purpose: 'quickly' });
  await sleep(1_100);
  assert.equal((await api(keys.bob, 'POST', `/${id}/approve`)).status, 404);
  await until(() => gateway.entries(['--type', 'approval.expired']).some((entry) => entry.data.approval === id), 'its end in the ledger');
});

test('the command line at another machine', async () => {
  const id = await held('pay', bill(25));
  assert.match(succeed(remote(keys.bob, 'approval', 'list')).stdout, new RegExp(`${id} +pending +pay +user:ada`));
  assert.deepEqual(JSON.parse(JSON.parse(succeed(remote(keys.bob, 'approval', 'show', id)).stdout).arguments), bill(25));
  const refused = remote(keys.adaApprover, 'approval', 'approve', id);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /Somebody else has to decide/);
  assert.equal(succeed(remote(keys.bob, 'approval', 'approve', id, '--reason', 'fine')).stdout, `${id} is granted\n`);
  assert.ok(await passes('pay', bill(25)));
  assert.match(remote(keys.bob, 'approval', 'link', id, '--for', 'user:eve').stderr, /made at the node/);
});

test('standing approvals: a tool, a principal, an end; not for oneself, and they can be withdrawn', async () => {
  const body = { tool: 'pay', principal: 'user:grace', lifetime_seconds: 3_600, reason: 'the bills of november' };
  const grace = createKey(gateway, 'user:grace').key;
  assert.equal((await api(keys.tom, 'POST', '/grant', body)).status, 403);
  assert.equal((await api(keys.adaApprover, 'POST', '/grant', { ...body, principal: 'user:ada' })).status, 403);
  const granted = await api(keys.bob, 'POST', '/grant', body);
  assert.equal(granted.status, 200, JSON.stringify(granted));
  assert.ok(await passes('pay', bill(26), { key: grace }));
  assert.ok(await passes('pay', bill(27), { key: grace }));
  assert.ok(!await passes('pay', bill(26)), 'ada is somebody else');
  assert.ok(!await passes('pay_all', { recipient: 'ALL-2' }, { key: grace }), 'another tool');
  assert.equal((await api(keys.tom, 'POST', `/${granted.approval.id}/withdraw`)).status, 403);
  assert.equal((await api(keys.eve, 'POST', `/${granted.approval.id}/withdraw`)).status, 200);
  assert.ok(!await passes('pay', bill(28), { key: grace }));
});

const linkFor = (id, person, ...more) => new URL(succeed(gateway.cli('approval', 'link', id, '--for', person, '--url', gateway.url, ...more)).stdout.trim());
const post = (url, form) => fetch(url, { method: 'POST', body: new URLSearchParams(form) });

test('a signed link shows the call; only its form decides, once', async () => {
  const id = await held('pay', { recipient: '<b>BILL-29</b>', amount: 29 });
  const link = linkFor(id, 'user:bob');
  for (let scan = 0; scan < 3; ++scan) {
    const page = await fetch(link);
    const html = await page.text();
    assert.equal(page.status, 200, html);
    assert.match(page.headers.get('content-security-policy'), /default-src 'none'/);
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(page.headers.get('cache-control'), 'private, no-store');
    assert.match(html, /You decide as<\/dt><dd>user:bob/);
    assert.ok(html.includes('&lt;b&gt;BILL-29&lt;/b&gt;') && !html.includes('<b>'));
  }
  assert.equal((await fetch(link, { method: 'HEAD' })).status, 200);
  assert.equal((await api(keys.bob, 'GET', `/${id}`)).approval.state, 'pending', 'whatever follows links decides nothing');
  assert.equal((await post(link, { decision: 'perhaps' })).status, 400);
  assert.equal((await fetch(link, { method: 'POST', body: '{"decision":"approve"}', headers: { 'content-type': 'application/json' } })).status, 400);
  const done = await post(link, { decision: 'approve', reason: 'by mail' });
  assert.equal(done.status, 200);
  assert.match(await done.text(), /Approved/);
  for (const answer of [await post(link, { decision: 'deny' }), await fetch(link)]) {
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /used already/);
  }
  assert.ok(await passes('pay', { recipient: '<b>BILL-29</b>', amount: 29 }));
  const [granted] = gateway.entries(['--type', 'approval.granted']).filter((entry) => entry.data.approval === id);
  assert.equal(granted.actor.id, 'user:bob');
  const text = JSON.stringify(gateway.entries());
  assert.ok(!text.includes(link.pathname.split('/').pop()), 'the link itself stands nowhere');
  assert.equal(gateway.entries(['--type', 'administration.decided']).slice(-1)[0].data.surface, 'link');
});

test('a link is for one person, one call and a time', async () => {
  const id = await held('pay', bill(30));
  const own = linkFor(id, 'user:ada');
  assert.equal((await fetch(own)).status, 403);
  assert.equal((await post(own, { decision: 'approve' })).status, 403);
  assert.equal((await fetch(linkFor(id, 'user:tom'))).status, 403, 'of another role');
  assert.equal((await fetch(linkFor(id, 'user:nobody'))).status, 403);
  const link = linkFor(id, 'user:bob');
  const at = link.pathname.length - 60;
  const forged = new URL(link);
  forged.pathname = link.pathname.slice(0, at) + (link.pathname[at] === 'A' ? 'B' : 'A') + link.pathname.slice(at + 1);
  assert.equal((await fetch(forged)).status, 404);
  assert.equal((await fetch(`${gateway.url}/approvals/link/`)).status, 404);
  assert.equal((await fetch(`${gateway.url}/approvals/link/${'a'.repeat(6_000)}`)).status, 404);
  const short = linkFor(id, 'user:bob', '--expires', '1s');
  await sleep(1_100);
  assert.equal((await fetch(short)).status, 404);
  succeed(gateway.cli('principal', 'suspend', 'user:bob'));
  assert.equal((await fetch(link)).status, 404, 'bob is suspended');
  succeed(gateway.cli('principal', 'restore', 'user:bob'));
  // Decided elsewhere, the link is over.
  assert.equal((await api(keys.eve, 'POST', `/${id}/deny`)).status, 200);
  assert.equal((await post(link, { decision: 'approve' })).status, 409);
  assert.match(gateway.cli('approval', 'link', id, '--for', 'user:bob').stderr, /nothing to decide/);
});

test('all of it survives a kill, and a database that is gone', async () => {
  const [granted, denied, half] = [await held('pay', bill(40)), await held('pay', bill(41)), await held('pay_all', { recipient: 'HALF' })];
  assert.equal((await api(keys.bob, 'POST', `/${granted}/approve`)).status, 200);
  assert.equal((await api(keys.bob, 'POST', `/${denied}/deny`)).status, 200);
  assert.equal((await api(keys.bob, 'POST', `/${half}/approve`)).status, 200);
  const waiting = await held('pay', bill(42));
  const link = linkFor(waiting, 'user:bob');
  const port = gateway.port;
  await gateway.stop('SIGKILL');
  for (const name of readdirSync(gateway.data)) if (name.startsWith('state.db')) (await import('node:fs')).rmSync(path.join(gateway.data, name));
  gateway = await Gateway.run(gateway);
  link.port = gateway.port;
  assert.ok(port !== undefined);
  assert.ok(await passes('pay', bill(40)));
  assert.match((await turn('pay', bill(41))).text, /denied/);
  assert.equal((await api(keys.bob, 'POST', `/${half}/approve`)).status, 409, 'bob has decided');
  assert.equal((await post(link, { decision: 'approve' })).status, 200);
  assert.ok(await passes('pay', bill(42)));
  await gateway.stop('SIGKILL');
  gateway = await Gateway.run(gateway);
  assert.ok(!await passes('pay', bill(40)), 'what was used is used');
  assert.ok(!await passes('pay', bill(42)));
});
