// The conformance suite against a server directly and through the gateway, then everything in
// *.test.mjs. Ends with "mcp: N passed, N failed".
//
// A scenario passes when every check has the same result both ways, or differs as differences.json
// says and explains, for one scenario or for a check wherever it is. The suite's own everything-server is used where MCP_EVERYTHING names its file
// (or ../shared/data/mcp/everything-server.ts is there); else the server of servers.mjs.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { conform, node, run, withKey } from './suite.mjs';
import { startEverything } from './servers.mjs';
import { Site } from './site.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const differences = JSON.parse(readFileSync(path.join(here, 'differences.json'), 'utf8'));
let passed = 0;
let failed = 0;

const official = process.env.MCP_EVERYTHING ?? path.resolve(here, '../../../shared/data/mcp/everything-server.ts');
async function serverUnderTest() {
  if (!existsSync(official)) return startEverything();
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const child = spawn(node, ['--import', 'tsx', path.basename(official)],
    { cwd: path.dirname(official), env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/mcp`;
  for (let attempt = 0; attempt < 300; ++attempt) {
    try { await fetch(url); break; } catch { await new Promise((done) => setTimeout(done, 100)); }
  }
  return { url, stop: () => child.kill() };
}

const serverName = existsSync(official) ? 'everything-server.ts' : 'servers.mjs';
const statuses = (checks, id) => (checks.get(id) ?? []).map((one) => one.status).join(',');
const isAll = (found, status) => found.split(',').every((one) => one === status);

function compare(revision, direct, through) {
  for (const [scenario, checks] of direct) {
    const other = through.get(scenario) ?? new Map();
    const wrong = [];
    for (const id of new Set([...checks.keys(), ...other.keys()])) {
      const [before, after] = [statuses(checks, id), statuses(other, id)];
      if (before === after) continue;
      const known = differences.find((one) => one.revision === revision && one.check === id
        && (one.server ?? serverName) === serverName && (one.scenario ?? scenario) === scenario && isAll(before, one.directly) && isAll(after, one.through));
      if (known) console.log(`  differs: ${revision} ${scenario} ${id}: ${before} -> ${after}: ${known.why}`);
      else wrong.push(`${id}: directly ${before || 'nothing'}, through the gateway ${after || 'nothing'} (${(other.get(id) ?? [])[0]?.why ?? ''})`);
    }
    if (wrong.length === 0) { ++passed; continue; }
    ++failed;
    console.log(`FAILED ${revision} ${scenario}\n  ${wrong.join('\n  ')}`);
  }
}

const server = await serverUnderTest();
console.log(`server under test: ${serverName}`);
const site = await Site.start([{ name: 'everything', url: server.url }], { trust: true });
const proxy = await withKey(site.url, site.key);
for (const revision of ['2025-11-25', '2026-07-28']) {
  const direct = await conform(server.url, revision);
  const through = await conform(`http://localhost:${proxy.address().port}/mcp/everything`, revision);
  console.log(`${revision}: ${direct.size} scenarios`);
  compare(revision, direct, through);
}
proxy.closeAllConnections();
proxy.close();
await site.stop();
server.stop();

const tests = readdirSync(here).filter((name) => name.endsWith('.test.mjs')).map((name) => path.join(here, name));
const { output } = await run(process.execPath, ['--test', '--test-reporter=tap', ...tests]);
const count = (word) => Number(output.match(new RegExp(`^# ${word} (\\d+)`, 'm'))?.[1] ?? 0);
if (count('fail') > 0 || count('pass') === 0) console.log(output);
passed += count('pass');
failed += count('fail') + (count('pass') === 0 ? 1 : 0);
console.log(`mcp: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
