// Running it: start, reload, policies, drain, the operations paths, keys and models while it runs.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, Raw, Simulator, addModel, cli, createKey, readEvents, sleep, succeed, until } from './harness.mjs';

let simulator;
before(async () => { simulator = await Simulator.start(); });
after(() => simulator.stop());

async function within(options, body) {
  const gateway = await Gateway.start({ simulator, only: ['gpt-echo', 'gpt-script'], ...options });
  try { await body(gateway); } finally { await gateway.finish(); }
}

test('operations paths', () => within({}, async (gateway) => {
  assert.equal((await fetch(`${gateway.url}/healthz`)).status, 200);
  assert.equal((await fetch(`${gateway.url}/readyz`)).status, 200);
  await (await gateway.chat('gpt-echo', 'x')).text();
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.match(metrics, /^# TYPE gatehouse_requests\w* counter$/m);
  assert.match(metrics, /^# TYPE gatehouse_\w*seconds\w* histogram$/m);
}));

test('config check names file, line and key of what is wrong', () => {
  const site = Gateway.prepare({ simulator, only: [] });
  succeed(cli('config', 'check', '--config', site.config));
  writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('threads: 1', 'threads: many\nlisten_on: x'));
  const checked = cli('config', 'check', '--config', site.config);
  assert.notEqual(checked.status, 0);
  const text = checked.stdout + checked.stderr;
  assert.match(text, /gatehouse\.yaml:6/);
  assert.match(text, /threads/);
  assert.match(text, /listen_on/);
});

test('keys and models made while it runs are in force at once', () => within({}, async (gateway) => {
  addModel(gateway, { name: 'added-later', provider: 'sim', upstream: 'simulator-echo', trust: 'external' });
  const { key } = createKey(gateway, 'service:later');
  const response = await until(async () => {
    const answer = await gateway.chat('added-later', 'x', {}, { headers: { authorization: `Bearer ${key}` } });
    return answer.status === 200 && answer;
  }, 'the new model and key', 2_000);
  assert.equal(gateway.entry(response.headers.get('gatehouse-entry')).actor.id, 'later');
  const listed = succeed(gateway.cli('model', 'list')).stdout;
  assert.match(listed, /added-later/);
  succeed(gateway.cli('model', 'remove', 'added-later'));
  await until(async () => (await gateway.chat('added-later', 'x')).status === 404, 'the model to go', 2_000);
}));

test('a reload with a bad config is refused and the old one stays', () => within({}, async (gateway) => {
  const good = readFileSync(gateway.config, 'utf8');
  writeFileSync(gateway.config, good.replace('audit: strict', 'audit: sometimes'));
  gateway.signal('SIGHUP');
  await until(() => /sometimes|audit/.test(gateway.log.split('listening')[1] ?? ''), 'a message about the bad config');
  assert.equal((await gateway.chat('gpt-echo', 'x')).status, 200);
  writeFileSync(gateway.config, good);
  gateway.signal('SIGHUP');
  await sleep(200);
  assert.equal((await gateway.chat('gpt-echo', 'x')).status, 200);
}));

// A gateway whose policies are a folder of its own, to be edited.
async function withPolicies(body) {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'] });
  const folder = path.join(site.folder, 'policies');
  succeed(cli('policy', 'init', folder));
  writeFileSync(site.config, `${readFileSync(site.config, 'utf8')}policies: ${folder}\n`);
  const gateway = await Gateway.run(site);
  try { await body(gateway, folder); } finally { await gateway.finish(); }
}

test('policy check names file, line and attribute; a reload with that policy is refused', () => withPolicies(async (gateway, folder) => {
  const file = path.join(folder, '90-mine.cedar');
  writeFileSync(file, '@id("mine")\nforbid (principal, action == Gatehouse::Action::"infer", resource)\nwhen { resource.colour == "red" };\n');
  const checked = cli('policy', 'check', folder);
  assert.equal(checked.status, 1);
  const text = checked.stdout + checked.stderr;
  assert.match(text, /90-mine\.cedar:3/);
  assert.match(text, /colour/);
  const first = gateway.entry((await gateway.chat('gpt-echo', 'x')).headers.get('gatehouse-entry')).snapshot;
  gateway.signal('SIGHUP');
  await until(() => gateway.log.includes('90-mine.cedar'), 'a message about the bad policy');
  const response = await gateway.chat('gpt-echo', 'x');
  assert.equal(response.status, 200);
  assert.equal(gateway.entry(response.headers.get('gatehouse-entry')).snapshot, first);
}));

test('an edited policy is in force after the reload, and says why it refused', () => withPolicies(async (gateway, folder) => {
  writeFileSync(path.join(folder, '90-mine.cedar'),
    '@id("not-for-red")\n@advice("Team red must wait.")\nforbid (principal, action == Gatehouse::Action::"infer", resource)\n' +
    'when { principal has team && principal.team == "red" };\n');
  succeed(cli('policy', 'check', folder));
  gateway.signal('SIGHUP');
  const refused = await until(async () => {
    const response = await gateway.chat('gpt-echo', 'x');
    return response.status === 403 && response;
  }, 'the policy to be in force');
  assert.match((await refused.json()).error.message, /Team red must wait/);
  assert.deepEqual(gateway.entry(refused.headers.get('gatehouse-entry')).data.policies, ['not-for-red']);
}));

test('reloads under load drop no request, and each entry names the snapshot that decided it', () => withPolicies(async (gateway, folder) => {
  const file = path.join(folder, '90-mine.cedar');
  const ids = [];
  let running = true;
  const callers = Array.from({ length: 16 }, async () => {
    while (running) {
      const response = await gateway.chat('gpt-echo', 'under load');
      assert.equal(response.status, 200);
      await response.text();
      ids.push(response.headers.get('gatehouse-entry'));
    }
  });
  for (let round = 0; round < 8; ++round) {
    writeFileSync(file, `@id("harmless-${round}")\nforbid (principal, action == Gatehouse::Action::"infer", resource)\nwhen { context.purpose == "round ${round}" };\n`);
    const before = gateway.logs('snapshot in force').length;
    gateway.signal('SIGHUP');
    await until(() => gateway.logs('snapshot in force').length > before, 'the reload', 20_000);
    const served = ids.length;
    await until(() => ids.length > served + 32, 'calls after the reload', 10_000);
  }
  running = false;
  await Promise.all(callers);
  const entries = gateway.entries();
  const activated = new Set(entries.filter((entry) => entry.type === 'snapshot.activated').map((entry) => entry.snapshot));
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const used = new Set(ids.map((id) => byId.get(id).snapshot));
  assert.ok(used.size >= 8, `only ${used.size} snapshots decided ${ids.length} calls`);
  for (const snapshot of used) assert.ok(activated.has(snapshot), `${snapshot} was never activated`);
}));

test('SIGTERM drains: the stream in flight completes and is recorded, new connections are refused', async () => {
  const gateway = await Gateway.start({ simulator, only: ['gpt-script'] });
  const response = await gateway.script({ text: 'word '.repeat(60), pace_ms: 15 }, { stream: true });
  const reading = readEvents(response);
  await sleep(100);
  gateway.signal('SIGTERM');
  await sleep(200);
  await assert.rejects(fetch(`${gateway.url}/healthz`, { headers: { connection: 'close' } }));
  const events = await reading;
  assert.equal(events.at(-1).data, '[DONE]');
  assert.deepEqual(await gateway.exited, { code: 0, signal: null });
  const id = response.headers.get('gatehouse-entry');
  const outcome = gateway.entries().find((entry) => entry.data?.decision === id);
  assert.equal(outcome.data.status, 200);
  succeed(gateway.verify());
  await gateway.finish();
});

test('whoever takes all connections does not take the ledger\'s files', async () => {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'] });
  const gateway = await Gateway.run(site, { shellPrefix: 'ulimit -n 400' });
  try {
    assert.equal(gateway.logs('fewer connections than limits.connections: raise the limit of open files').length, 1);
    const crowd = await Promise.all(Array.from({ length: 420 }, () => Raw.connect(gateway.port).catch(() => null)));
    await sleep(1_500);
    for (const one of crowd) one?.end();
    await until(async () => (await gateway.chat('gpt-echo', 'x').catch(() => ({}))).status === 200, 'a place');
    await sleep(1_200);
    assert.equal((await fetch(`${gateway.url}/readyz`)).status, 200);
  } finally { await gateway.finish(); }
});

test('a second gateway on the same data is refused with a clear message', () => within({}, async (gateway) => {
  const second = cli('serve', '--config', gateway.config);
  assert.notEqual(second.status, 0);
  assert.match(second.stdout + second.stderr, /another|lock|in use|running/i);
}));

test('it takes two threads', () => within({}, async (gateway) => {
  await gateway.stop();
  const { folder, config, data, ledger, key } = gateway;
  writeFileSync(config, readFileSync(config, 'utf8').replace('threads: 1', 'threads: 2'));
  const two = await Gateway.run({ folder, config, data, ledger, key });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => two.chat('gpt-echo', `n${i}`, {}, { headers: { connection: 'close' } })));
  for (const [i, answer] of answers.entries()) assert.equal((await answer.json()).choices[0].message.content, `n${i}`);
  await two.stop();
  succeed(two.verify());
}));
