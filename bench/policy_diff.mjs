// How long `gatehouse policy diff` takes over a million recorded requests. A real gateway serves some
// hundred calls of twenty principals: harmless ones, with personal data, with credentials, with tools,
// with purposes, to models inside, outside and unknown; its log is repeated to a million decisions
// (repeat_decisions.cc) and compared under its own policies and three more. Prints a line of JSON.
//   node bench/policy_diff.mjs [DECISIONS [distinct]]     distinct: no two with the same purpose
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { Gateway, Simulator, binary, createKey, people, root, secrets, succeed } from '../tests/e2e/harness.mjs';

const decisions = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-diff-'));
const simulator = await Simulator.start();
const site = Gateway.prepare({ simulator, audit: 'relaxed', directory: path.join(folder, 'site'),
  only: ['gpt-echo', 'gpt-inside', 'claude-echo', 'embed'] });
const teams = ['red', 'blue', 'green', 'finance'];
const keys = Array.from({ length: 20 }, (_, at) => createKey(site, `${at % 5 ? 'user' : 'service'}:person-${at}`,
  '--attribute', `team=${teams[at % teams.length]}`).key);
const gateway = await Gateway.run(site);

const tool = (name) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } });
const texts = ['Good morning, what can you do for me?', `write to ${people.email} and call ${people.phone}`,
  `the key is ${secrets.awsKey()}`, 'Summarise the third quarter in two sentences.'];
let made = 0;
for (const [who, key] of keys.entries())
  for (const [at, text] of texts.entries())
    for (const model of ['gpt-echo', 'gpt-inside', 'claude-echo', 'nobody-knows']) {
      const init = { headers: { authorization: `Bearer ${key}`, 'gatehouse-purpose': `project-${(who * 7 + at) % 30}` } };
      const more = at === 0 ? { tools: [tool('search'), tool(`tool_${who}`)] } : {};
      const response = model === 'claude-echo'
        ? await gateway.messages(model, text, {}, { headers: { 'x-api-key': key } })
        : await gateway.chat(model, text, more, init);
      await response.text();
      ++made;
    }
await gateway.stop();
await simulator.stop();

const log = path.join(folder, 'ledger');
const repeated = spawnSync(path.join(root, 'build/release/repeat_decisions'), [site.ledger, log, String(decisions), ...process.argv.slice(3)], { encoding: 'utf8' });
process.stderr.write(succeed(repeated).stdout);

const changed = path.join(folder, 'policies');
cpSync(path.join(root, 'policies'), changed, { recursive: true });
appendFileSync(path.join(changed, '90-more.cedar'), `
  @id("finance-stays-inside") forbid (principal, action == Gatehouse::Action::"infer", resource)
  when { principal has team && principal.team == "finance" && resource.trust != "internal" };
  @id("no-project-7") forbid (principal, action == Gatehouse::Action::"infer", resource) when { context.purpose == "project-7" };
  @id("placeholders-inside-too") @redact("personal") permit (principal, action == Gatehouse::Action::"infer", resource)
  when { resource.registered && context.findings.personal > 0 };
`);
const begin = process.hrtime.bigint();
const diff = spawn(binary, ['policy', 'diff', path.join(root, 'policies'), changed, log,
  '--snapshots', path.join(site.data, 'snapshots'), '--since', '7d', '--rows', '5'], { stdio: ['ignore', 2, 2] });
const ended = once(diff, 'exit');
let peak = 0;
const watch = setInterval(() => {
  try { peak = Math.max(peak, Number(readFileSync(`/proc/${diff.pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)?.[1] ?? 0)); } catch { /* it ended */ }
}, 50);
const [status] = await ended;
clearInterval(watch);
const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
if (status !== 1) throw new Error(`policy diff ended with ${status}`);
console.log(JSON.stringify({ decisions, distinct: process.argv[3] === 'distinct', calls_made: made, cores: cpus().length, seconds: Number(seconds.toFixed(1)),
  decisions_a_second: Math.round(decisions / seconds), peak_MiB: Math.round(peak / 1024) }));
rmSync(folder, { recursive: true, force: true });
