// kill -9 of the real gateway under load, again and again on the same data: no entry whose id a
// caller was given may be missing, it must start by itself, and the log must verify as a
// continuation of what it was before.
// node kill_test.mjs [ROUNDS]; ends with one line and exit code 1 when anything was lost.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { Gateway, Simulator, cli, sleep, succeed } from './harness.mjs';

const rounds = Number(process.argv[2] ?? 50);
const callers = 16;
const acknowledged = new Set();

const simulator = await Simulator.start();
const site = Gateway.prepare({ simulator, only: ['gpt-echo', 'gpt-long'], settings: '' });

// One caller: plain and streamed calls in turn until the connection breaks.
async function callUntilDead(gateway, caller) {
  try {
    for (let i = 0; ; ++i) {
      const stream = (i + caller) % 3 === 0;
      const response = await gateway.chat(stream ? 'gpt-long' : 'gpt-echo', `round call ${i}`, stream ? { stream } : {});
      const text = await response.text();
      if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
      acknowledged.add(response.headers.get('gatehouse-entry'));
    }
  } catch (error) {
    if (String(error.message).startsWith('status')) throw error;
  }
}

function missing() {
  const ids = new Set(Gateway.prototype.entries.call(site).map((entry) => entry.id));
  return [...acknowledged].filter((id) => !ids.has(id));
}

let failed = null;
let leftovers = 0;
for (let round = 1; round <= rounds && !failed; ++round) {
  const gateway = await Gateway.run(site);
  // It has recovered by itself: the log verifies, and is the one of the round before, not a fork.
  const recovered = cli('audit', 'verify', site.ledger, '--remember', path.join(site.folder, 'remembered'));
  if (recovered.status !== 0) failed = `round ${round}, after the start: audit verify says\n${recovered.stdout}${recovered.stderr}`;
  const load = Promise.all(Array.from({ length: callers }, (_, caller) => callUntilDead(gateway, caller)));
  await sleep(300 + Math.random() * 700);
  gateway.signal('SIGKILL');
  await gateway.exited;
  await load;
  // Straight after the kill an unfinished temporary file may lie there, which the next start removes.
  const verified = gateway.verify();
  const unfinished = /left behind by an interrupted write/.test(verified.stdout);
  leftovers += unfinished ? 1 : 0;
  if (!failed && verified.status !== 0 && !unfinished) failed = `round ${round}: audit verify says\n${verified.stdout}${verified.stderr}`;
  if (!failed && (round % 10 === 0 || round === rounds)) {
    const lost = missing();
    if (lost.length > 0) failed = `round ${round}: ${lost.length} of ${acknowledged.size} acknowledged entries are missing, first ${lost[0]}`;
    else console.log(`round ${round}: ${acknowledged.size} acknowledged, all there; the log verifies`);
  }
}
if (!failed) await (await Gateway.run(site)).stop();
await simulator.stop();
if (failed) {
  console.log(`kill-test: FAILED in ${site.folder}: ${failed}`);
  process.exit(1);
}
succeed(Gateway.prototype.verify.call(site));
console.log(`kill-test: ${rounds} kills, ${acknowledged.size} acknowledged calls, none lost, never a fork, the log verifies ` +
  `(${leftovers} times an unfinished file was left, and removed by the next start)`);
rmSync(site.folder, { recursive: true, force: true });
