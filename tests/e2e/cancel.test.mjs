// A caller who goes away takes the upstream call along, at once, before the first byte too.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Gateway, Simulator, sleep, until } from './harness.mjs';

let simulator, gateway;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator, only: ['gpt-script', 'claude-script', 'gpt-echo'] });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });
beforeEach(() => simulator.clear());

const cancelled = () => until(async () => {
  const count = await simulator.count();
  return count.cancelled === 1 && count.active === 0;
}, 'the upstream call to be cancelled', 2_000);

async function leaveWhileWaiting(call) {
  const leave = new AbortController();
  const pending = call(leave.signal).catch(() => {});
  await until(async () => (await simulator.count()).active === 1, 'the call to reach the provider');
  leave.abort();
  await pending;
  await cancelled();
}

test('a plain call, before the first byte', () =>
  leaveWhileWaiting((signal) => gateway.script({ hang_ms: 30_000 }, {}, { signal })));

test('a streamed call, before the first byte', () =>
  leaveWhileWaiting((signal) => gateway.script({ hang_ms: 30_000 }, { stream: true }, { signal })));

test('an Anthropic call, before the first byte', () =>
  leaveWhileWaiting((signal) => gateway.messages('claude-script', JSON.stringify({ hang_ms: 30_000 }), {}, { signal })));

test('a stream, in the middle, also while the provider is silent', async () => {
  for (const pace of [20, 20_000]) {
    await simulator.clear();
    const leave = new AbortController();
    const response = await gateway.script({ text: 'word '.repeat(200), pace_ms: pace }, { stream: true }, { signal: leave.signal });
    await response.body.getReader().read();
    leave.abort();
    await cancelled();
  }
});

test('who left is recorded', async () => {
  const leave = new AbortController();
  const response = await gateway.script({ text: 'word '.repeat(200), pace_ms: 20 }, { stream: true }, { signal: leave.signal });
  const id = response.headers.get('gatehouse-entry');
  leave.abort();
  await cancelled();
  const outcome = await until(() => gateway.entries().find((entry) => entry.data?.decision === id), 'the outcome');
  assert.equal(outcome.data.client_left, true);
  assert.equal(outcome.data.problem, undefined);
});

test('others are not disturbed: a hundred leave, the next is served', async () => {
  const leave = new AbortController();
  const all = Array.from({ length: 100 }, () => gateway.script({ hang_ms: 30_000 }, {}, { signal: leave.signal }).catch(() => {}));
  await until(async () => (await simulator.count()).active === 100, 'the calls to reach the provider');
  leave.abort();
  await Promise.all(all);
  await until(async () => (await simulator.count()).active === 0, 'all to be cancelled', 3_000);
  await sleep(10);
  assert.equal((await gateway.chat('gpt-echo', 'still there')).status, 200);
});
