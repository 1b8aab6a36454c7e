// A recorded decision is derived again from what its snapshot was made of: the same, or every
// difference by name.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, cli, createKey, people, root, secrets, succeed, until } from './harness.mjs';

let simulator;
let site;
let gateway;
before(async () => {
  simulator = await Simulator.start();
  site = Gateway.prepare({ simulator, only: ['gpt-echo', 'gpt-inside', 'claude-echo'] });
  cpSync(path.join(root, 'policies'), path.join(site.folder, 'policies'), { recursive: true });
  appendFileSync(path.join(site.folder, 'policies/90-more.cedar'), `
    @id("no-blue") forbid (principal, action, resource == Gatehouse::Model::"gpt-inside") when { principal has team && principal.team == "blue" };
    @id("no-shell") forbid (principal, action, resource) when { context has tools && context.tools.contains("shell") };
    @id("would-stop") @shadow("true") forbid (principal, action, resource) when { context has purpose && context.purpose == "experiment" };
    @id("not-for") forbid (principal, action, resource) when { context has purpose && context.purpose like "*${people.email}*" };
  `);
  appendFileSync(site.config, 'policies: policies\n');
  gateway = await Gateway.run(site);
});
after(async () => { await gateway.finish(); await simulator.stop(); });

function replay(...args) {
  const done = cli('audit', 'replay', gateway.ledger, ...args, '--json');
  return { status: done.status, stderr: done.stderr, ...JSON.parse(done.stdout.split('\n')[0] || '{}') };
}
async function call(model, content, more, init) {
  const response = await gateway.chat(model, content, more, init);
  await response.text();
  return { status: response.status, id: response.headers.get('gatehouse-entry') };
}
const same = (id, effect, ...more) => {
  const found = replay(id, ...more);
  assert.equal(found.outcome, 'same', JSON.stringify(found));
  assert.equal(found.status, 0);
  assert.equal(found.effect, effect);
};
const tool = (name) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } });

test('permit, forbid, redact, shadow, tools, unknown model, wrong dialect, list: the same', async () => {
  const { key: blue } = createKey(site, 'user:blue', '--attribute', 'team=blue');
  const asBlue = { headers: { authorization: `Bearer ${blue}` } };
  const made = [
    [await call('gpt-echo', 'hello'), 200, 'permit'],
    [await call('gpt-echo', `mail ${people.email} or call ${people.phone}`), 200, 'permit'],
    [await call('gpt-echo', `key ${secrets.awsKey()}`), 403, 'forbid'],
    [await call('gpt-inside', `mail ${people.email}`), 200, 'permit'],
    [await call('gpt-inside', 'x', {}, asBlue), 403, 'forbid'],
    [await call('gpt-echo', 'x', { tools: [tool('search'), tool('shell')] }), 403, 'forbid'],
    [await call('gpt-echo', 'x', { tools: [tool('search')] }), 200, 'permit'],
    [await call('gpt-echo', 'x', {}, { headers: { 'gatehouse-purpose': 'experiment' } }), 200, 'permit'],
    [await call('nobody-knows', 'x'), 404, 'forbid'],
    [await call('claude-echo', 'x'), 400, 'forbid'],
  ];
  for (const [{ status, id }, expected, effect] of made) {
    assert.equal(status, expected);
    same(id, effect);
  }
  const models = await fetch(`${gateway.url}/v1/models`, { headers: gateway.headers() });
  same(models.headers.get('gatehouse-entry'), 'permit');
  const anthropic = await gateway.messages('claude-echo', 'hello');
  same(anthropic.headers.get('gatehouse-entry'), 'permit');
  assert.deepEqual(gateway.entry(made[5][0].id).data.tools, ['search', 'shell']);
  assert.equal(gateway.entry(made[7][0].id).data.shadow[0].policy, 'would-stop');
  const text = succeed(cli('audit', 'replay', gateway.ledger, made[0][0].id)).stdout;
  assert.match(text, new RegExp(`^same: entry \\d+ {2}${made[0][0].id} {2}permit\n$`));
  // The state may go on: what was decided then is derived from the state of then.
  succeed(gateway.cli('model', 'remove', 'gpt-inside'));
  succeed(gateway.cli('model', 'add', 'gpt-inside', '--provider', 'sim', '--upstream-model', 'simulator-echo', '--trust', 'external'));
  for (const [{ id }, , effect] of made) same(id, effect);
  const all = cli('audit', 'replay', gateway.ledger, '--all', '--since', '1h');
  assert.equal(all.status, 0, all.stdout + all.stderr);
  assert.match(all.stdout, /^12 the same, 0 the same as far as recorded, 0 differ, 0 cannot/);
});

test('a policy changed later does not change what was decided; the new one decides anew', async () => {
  const before = await call('gpt-echo', 'policy');
  appendFileSync(path.join(site.folder, 'policies/90-more.cedar'), '@id("none") forbid (principal, action, resource);\n');
  same(before.id, 'permit');
  const reloads = gateway.logs('snapshot in force').length;
  gateway.signal('SIGHUP');
  await until(() => gateway.logs('snapshot in force').length > reloads, 'the reload');
  const afterwards = await call('gpt-echo', 'policy');
  assert.equal(afterwards.status, 403);
  same(before.id, 'permit');
  same(afterwards.id, 'forbid');
  const file = path.join(site.folder, 'policies/90-more.cedar');
  writeFileSync(file, readFileSync(file, 'utf8').replace('@id("none") forbid (principal, action, resource);\n', ''));
  gateway.signal('SIGHUP');
  await until(() => gateway.logs('snapshot in force').length > reloads + 1, 'the reload back');
});

test('what the event does not have in full is said', async () => {
  const purpose = await call('gpt-echo', 'x', {}, { headers: { 'gatehouse-purpose': `for ${people.email}` } });
  assert.equal(purpose.status, 403);
  const found = replay(purpose.id);
  assert.equal(found.status, 2);
  assert.equal(found.outcome, 'cannot be compared in full');
  assert.match(found.incomplete.join(), /^purpose: /);
  const harmless = await call('gpt-inside', 'x', {}, { headers: { 'gatehouse-purpose': `tell ${people.phone}` } });
  assert.equal(replay(harmless.id).outcome, 'same as far as recorded');
  assert.equal(replay(harmless.id).status, 0);
  const many = Array.from({ length: 200 }, (_, at) => tool(`tool_${at}`));
  const cut = await call('gpt-echo', 'x', { tools: many });
  assert.equal(cut.status, 200);
  assert.match(replay(cut.id).incomplete.join(), /^tools: /);
  assert.equal(gateway.entry(cut.id).data.tools.length, 128);
});

test('with the content the findings are derived, too', async () => {
  const body = { model: 'gpt-echo', messages: [{ role: 'user', content: `mail ${people.email}` }],
    tools: Array.from({ length: 200 }, (_, at) => tool(`tool_${at}`)) };
  const sent = JSON.stringify(body);
  const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: gateway.headers(), body: sent });
  await response.text();
  const id = response.headers.get('gatehouse-entry');
  const file = path.join(site.folder, 'body.json');
  writeFileSync(file, sent);
  same(id, 'permit', '--content', file);
  writeFileSync(file, sent.replace(people.email, `${people.email} ${people.phone}`));
  const other = replay(id, '--content', file);
  assert.equal(other.status, 1);
  assert.deepEqual(other.differences.map((one) => one.member), ['content.bytes', 'content.findings']);
});

test('what cannot be derived, and sources that were tampered with, are refused', async () => {
  const decided = await call('gpt-echo', 'sources');
  assert.equal(replay('01900000-0000-7000-8000-000000000000').status, 2);
  const [outcome] = gateway.entries(['--type', 'request.completed', '--limit', '1']);
  assert.match(replay(outcome.id).stderr, /not a decision/);
  const folder = path.join(site.data, 'snapshots');
  const activated = gateway.entries(['--type', 'snapshot.activated']).at(-1);
  const policies = path.join(folder, activated.data.contents.policies.slice('sha256:'.length));
  assert.ok(existsSync(policies) && readdirSync(folder).length >= 3);
  const text = readFileSync(policies);
  writeFileSync(policies, text.toString().replace('would-stop', 'would-pass'));
  const tampered = replay(decided.id);
  assert.equal(tampered.status, 1);
  assert.match(tampered.stderr, /the file was changed/);
  rmSync(policies);
  assert.equal(replay(decided.id).status, 2);
  const copy = path.join(site.folder, 'elsewhere');
  mkdirSync(copy);
  cpSync(folder, copy, { recursive: true });
  writeFileSync(path.join(copy, path.basename(policies)), text);
  same(decided.id, 'permit', '--snapshots', copy);
  renameSync(path.join(copy, path.basename(policies)), policies);
  same(decided.id, 'permit');
});
