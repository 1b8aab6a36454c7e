// Who may administer, over the gateway's own listener: plain HTTP and the command line, five roles, each exactly its own.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Gateway, Raw, Simulator, binary, createKey, succeed, until } from './harness.mjs';

const roles = ['administrator', 'operator', 'auditor', 'privacy', 'approver'];
let simulator, gateway;
const keys = {};
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator, only: ['gpt-echo'], settings: 'budgets:\n  - {name: hourly, unit: requests, amount: 1000, window: day}\n' });
  for (const role of roles) keys[role] = createKey(gateway, `user:${role}`, '--attribute', `role=${role}`).key;
  keys.nobody = gateway.key;
  keys.agent = createKey(gateway, 'agent:helper', '--attribute', 'role=administrator').key;
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });

const call = (key, method, path, body, headers = {}) => fetch(`${gateway.url}${path}`, {
  method, headers: { ...(key && { authorization: `Bearer ${key}` }), ...(method === 'POST' && { 'content-type': 'application/json' }), ...headers },
  body: method === 'POST' ? (typeof body === 'string' ? body : JSON.stringify(body ?? {})) : undefined });
// The command line at another machine: it has no configuration here.
const remote = (key, ...args) => spawnSync(binary, args, { encoding: 'utf8', cwd: '/', env: { PATH: process.env.PATH, GATEHOUSE_SERVER: gateway.url, GATEHOUSE_KEY: key } });

// What each call takes, and who has it. A body that is wrong where it matters comes after the decision: 400 is permitted.
const calls = [
  ['GET', '/admin/keys', null, ['administrator']],
  ['POST', '/admin/keys', { principal: 'user:new' }, ['administrator']],
  ['POST', '/admin/keys/revoke', { key: 'gh_nothing' }, ['administrator']],
  ['POST', '/admin/tokens', { principal: 'agent:nightly', for: ['user:ada'] }, ['administrator']],
  ['POST', '/admin/tokens/revoke', {}, ['administrator']],
  ['GET', '/admin/revocations', null, ['administrator']],
  ['POST', '/admin/principals/suspend', {}, ['administrator']],
  ['POST', '/admin/principals/restore', {}, ['administrator']],
  ['GET', '/admin/models', null, ['administrator', 'operator', 'auditor', 'privacy']],
  ['POST', '/admin/models', { name: 'x', provider: 'nobody', trust: 'internal' }, ['administrator', 'operator']],
  ['POST', '/admin/models/remove', { name: 'nothing' }, ['administrator', 'operator']],
  ['GET', '/admin/export', null, ['administrator', 'operator', 'auditor', 'privacy']],
  ['GET', '/admin/limits', null, ['administrator', 'operator', 'auditor', 'privacy']],
  ['POST', '/admin/limits/reset', { limit: 'nothing' }, ['administrator', 'operator']],
  ['POST', '/admin/reload', {}, ['administrator']],
  ['POST', '/admin/mcp/list', {}, ['administrator', 'operator', 'auditor', 'privacy']],
  ['POST', '/admin/mcp/review', { server: 'nothing' }, ['administrator', 'operator']],
  ['POST', '/admin/mcp/approve', {}, ['administrator', 'operator']],
  ['POST', '/admin/mcp/withdraw', {}, ['administrator', 'operator']],
  ['POST', '/admin/provenance/status', {}, ['administrator', 'operator', 'auditor', 'privacy']],
  ['POST', '/admin/provenance/check', {}, ['administrator', 'auditor']],
  ['POST', '/admin/provenance/find', { text: 'x' }, ['privacy']],
  ['POST', '/admin/vault/list', {}, ['privacy']],
  ['POST', '/admin/vault/get', {}, ['privacy']],
  ['POST', '/admin/vault/find', { subject: 'ada' }, ['privacy']],
  ['POST', '/admin/vault/holds', {}, ['privacy']],
  ['POST', '/admin/vault/erase', {}, ['privacy']],
  ['POST', '/admin/vault/hold', {}, ['privacy']],
  ['POST', '/admin/vault/release', {}, ['privacy']],
  ['POST', '/admin/vault/rewrap', {}, ['administrator']],
];

test('the table of this test is that of the program', () => {
  const source = readFileSync(new URL('../../src/gateway/administration.cc', import.meta.url), 'utf8');
  const known = [...source.matchAll(/\{"(GET|POST)", "(\/admin\/[a-z/]+)"/g)].map(([, method, path]) => `${method} ${path}`)
    .filter((one) => !one.includes('/admin/approvals/'));
  assert.deepEqual(known.sort(), calls.map(([method, path]) => `${method} ${path}`).sort());
});

for (const role of [...roles, 'nobody', 'agent']) {
  test(`${role}: each call is decided by policy, and the decision is in the ledger`, async () => {
    for (const [method, path, body, allowed] of calls) {
      const response = await call(keys[role], method, path, body);
      const answer = await response.json();
      const what = `${role} ${method} ${path}: ${response.status} ${JSON.stringify(answer)}`;
      assert.equal(response.status !== 403, allowed.includes(role), what);
      assert.notEqual(response.status, 401, what);
      const entry = gateway.entry(response.headers.get('gatehouse-entry'));
      assert.equal(entry.type, 'administration.decided', what);
      assert.equal(entry.subject.path, path);
      assert.equal(entry.actor.id, { nobody: 'ada', agent: 'helper' }[role] ?? role);
      assert.equal(entry.data.effect, allowed.includes(role) ? 'permit' : 'forbid', what);
      assert.equal(entry.data.surface, 'api');
      if (response.status === 403) {
        assert.match(answer.error.message, /^Blocked by policy/);
        assert.equal(response.headers.get('x-should-retry'), 'false');
      }
    }
    if (role === 'agent') {
      const { error } = await (await call(keys.agent, 'GET', '/admin/keys')).json();
      assert.match(error.message, /no-administration-by-agents.*Agents do not administer Gatehouse/);
    }
  });
}

test('what is permitted is done, and done by whom it was permitted', async () => {
  const made = await (await call(keys.administrator, 'POST', '/admin/keys', { principal: 'user:bea', attributes: { team: 'blue' } })).json();
  assert.equal((await gateway.chat('gpt-echo', 'hello', {}, { headers: { authorization: `Bearer ${made.key}` } })).status, 200);
  const [created] = gateway.entries(['--type', 'key.created']).filter((entry) => entry.data.prefix === made.record.prefix);
  assert.equal(created.actor.id, 'user:administrator');
  const revoked = await call(keys.administrator, 'POST', '/admin/keys/revoke', { key: made.record.prefix });
  assert.equal(revoked.status, 200);
  assert.equal((await gateway.chat('gpt-echo', 'hello', {}, { headers: { authorization: `Bearer ${made.key}` } })).status, 401);
  const { id } = gateway.entry(revoked.headers.get('gatehouse-entry'));
  const outcome = gateway.entries(['--type', 'administration.completed']).find((entry) => entry.data.decision === id);
  assert.equal(outcome.data.status, 200);
});

test('an operator makes no administrator, nor any key', async () => {
  const response = await call(keys.operator, 'POST', '/admin/keys', { principal: 'user:operator', attributes: { role: 'administrator' } });
  assert.equal(response.status, 403);
  const { error } = await response.json();
  assert.match(error.message, /nobody-gives-what-they-lack.*role that you do not have/);
  const { data } = gateway.entry(response.headers.get('gatehouse-entry'));
  assert.deepEqual(data.roles, ['administrator']);
  const plain = await call(keys.operator, 'POST', '/admin/keys', { principal: 'user:operator' });
  assert.equal(plain.status, 403);
});

test('what was delegated or narrowed administers nothing', async () => {
  const exchange = async (form, key) => (await (await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', headers: key ? { authorization: `Bearer ${key}` } : {},
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: keys.administrator,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', ...form }) })).json()).access_token;
  const byAgent = await exchange({ actor_token: keys.agent, actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' });
  const narrowed = await exchange({ scope: 'model:gpt-echo' });
  const minted = JSON.parse(succeed(gateway.cli('token', 'mint', '--principal', 'user:administrator', '--json')).stdout).token;
  for (const token of [byAgent, narrowed, minted]) {
    const response = await call(token, 'GET', '/admin/models');
    const { error } = await response.json();
    assert.equal(response.status, 403, JSON.stringify(error));
    assert.match(error.message, /no-administration-by-agents|no-delegated-administration/);
  }
});

test('who is not known, what is not known, and what is not a call, goes no further', async () => {
  assert.equal((await call(null, 'GET', '/admin/keys')).status, 401);
  assert.equal((await call('gh_aaaaaaaa_nothing', 'GET', '/admin/keys')).status, 401);
  assert.equal((await call(null, 'GET', '/admin/nothing')).status, 401, 'whoever is not known learns of no path');
  for (const path of ['/admin/', '/admin/nothing', '/admin/keys/', '/admin//keys', '/admin/vault/dump', '/admin/approvals/approve', '/admin/%6beys'])
    assert.equal((await call(keys.administrator, 'POST', path)).status, 404, path);
  assert.equal((await call(keys.administrator, 'GET', '/admin/keys?all=1')).status, 400);
  assert.equal((await call(keys.administrator, 'DELETE', '/admin/keys')).status, 405);
  assert.equal((await call(keys.administrator, 'POST', '/admin/keys', 'principal=user:x', { 'content-type': 'application/x-www-form-urlencoded' })).status, 400,
    'no form of a page elsewhere is a call');
  assert.equal((await call(keys.administrator, 'POST', '/admin/keys', `{"principal":"${'a'.repeat(100_000)}"}`)).status, 413);
  assert.equal((await call(keys.administrator, 'POST', '/admin/keys', '[')).status, 400);
  const raw = await Raw.connect(gateway.port);
  raw.send(`GET /admin/../admin/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keys.administrator}\r\n\r\n`);
  await until(() => raw.statuses().length > 0, 'an answer');
  raw.end();
  assert.ok(raw.statuses()[0] >= 400);
  assert.ok(gateway.entries(['--type', 'request.refused']).some((entry) => entry.subject.route === 'administration' && entry.data.problem === 'unauthenticated'));
});

test('the command line administers another machine, by the same rules and with the same words', () => {
  assert.match(succeed(remote(keys.operator, 'model', 'add', 'gpt-remote', '--provider', 'sim', '--upstream-model', 'simulator-echo', '--trust', 'external')).stdout, /^added gpt-remote/);
  assert.equal(succeed(remote(keys.auditor, 'model', 'list')).stdout, succeed(gateway.cli('model', 'list')).stdout);
  const made = JSON.parse(succeed(remote(keys.administrator, 'key', 'create', '--principal', 'user:far', '--json')).stdout);
  assert.match(made.key, /^gh_/);
  assert.equal(succeed(remote(keys.administrator, 'key', 'list')).stdout, succeed(gateway.cli('key', 'list')).stdout);
  const here = gateway.cli('key', 'revoke', 'gh_nothing');
  const there = remote(keys.administrator, 'key', 'revoke', 'gh_nothing');
  assert.deepEqual([there.status, there.stderr], [here.status, here.stderr]);
  const denied = remote(keys.auditor, 'key', 'create', '--principal', 'user:x');
  assert.equal(denied.status, 2);
  assert.match(denied.stderr, /Blocked by policy/);
  const [entry] = gateway.entries(['--type', 'administration.decided']).slice(-1);
  assert.equal(entry.data.surface, 'cli');
  assert.equal(entry.actor.id, 'auditor');
});

test('the key of the command line is in no message and in no list of processes', async () => {
  const wrong = `${keys.administrator.slice(0, 11)}_${'x'.repeat(32)}`;
  for (const key of [wrong, keys.auditor, 'a key with spaces', `${keys.auditor}\r\nX-More: 1`]) {
    const result = remote(key, 'key', 'list');
    assert.equal(result.status, 2);
    assert.ok(!(result.stdout + result.stderr).includes(key), result.stderr);
  }
  for (const server of ['http://192.0.2.7:8080', 'http://example.org', 'ftp://127.0.0.1', 'unix:/tmp/x']) {
    const result = spawnSync(binary, ['key', 'list'], { encoding: 'utf8', env: { GATEHOUSE_SERVER: server, GATEHOUSE_KEY: keys.auditor } });
    assert.equal(result.status, 2, server);
    assert.match(result.stderr, /GATEHOUSE_SERVER|URL/, server);
    assert.ok(!result.stderr.includes(keys.auditor));
  }
  const alone = spawnSync(binary, ['key', 'list'], { encoding: 'utf8', env: { GATEHOUSE_SERVER: gateway.url } });
  assert.match(alone.stderr, /go together/);
  const child = spawn(binary, ['mcp', 'list'], { env: { GATEHOUSE_SERVER: gateway.url, GATEHOUSE_KEY: keys.auditor } });
  let line = '';
  try { line = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8'); } catch { /* it was faster */ }
  assert.ok(!line.includes(keys.auditor));
  await new Promise((done) => child.on('exit', done));
});

test('what is done at the node asks nobody, and is recorded as done there', () => {
  succeed(gateway.cli('limit', 'reset', 'hourly', '--all'));
  const [entry] = gateway.entries(['--type', 'administration.local']).slice(-1);
  assert.match(entry.actor.id, /^cli:/);
  assert.equal(entry.subject.target, 'limit:hourly');
  assert.equal(entry.data.surface, 'socket');
});
