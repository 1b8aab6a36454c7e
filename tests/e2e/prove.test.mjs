// The claims of the default policies are proved for all requests; in policies that are broken the
// prover finds a request that shows it, and that request fails as a test case of its own.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { cli, root, succeed } from './harness.mjs';

const folders = [];
const copy = () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-prove-'));
  folders.push(folder);
  cpSync(path.join(root, 'policies'), folder, { recursive: true });
  return folder;
};
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const edit = (folder, file, from, to) => {
  const name = path.join(folder, file);
  const text = readFileSync(name, 'utf8');
  assert.ok(text.includes(from), `${file} has ${from}`);
  writeFileSync(name, text.replaceAll(from, to));
};
// Takes the policy of this id out of a file.
const without = (folder, file, id) => {
  const name = path.join(folder, file);
  const parts = readFileSync(name, 'utf8').split(/(?=^@id\()/m);
  const kept = parts.filter((part) => !part.startsWith(`@id("${id}")`));
  assert.equal(kept.length, parts.length - 1, `${file} has ${id}`);
  writeFileSync(name, kept.join(''));
};
const add = (folder, text) => writeFileSync(path.join(folder, '90-broken.cedar'), text);
const lines = (output) => output.trim().split('\n').map((line) => JSON.parse(line));
const prove = (...more) => cli('policy', 'prove', ...more, '--json');

test('every claim of the default policies is proved', () => {
  const answers = lines(succeed(prove(path.join(root, 'policies'))).stdout);
  assert.ok(answers.length >= 10);
  for (const answer of answers) assert.equal(answer.outcome, 'proved', `${answer.claim}: ${answer.detail}`);
});

const broken = [
  ['credentials-never-go-to-an-external-model', 'one credential is let through', (folder) =>
    edit(folder, '20-credentials.cedar', 'credentials > 0', 'credentials > 1')],
  ['credentials-never-go-to-an-external-model', 'a trust nobody thought of', (folder) =>
    edit(folder, '20-credentials.cedar', 'trust != "internal"', 'trust == "external"')],
  ['credentials-never-go-to-an-external-model', 'embeddings are forgotten', (folder) =>
    edit(folder, '20-credentials.cedar', 'action in [Gatehouse::Action::"infer", Gatehouse::Action::"embed"]',
      'action == Gatehouse::Action::"infer"')],
  ['unregistered-models-are-never-reached', 'a permit for a team, and no forbid', (folder) => {
    without(folder, '10-models.cedar', 'no-unknown-models');
    add(folder, 'permit (principal, action == Gatehouse::Action::"infer", resource) when { principal has team && principal.team == "lab" };');
  }],
  ['no-one-without-clearance-reaches-a-restricted-model', 'only restricted models count', (folder) =>
    edit(folder, '10-models.cedar', 'when { principal.clearance_level < resource.clearance };',
      'when { resource.clearance == 3 && principal.clearance_level < 2 };')],
  ['personal-data-leaves-only-as-placeholders', 'the obligation is gone', (folder) =>
    without(folder, '30-personal.cedar', 'personal-data-as-placeholders')],
  ['no-policy-fails', 'arithmetic that overflows', (folder) =>
    add(folder, 'forbid (principal, action == Gatehouse::Action::"infer", resource) when { context.findings.links * 1000 > 5000 };')],
  ['everybody-may-use-registered-internal-models', 'closed at night', (folder) =>
    add(folder, 'forbid (principal, action == Gatehouse::Action::"infer", resource) when { context.hour < 6 };')],
  ['a-delegated-agent-never-administers', 'the forbid is gone', (folder) =>
    without(folder, '50-administration.cedar', 'no-delegated-administration')],
  ['agents-never-administer', 'but one', (folder) =>
    edit(folder, '50-administration.cedar', 'principal is Gatehouse::Agent,\n  action in Gatehouse::Action::"administer",\n  resource\n);',
      'principal is Gatehouse::Agent,\n  action in Gatehouse::Action::"administer",\n  resource\n)\nunless { principal == Gatehouse::Agent::"janitor" };')],
  ['nobody-approves-their-own-request', 'who has the role may', (folder) =>
    edit(folder, '50-administration.cedar', 'when { context.own };', 'when { context.own && context.role != "approver" };')],
  ['auditors-change-nothing', 'they may manage keys', (folder) =>
    edit(folder, '50-administration.cedar', 'action in [Gatehouse::Action::"read_status", Gatehouse::Action::"read_audit"]',
      'action in [Gatehouse::Action::"read_status", Gatehouse::Action::"read_audit", Gatehouse::Action::"manage_keys"]')],
];

for (const [claim, what, breakIt] of broken) {
  test(`${claim}: ${what}`, () => {
    const folder = copy();
    breakIt(folder);
    succeed(cli('policy', 'check', folder));
    const result = prove(folder, '--claim', claim);
    assert.equal(result.status, 1, result.stderr);
    const [answer] = lines(result.stdout);
    assert.equal(answer.outcome, 'refuted', answer.detail);
    // What fails to evaluate may be nothing the gateway would ever ask.
    if (claim === 'no-policy-fails') return;
    // The engine decides the found request as the claim says it must not; so its case fails.
    rmSync(path.join(folder, 'tests'), { recursive: true });
    cpSync(path.join(root, 'policies/tests'), path.join(folder, 'tests'), { recursive: true, filter: (name) => !name.endsWith('.yaml') });
    writeFileSync(path.join(folder, 'tests', 'found.yaml'), `cases:\n${answer.case}\n`);
    const tried = cli('policy', 'test', folder);
    assert.equal(tried.status, 1, tried.stdout + tried.stderr);
    assert.match(tried.stdout, /0 passed, 1 failed/);
  });
}

test('what is stricter is no more permissive, and the other way round is shown', () => {
  const strict = copy();
  rmSync(path.join(strict, 'claims'), { recursive: true });
  add(strict, 'forbid (principal, action == Gatehouse::Action::"infer", resource) when { context.purpose == "" };');
  const same = path.join(root, 'policies');
  succeed(prove(strict, '--no-more-permissive-than', same));
  const loose = copy();
  rmSync(path.join(loose, 'claims'), { recursive: true });
  const result = prove(loose, '--no-more-permissive-than', strict);
  assert.equal(result.status, 1, result.stderr);
  assert.equal(lines(result.stdout)[0].outcome, 'refuted');
});

test('without a solver it says what to install', () => {
  assert.ok(existsSync(path.join(root, 'policies')));
  const result = cli('policy', 'prove', path.join(root, 'policies'), '--solver', '/nonexistent/solver');
  assert.equal(result.status, 2);
});
