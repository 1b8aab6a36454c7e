// State is a fold: what the database says and no event explains is named, not believed, and can be
// made again from the ledger.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, addModel, cli, createKey, models, root, succeed, until } from './harness.mjs';

let simulator;
before(async () => { simulator = await Simulator.start(); });
after(() => simulator.stop());

const hasSqlite = spawnSync('sqlite3', ['-version']).status === 0;
const options = { skip: !hasSqlite && 'no sqlite3' };

function sql(site, statement) {
  const done = spawnSync('sqlite3', ['-cmd', '.timeout 5000', path.join(site.data, 'state.db'), statement], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout.trim();
}

function reconcile(site, ...more) {
  const done = cli('audit', 'reconcile', site.ledger, '--json', ...more);
  return { status: done.status, stderr: done.stderr, ...JSON.parse(done.stdout || '{}') };
}

async function withSite(body) {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'], settings: 'reconcile_interval: 1s' });
  try { await body(site); } finally { rmSync(site.folder, { recursive: true, force: true }); }
}

async function within(site, body) {
  const gateway = await Gateway.run(site);
  try { return await body(gateway); } finally { await gateway.stop(); }
}

const status = async (gateway, key) =>
  (await gateway.chat('gpt-echo', 'x', {}, key ? { headers: { authorization: `Bearer ${key}` } } : {})).status;

test('an untouched database is equal, stopped, running and as a copy', options, () => withSite(async (site) => {
  const stopped = reconcile(site);
  assert.equal(stopped.status, 0);
  assert.deepEqual(stopped.differences, []);
  assert.deepEqual([stopped.keys, stopped.models, stopped.state_events, stopped.proven], [1, 1, 2, 2]);
  await within(site, async (gateway) => {
    for (let i = 0; i < 5; ++i) await status(gateway);
    createKey(site, 'service:late');
    for (let i = 0; i < 5; ++i) await status(gateway);
    const running = reconcile(site);
    assert.equal(running.status, 0, JSON.stringify(running));
    assert.equal(running.state_events, 3);
    assert.equal(running.state_events_after, 0);
  });
  const copy = path.join(site.folder, 'copy');
  succeed(cli('audit', 'copy', site.ledger, path.join(copy, 'ledger')));
  cpSync(path.join(site.data, 'state.db'), path.join(copy, 'state.db'));
  const text = succeed(cli('audit', 'reconcile', path.join(copy, 'ledger'), '--key-file', path.join(site.ledger, 'log.vkey'))).stdout;
  assert.match(text, /^ok: the database says what the ledger says\n {2}compared {4}2 keys and 1 models/);
}));

test('each row changed by hand is named', options, () => withSite(async (site) => {
  const prefix = site.key.slice(0, 11);
  const only = (found) => { assert.equal(found.status, 1); assert.equal(found.differences.length, 1); return found.differences[0]; };
  sql(site, "UPDATE api_keys SET principal_id = 'root'");
  const changed = only(reconcile(site));
  assert.equal(changed.field, 'principal_id');
  assert.equal(changed.database, 'root');
  assert.equal(changed.ledger, 'ada');
  assert.ok(changed.row.startsWith(prefix));
  sql(site, "UPDATE api_keys SET principal_id = 'ada'");
  assert.equal(reconcile(site).status, 0);
  sql(site, "INSERT INTO models VALUES ('evil', 'sim', 'up', 'internal', '2026-01-01T00:00:00.000000Z', '', '')");
  assert.deepEqual(only(reconcile(site)), { kind: 'only_in_database', table: 'models', row: 'evil' });
  sql(site, "DELETE FROM models WHERE name = 'evil'");
  sql(site, 'CREATE TRIGGER t AFTER INSERT ON api_keys BEGIN DELETE FROM models; END');
  assert.equal(only(reconcile(site)).table, 'trigger t');
  sql(site, 'DROP TRIGGER t');
  sql(site, 'UPDATE applied SET next_index = next_index + 100');
  const index = only(reconcile(site));
  assert.equal(index.kind, 'applied_index');
  sql(site, 'UPDATE applied SET next_index = next_index - 100');
  sql(site, 'DELETE FROM models');
  assert.deepEqual(only(reconcile(site)), { kind: 'only_in_ledger', table: 'models', row: 'gpt-echo' });
  const text = cli('audit', 'reconcile', site.ledger);
  assert.equal(text.status, 1);
  assert.match(text.stdout, /^WRONG: 1 difference\n {2}models gpt-echo: only in the ledger; the database lacks it/);
}));

test('what cannot be compared says so', options, () => withSite(async (site) => {
  assert.equal(cli('audit', 'reconcile', site.ledger, '--database', path.join(site.folder, 'absent.db')).status, 2);
  assert.equal(cli('audit', 'reconcile', path.join(site.folder, 'absent')).status, 2);
  writeFileSync(path.join(site.folder, 'noise.db'), 'x'.repeat(9000));
  assert.equal(cli('audit', 'reconcile', site.ledger, '--database', path.join(site.folder, 'noise.db')).status, 1);
}));

test('a key slipped into the database does not work, and the running gateway raises an incident', options, () => withSite(async (site) => {
  await within(site, async (gateway) => {
    assert.equal(await status(gateway), 200);
    const { key, record } = createKey(site, 'service:leaked');
    succeed(gateway.cli('key', 'revoke', record.prefix));
    assert.equal(await status(gateway, key), 401);
    assert.equal(gateway.entries(['--type', 'incident.raised']).length, 0);
    // The hash of a key that is known, alive again and under a better name.
    sql(site, `UPDATE api_keys SET revoked = '', principal_id = 'root' WHERE id = '${record.id}'`);
    const [incident] = await until(() => { const found = gateway.entries(['--type', 'incident.raised']); return found.length ? found : null; }, 'the incident');
    assert.equal(incident.data.kind, 'state.differs');
    assert.deepEqual(incident.data.details.differences.map((one) => [one.kind, one.table, one.field]),
      [['field', 'api_keys', 'principal_id'], ['field', 'api_keys', 'revoked']]);
    assert.ok(incident.data.details.differences[0].row.startsWith(record.prefix));
    assert.doesNotMatch(JSON.stringify(incident), /root|leaked/);
    assert.match(await (await fetch(`${gateway.url}/metrics`)).text(), /gatehouse_state_differences 2/);
    assert.ok(gateway.logs('the database says what the ledger does not; the ledger is followed').length >= 2);
    assert.equal(await status(gateway, key), 401);
    assert.equal(await status(gateway), 200);
    const refused = gateway.cli('key', 'create', '--principal', 'user:new');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /audit reconcile.*audit rebuild/);
    // Said once, however often it is looked at.
    await new Promise((done) => setTimeout(done, 2_500));
    assert.equal(gateway.entries(['--type', 'incident.raised']).length, 1);
  });
  await within(site, async (gateway) => {
    assert.equal(gateway.entries(['--type', 'incident.raised']).length, 2, 'a start finds it, too');
    assert.equal(await status(gateway), 200);
    const refused = cli('audit', 'rebuild', '--config', site.config);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /another process has this log open/);
  });
  const rebuilt = JSON.parse(succeed(cli('audit', 'rebuild', '--config', site.config, '--json')).stdout);
  assert.equal(rebuilt.differences_before.length, 2);
  assert.ok(existsSync(rebuilt.backup));
  assert.equal(reconcile(site).status, 0);
  await within(site, async (gateway) => {
    createKey(site, 'user:new');
    assert.equal(await status(gateway), 200);
    assert.match(await (await fetch(`${gateway.url}/metrics`)).text(), /gatehouse_state_differences 0/);
  });
}));

test('a deleted database is rebuilt, and everything works as before', options, () => withSite(async (site) => {
  const { key: gone, record } = createKey(site, 'service:gone');
  succeed(cli('key', 'revoke', record.prefix, '--config', site.config));
  const { key: red } = createKey(site, 'user:red', '--attribute', 'team=blue');
  addModel(site, models.find((one) => one.name === 'gpt-inside'));
  mkdirSync(path.join(site.folder, 'policies'));
  cpSync(path.join(root, 'policies'), path.join(site.folder, 'policies'), { recursive: true });
  appendFileSync(path.join(site.folder, 'policies/30-personal.cedar'),
    '\n@id("no-blue-inside") forbid (principal, action, resource == Gatehouse::Model::"gpt-inside") when { principal has team && principal.team == "blue" };\n');
  appendFileSync(site.config, 'policies: policies\n');
  const look = () => within(site, async (gateway) => ({
    list: succeed(gateway.cli('key', 'list')).stdout, models: succeed(gateway.cli('model', 'list')).stdout,
    ada: await status(gateway), gone: await status(gateway, gone),
    blue: (await gateway.chat('gpt-inside', 'x', {}, { headers: { authorization: `Bearer ${red}` } })).status,
    inside: (await gateway.chat('gpt-inside', 'x')).status }));
  const first = await look();
  assert.deepEqual([first.ada, first.gone, first.blue, first.inside], [200, 401, 403, 200]);
  const remove = () => { for (const name of ['state.db', 'state.db-wal', 'state.db-shm']) rmSync(path.join(site.data, name), { force: true }); };
  remove();
  assert.deepEqual(await look(), first, 'a start folds it again');
  assert.equal(reconcile(site).status, 0);
  remove();
  const text = succeed(cli('audit', 'rebuild', '--config', site.config)).stdout;
  assert.match(text, /^the database is made of \d+ entries: 3 keys, 2 models/);
  assert.equal(reconcile(site).status, 0);
  assert.deepEqual(await look(), first);
}));

test('a damaged database stops the start and is rebuilt; sessions come along when they can', options, () => withSite(async (site) => {
  const file = path.join(site.data, 'state.db');
  sql(site, "INSERT INTO sessions VALUES ('s', 'c2VhbGVk', 99999999999999999)");
  const kept = JSON.parse(succeed(cli('audit', 'rebuild', '--config', site.config, '--keep-sessions', '--json')).stdout);
  assert.equal(kept.sessions, 1);
  assert.equal(sql(site, 'SELECT id FROM sessions'), 's');
  writeFileSync(file, 'x'.repeat(9000));
  assert.equal(cli('serve', '--config', site.config).status, 2);
  succeed(cli('audit', 'rebuild', '--config', site.config));
  assert.equal(reconcile(site).status, 0);
  assert.equal(readdirSync(site.data).filter((name) => /^state\.db\.before-\d{8}T/.test(name)).length >= 2, true);
  await within(site, async (gateway) => assert.equal(await status(gateway), 200));
}));

test('a new log begins with the state of the old one', options, () => withSite(async (site) => {
  const { key: gone, record } = createKey(site, 'service:gone');
  succeed(cli('key', 'revoke', record.prefix, '--config', site.config));
  succeed(cli('model', 'remove', 'gpt-echo', '--config', site.config));
  addModel(site, models.find((one) => one.name === 'gpt-echo'));
  await within(site, async (gateway) => { assert.equal(await status(gateway), 200); });
  const old = path.join(site.folder, 'old-ledger');
  renameSync(site.ledger, old);
  const carry = (...more) => cli('audit', 'carry-over', old, '--config', site.config, ...more);
  assert.equal(carry().status, 2, 'a new log needs a new name');
  rmSync(site.ledger, { recursive: true, force: true });
  writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('example.com/gatehouse-e2e', 'example.com/gatehouse-e2e-2'));
  const refused = cli('serve', '--config', site.config);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /audit carry-over/);
  const carried = JSON.parse(succeed(carry('--json')).stdout);
  assert.match(carried.log, /^example\.com\/gatehouse-e2e\+/);
  const checkpoint = readFileSync(path.join(old, 'checkpoint'), 'utf8').split('\n');
  assert.deepEqual([String(carried.size), carried.root], [checkpoint[1], checkpoint[2]]);
  assert.equal(reconcile(site).status, 0);
  await within(site, async (gateway) => {
    assert.deepEqual([await status(gateway), await status(gateway, gone)], [200, 401]);
    const [made] = gateway.entries(['--type', 'key.created']);
    assert.deepEqual(made.data.carried_over, { log: carried.log, size: carried.size, root: carried.root });
  });
  assert.equal(JSON.parse(succeed(carry('--json')).stdout).events, 0, 'once more changes nothing');
  createKey(site, 'user:own');
  const late = carry();
  assert.equal(late.status, 2);
  assert.match(late.stderr, /changes of keys or models of its own/);
  succeed(cli('audit', 'verify', site.ledger));
  succeed(cli('audit', 'verify', old));
}));
