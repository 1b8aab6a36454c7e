// `gatehouse policy diff`: what other policies would have decided of what a real gateway recorded.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Simulator, cli, createKey, people, root, secrets } from './harness.mjs';

const shipped = path.join(root, 'policies');
let simulator;
let gateway;
let changed;
const made = {};  // name of a call: its entry

before(async () => {
  simulator = await Simulator.start();
  const site = Gateway.prepare({ simulator, only: ['gpt-echo', 'gpt-inside'] });
  const headersOf = (principal, team) => ({ authorization: `Bearer ${createKey(site, principal, '--attribute', `team=${team}`).key}` });
  const asBob = headersOf('user:bob', 'finance');
  const asJob = headersOf('service:job', 'finance');
  gateway = await Gateway.run(site);
  const call = async (name, status, model, content, headers = {}) => {
    const response = await gateway.chat(model, content, {}, { headers });
    await response.text();
    assert.equal(response.status, status, name);
    made[name] = response.headers.get('gatehouse-entry');
  };
  await call('ada', 200, 'gpt-echo', 'hello');
  await call('ada, personal, inside', 200, 'gpt-inside', `mail ${people.email}`);
  await call('ada, credential', 403, 'gpt-echo', `key ${secrets.awsKey()}`);
  await call('bob', 200, 'gpt-echo', 'hello', asBob);
  await call('bob again', 200, 'gpt-echo', 'hello again', asBob);
  await call('bob, inside', 200, 'gpt-inside', 'hello', asBob);
  await call('job', 200, 'gpt-echo', 'hello', asJob);
  await call('unknown model', 404, 'nobody-knows', 'hello');
  await call('purpose not kept whole', 200, 'gpt-inside', 'hello', { 'gatehouse-purpose': `for ${people.email}` });
  const models = await fetch(`${gateway.url}/v1/models`, { headers: gateway.headers(asJob) });
  await models.text();
  // What is decided before is of the models of then.
  const removed = gateway.cli('model', 'remove', 'gpt-inside');
  assert.equal(removed.status, 0, removed.stderr);
  await call('inside, removed', 404, 'gpt-inside', 'hello');

  changed = path.join(gateway.folder, 'changed');
  cpSync(shipped, changed, { recursive: true });
  rmSync(path.join(changed, '20-credentials.cedar'));
  appendFileSync(path.join(changed, '90-more.cedar'), `
    @id("finance-stays-inside") forbid (principal, action == Gatehouse::Action::"infer", resource)
    when { principal has team && principal.team == "finance" && resource.trust != "internal" };
    @id("placeholders-inside-too") @redact("personal") permit (principal, action == Gatehouse::Action::"infer", resource)
    when { resource.registered && context.findings.personal > 0 };
  `);
});
after(async () => { await gateway.finish(); await simulator.stop(); });

function diff(older, newer, ledger, ...more) {
  const done = cli('policy', 'diff', older, newer, ledger, '--snapshots', path.join(gateway.data, 'snapshots'), '--since', '1d', '--json', ...more);
  const lines = done.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return { status: done.status, stderr: done.stderr, summary: lines.pop(), changes: lines };
}

test('the same policies change nothing', () => {
  const { status, summary, changes, stderr } = diff(shipped, shipped, gateway.ledger);
  assert.equal(status, 0, stderr);
  assert.deepEqual(changes, []);
  assert.equal(summary.requests, 11);
  assert.equal(summary.now_forbidden + summary.now_permitted + summary.other_obligations, 0);
});

test('exactly the decisions that change are shown, by principal and route, and because of what', () => {
  const { status, summary, changes } = diff(shipped, changed, gateway.ledger);
  assert.equal(status, 1);
  const found = Object.fromEntries(changes.map((one) => [one.id, [one.before.effect, one.after.effect, one.because.join()]]));
  assert.deepEqual(found, {
    [made['ada, personal, inside']]: ['permit', 'permit', 'placeholders-inside-too'],
    [made['ada, credential']]: ['forbid', 'permit', 'no-credentials-to-external-models'],
    [made.bob]: ['permit', 'forbid', 'finance-stays-inside'],
    [made['bob again']]: ['permit', 'forbid', 'finance-stays-inside'],
    [made.job]: ['permit', 'forbid', 'finance-stays-inside'],
  });
  const indices = changes.map((one) => one.index);
  assert.deepEqual(indices, [...indices].sort((a, b) => a - b), 'in the order of the ledger');
  const row = (principal, route) => summary.by_principal_and_route.find((one) => one.principal === principal && one.route === route);
  const counts = ({ requests, now_forbidden, now_permitted, other_obligations }) => [requests, now_forbidden, now_permitted, other_obligations];
  assert.deepEqual(counts(row('user:ada', 'chat.completions')), [6, 0, 1, 1]);
  assert.deepEqual(counts(row('user:bob', 'chat.completions')), [3, 2, 0, 0]);
  assert.deepEqual(counts(row('service:job', 'chat.completions')), [1, 1, 0, 0]);
  assert.deepEqual(counts(row('service:job', 'models.list') ?? row('service:job', 'models')), [1, 0, 0, 0]);
  assert.deepEqual(counts(summary), [11, 3, 1, 1]);
  assert.deepEqual(summary.by_policy.map((one) => [one.policy, one.now_forbidden]),
    [['finance-stays-inside', 3], ['no-credentials-to-external-models', 0], ['placeholders-inside-too', 0]]);
  assert.equal(summary.not_derived, 0);
  assert.equal(summary.cut_short, '');
});

test('what an event does not have whole is counted, not passed over', () => {
  const { summary } = diff(shipped, changed, gateway.ledger);
  assert.equal(summary.incomplete, 1);
  const everything = path.join(gateway.folder, 'nothing-permitted');
  cpSync(changed, everything, { recursive: true });
  appendFileSync(path.join(everything, '90-more.cedar'), '@id("none") forbid (principal, action, resource);\n');
  const { changes } = diff(shipped, everything, gateway.ledger);
  assert.equal(changes.find((one) => one.id === made['purpose not kept whole']).incomplete, true);
  assert.equal(changes.find((one) => one.id === made.ada).incomplete, false);
});

test('a decision is of the models that were registered then, not of those there are at the end', () => {
  const nothing = path.join(gateway.folder, 'nothing-permitted');
  const { changes } = diff(shipped, nothing, gateway.ledger);
  assert.equal(changes.find((one) => one.id === made['bob, inside']).before.effect, 'permit');
  assert.equal(changes.find((one) => one.id === made['inside, removed']), undefined, 'forbidden before and after');
});

test('people get tables: changes, policies, principals, and one line that sums up', () => {
  const done = cli('policy', 'diff', shipped, changed, gateway.ledger, '--since', '1d', '--rows', '2');
  assert.equal(done.status, 1, done.stderr);
  assert.match(done.stdout, /ENTRY {2}PRINCIPAL +ROUTE +MODEL +BEFORE -> AFTER\n/);
  assert.match(done.stdout, /… and 3 more \(--rows, or --json for all\)/);
  assert.match(done.stdout, /BECAUSE OF POLICY .*\nfinance-stays-inside +3 +0 +0\n/);
  assert.match(done.stdout, /user:bob +chat\.completions +3 +2 +0 +0\n/);
  assert.match(done.stdout, /11 requests from \S+ to \S+: 3 would be forbidden, 1 permitted, 1 have other obligations; 6 as before\n/);
  assert.match(done.stdout, /1 of them: policies were told something the event does not have/);
});

test('a period leaves the rest out, and still knows the state of then', () => {
  const { summary } = diff(shipped, changed, gateway.ledger, '--until', '1h');
  assert.equal(summary.requests, 0);
});

// A copy without segments is read from its published bundle.
function copied(name, change) {
  const copy = path.join(gateway.folder, name);
  cpSync(gateway.ledger, copy, { recursive: true });
  for (const item of readdirSync(path.join(copy, 'wal'))) rmSync(path.join(copy, 'wal', item));
  const bundle = readdirSync(copy, { recursive: true }).map(String).filter((file) => file.includes('entries/') && /\.p\/\d+$/.test(file))
    .sort((a, b) => Number(a.split('/').at(-1)) - Number(b.split('/').at(-1))).at(-1);
  change(path.join(copy, bundle));
  return copy;
}

test('a damaged entry is reported and the others are compared', async () => {
  await gateway.stop();
  const damaged = copied('damaged', (bundle) => {
    const text = readFileSync(bundle, 'latin1');
    const at = text.indexOf('"snapshot":"sha256:', text.indexOf(made.bob)) + 19;
    writeFileSync(bundle, text.slice(0, at) + 'f'.repeat(16) + text.slice(at + 16), 'latin1');
  });
  const { status, summary, stderr } = diff(shipped, changed, damaged);
  assert.equal(status, 2);
  assert.equal(summary.not_derived, 1);
  assert.equal(summary.requests, 10);
  assert.equal(summary.now_forbidden, 2);
  assert.match(stderr, /entry \d+: .*no entry before this one puts snapshot/);
  assert.match(stderr, /1 decisions could not be derived/);
});

test('a ledger that is cut is compared as far as it goes, and never taken for whole', () => {
  const cut = copied('cut', (bundle) => truncateSync(bundle, 100));
  const { status, summary, stderr } = diff(shipped, changed, cut);
  assert.equal(status, 2);
  assert.notEqual(summary.cut_short, '');
  assert.match(stderr, /the ledger was not read to its end: /);
});
