// Every event reaches its receivers: as OCSF that the schema accepts, as CEF over syslog, as OTLP that
// a real decoder reads; in the log's order, none missing, whatever dies in between.
//
// GATEHOUSE_EXPORT_DOWN_SECONDS (20): how long the receiver of the long test is down.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openSchema } from '../ocsf/schema.mjs';
import { Gateway, Raw, Simulator, addModel, cli, createKey, people, root, secrets, sleep, succeed, until } from './harness.mjs';
import { HttpReceiver, SyslogReceiver, makeCertificate, parseCef } from './receivers.mjs';

const downSeconds = Number(process.env.GATEHOUSE_EXPORT_DOWN_SECONDS ?? 20);
const schemaFile = path.join(root, '../shared/data/ocsf/ocsf-schema-1.8.0.tar.gz');
const retry = 'retry_max: 500ms';

// The log as it is: ids of the entries in their order.
const idsOf = (gateway) => gateway.entries().map((entry) => entry.id);
// What a receiver has after it drops repeats, the first of each kept.
const withoutRepeats = (ids) => [...new Set(ids)];
const statusOf = (site) => JSON.parse(succeed(cli('export', 'status', '--config', site.config, '--json')).stdout);
const statusNamed = (site, name) => statusOf(site).find((one) => one.name === name);
// An entry stands in the files a moment before it is durable, so the log itself says how far it is.
const caughtUp = (gateway, name, timeoutMs = 30_000) => {
  const wanted = idsOf(gateway).length;
  return until(() => {
    const one = statusNamed(gateway, name);
    return one.position >= wanted && one.backlog === 0 && one;
  }, `${name} to catch up`, timeoutMs);
};

// Of OCSF events: one id for each entry, findings left out.
const ocsfIds = (events) => events.filter((event) => event.metadata.uid === event.metadata.original_event_uid)
  .map((event) => event.metadata.uid);
const cefIds = (messages) => messages.map((message) => parseCef(message).extension.externalId);

let simulator;
before(async () => { simulator = await Simulator.start(); });
after(async () => { await simulator?.stop(); });

// Calls and changes of every kind there is.
async function makeEveryKind(gateway) {
  const calls = [
    await gateway.chat('gpt-echo', 'hello'),
    await gateway.chat('gpt-echo', 'hello', { stream: true }),
    await gateway.messages('claude-echo', 'hello'),
    await gateway.chat('gpt-echo', `write to ${people.email}`),
    await gateway.chat('gpt-echo', `the key is ${secrets.awsKey()}`),
    await gateway.chat('gpt-unknown', 'x'),
    await gateway.script({ status: 500 }),
    await gateway.script({ text: `an answer with ${secrets.githubToken()}` }),
    await fetch(`${gateway.url}/v1/embeddings`, { method: 'POST', headers: gateway.headers(), body: JSON.stringify({ model: 'embed', input: 'x' }) }),
    await gateway.chat('gpt-echo', 'x', {}, { headers: { 'gatehouse-purpose': 'a|b=c \\ d' } }),
    await fetch(`${gateway.url}/v1/models`, { headers: gateway.headers() }),
    await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: gateway.headers(), body: '{' }),
    await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{}' }),
    await fetch(`${gateway.url}/v1/nothing`, { headers: gateway.headers() }),
  ];
  for (const call of calls) await call.text();
  const raw = await Raw.connect(gateway.port);
  raw.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  await until(() => raw.statuses().length > 0, 'the refusal of something that is no HTTP');
  raw.end();
  const { record } = createKey(gateway, 'service:reports');
  succeed(gateway.cli('key', 'revoke', record.prefix));
  addModel(gateway, { name: 'gone', provider: 'sim', upstream: 'simulator-echo', trust: 'internal' });
  succeed(gateway.cli('model', 'remove', 'gone'));
  // A row that nobody decided: the gateway raises an incident.
  const changed = spawnSync('sqlite3', [path.join(gateway.data, 'state.db'), `UPDATE api_keys SET revoked = '' WHERE id = '${record.id}'`], { encoding: 'utf8' });
  if (changed.status !== 0) throw new Error(`sqlite3: ${changed.stderr ?? changed.error}`);
  // The detectors may raise one of their own: texts like these are no prose.
  const differs = ({ data }) => data.kind === 'state.differs';
  await until(() => gateway.entries(['--type', 'incident.raised']).some(differs), 'the incident', 70_000);
  return calls;
}

describe('every kind of event, to every kind of receiver', () => {
  let gateway, folder;
  const receivers = {};
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-export-'));
    const certificate = makeCertificate(folder);
    receivers.http = await new HttpReceiver().start();
    receivers.logs = await new HttpReceiver(() => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"partialSuccess":{}}' })).start();
    receivers.traces = await new HttpReceiver().start();
    receivers.syslog = await new SyslogReceiver().start();
    receivers.tls = await new SyslogReceiver(certificate).start();
    gateway = await Gateway.start({ simulator, settings: [
      'reconcile_interval: 1s',
      'export:',
      `  - {name: siem, type: ocsf-http, url: "${receivers.http.url}/services/collector/raw", scheme: Splunk, credential: {env: SIEM_TOKEN}, ${retry}}`,
      `  - {name: file, type: ocsf-file, path: "${folder}/events.ndjson"}`,
      `  - {name: syslog, type: cef-syslog, url: "tcp://127.0.0.1:${receivers.syslog.port}", ${retry}}`,
      `  - {name: syslog-tls, type: cef-syslog, url: "tls://127.0.0.1:${receivers.tls.port}", ca: "${certificate.file}", ${retry}}`,
      `  - {name: logs, type: otlp-logs, url: "${receivers.logs.url}", ${retry}}`,
      `  - {name: traces, type: otlp-traces, url: "${receivers.traces.url}", ${retry}}`].join('\n') });
    await makeEveryKind(gateway);
    for (const one of statusOf(gateway)) await caughtUp(gateway, one.name);
  });
  after(async () => {
    await gateway?.finish();
    for (const receiver of Object.values(receivers)) await (receiver.kill?.() ?? receiver.stop());
    rmSync(folder, { recursive: true, force: true });
  });

  const fileEvents = () => readFileSync(path.join(folder, 'events.ndjson'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));

  test('all of them have every entry, once, in the order of the log', () => {
    const ids = idsOf(gateway);
    assert.ok(ids.length > 30);
    assert.deepEqual(ocsfIds(receivers.http.events()), ids);
    assert.deepEqual(ocsfIds(fileEvents()), ids);
    assert.deepEqual(cefIds(receivers.syslog.messages), ids);
    assert.deepEqual(cefIds(receivers.tls.messages), ids);
    assert.deepEqual([...receivers.syslog.broken, ...receivers.tls.broken], []);
  });

  test('every OCSF event is right by the schema', (t) => {
    const schema = openSchema(schemaFile);
    if (!schema) { t.skip(`${schemaFile} is not there`); return; }
    const events = receivers.http.events();
    const wrong = events.flatMap((event) => schema.validate(event).map((problem) => `${event.metadata?.event_code} as ${event.class_name}: ${problem}`));
    assert.deepEqual([...new Set(wrong)], []);
    const kinds = new Set(gateway.entries().map((entry) => entry.type));
    assert.deepEqual(new Set(events.map((event) => event.metadata.event_code)), kinds);
    assert.ok(kinds.size >= 10, [...kinds].join());
    assert.deepEqual(new Set(events.map((event) => event.class_uid)), new Set([2004, 3004, 6003]));
  });

  test('a call is an API Activity with the profile for AI, a blocked one also a Detection Finding', () => {
    const events = receivers.http.events();
    const completed = events.find((event) => event.metadata.event_code === 'request.completed' && event.message_context?.prompt_tokens !== undefined);
    assert.deepEqual(completed.metadata.profiles, ['ai_operation', 'security_control']);
    assert.equal(completed.ai_model.name, 'gpt-echo');
    assert.equal(completed.actor.user.name, 'ada');
    assert.equal(completed.src_endpoint.ip, '127.0.0.1');
    const finding = events.find((event) => event.class_uid === 2004 && event.disposition === 'Blocked');
    assert.equal(finding.is_alert, true);
    assert.match(finding.finding_info.title, /^Blocked: /);
    assert.equal(finding.metadata.uid, `${finding.metadata.original_event_uid}:finding`);
  });

  test('the credential goes as configured, and to the path of the url', () => {
    const [request] = receivers.http.requests;
    assert.equal(request.headers.authorization, 'Splunk siem-token');
    assert.equal(request.url, '/services/collector/raw');
    assert.equal(request.headers['content-type'], 'application/x-ndjson');
  });

  test('CEF has what the entry has, escaped', () => {
    const messages = receivers.syslog.messages.map(parseCef);
    const entries = gateway.entries();
    entries.forEach((entry, at) => {
      assert.equal(messages[at].id, entry.type);
      assert.equal(messages[at].host, 'gw-e2e');
      assert.equal(messages[at].extension.cn1, String(at));
      assert.equal(new Date(Number(messages[at].extension.rt)).toISOString().slice(0, 23), entry.time.slice(0, 23));
    });
    const purposeful = messages.find((message) => message.extension.requestContext);
    assert.equal(purposeful.extension.requestContext, 'a|b=c \\ d');
    const denied = messages.find((message) => message.extension.act === 'forbid');
    assert.equal(denied.extension.outcome, 'failure');
    assert.equal(denied.extension.suser, 'ada');
    assert.equal(denied.severity, 6);
    assert.equal(denied.priority, 13 * 8 + 4);
  });

  test('nothing of the content of calls leaves', () => {
    const all = JSON.stringify([receivers.http.requests, receivers.logs.requests, receivers.traces.requests, receivers.syslog.messages]);
    for (const content of [people.email, secrets.awsKey(), secrets.githubToken(), 'hello'])
      assert.ok(!all.includes(content), content);
  });

  test('the OTLP decoder of the OpenTelemetry collector reads every log record and span', (t) => {
    const decoded = decodeOtlp(t, [...receivers.logs.requests, ...receivers.traces.requests]);
    if (!decoded) return;
    const entries = gateway.entries();
    const logs = decoded.flatMap((one) => one.logs ?? []);
    assert.deepEqual(logs.map((log) => log.attributes['gatehouse.entry.id']), entries.map((entry) => entry.id));
    assert.deepEqual(logs.map((log) => log.event), entries.map((entry) => entry.type));
    const spans = decoded.flatMap((one) => one.spans ?? []);
    const calls = entries.filter((entry) => entry.type === 'request.completed' && !['models'].includes(entry.subject.route));
    for (const call of calls) {
      const span = spans.find((one) => one.attributes['gatehouse.entry.id'] === call.id);
      const decision = entries.find((entry) => entry.id === call.data.decision);
      assert.equal(span.trace, decision.id.replaceAll('-', ''));
      assert.equal(span.name, `${span.attributes['gen_ai.operation.name']} ${call.subject.model}`);
      assert.equal(span.attributes['gen_ai.provider.name'], call.subject.dialect);
      assert.equal(span.attributes['gen_ai.request.model'], call.subject.model);
      assert.equal(span.attributes['gen_ai.usage.input_tokens'], call.data.input_tokens);
      assert.equal(span.attributes['gen_ai.usage.output_tokens'], call.data.output_tokens);
      assert.equal(span.attributes['error.type'], call.data.problem);
      assert.equal(span.start, Date.parse(decision.time));
      assert.equal(span.end, Date.parse(call.time));
      const log = logs.find((one) => one.attributes['gatehouse.entry.id'] === call.id);
      assert.deepEqual([log.trace, log.span], [span.trace, span.span]);
    }
    assert.ok(calls.length >= 7);
  });

  test('metrics say how far each one is', async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    const value = (name, exporter) => Number(new RegExp(`^${name}\\{exporter="${exporter}",[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
    for (const { name } of statusOf(gateway)) {
      assert.equal(value('gatehouse_export_backlog_entries', name), 0, name);
      assert.ok(value('gatehouse_export_sent_total', name) > 30, name);
      assert.equal(value('gatehouse_export_position', name), idsOf(gateway).length, name);
      assert.equal(value('gatehouse_export_skipped_total', name), 0, name);
    }
  });
});

// By a program of the collector's own packages (tests/otlp); null where it cannot be built.
function decodeOtlp(t, requests) {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (go.status !== 0) { t.skip('go is not there, and with it the decoder'); return null; }
  const lines = requests.map(({ url, body }) => JSON.stringify({ path: url, body })).join('\n');
  const done = spawnSync('go', ['run', '.'], { cwd: path.join(root, 'tests/otlp'), input: lines, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`the decoder says: ${done.stderr}`);
  return done.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

// Calls from a few callers at once until told to stop; errors are the gateway's death and no matter.
function load(gateway, callers, pauseMs) {
  let going = true;
  const one = async () => {
    while (going) {
      try { await (await gateway.chat('gpt-echo', 'x')).text(); } catch { await sleep(20); }
      if (pauseMs) await sleep(pauseMs);
    }
  };
  const all = Array.from({ length: callers }, one);
  return { stop: async () => { going = false; await Promise.all(all); } };
}

test(`a receiver that is down for ${downSeconds} s under load, while the gateway is killed, gets every event in order`, async () => {
  const receiver = await new HttpReceiver().start();
  const site = Gateway.prepare({ simulator, settings: `export:\n  - {name: siem, type: ocsf-http, url: "${receiver.url}/", ${retry}}` });
  const pause = Number(process.env.GATEHOUSE_EXPORT_PAUSE_MS ?? 0);
  let gateway = await Gateway.run(site);
  let calls = load(gateway, 4, pause);
  await until(() => receiver.requests.length > 2, 'the first events');
  await receiver.stop();
  await sleep(downSeconds * 500);
  await calls.stop();
  await gateway.stop('SIGKILL');
  gateway = await Gateway.run(site);
  calls = load(gateway, 4, pause);
  await sleep(downSeconds * 500);
  const while_down = statusNamed(gateway, 'siem');
  assert.ok(while_down.backlog > 100, JSON.stringify(while_down));
  assert.equal(while_down.state, 'retrying');
  assert.match(while_down.last_error, /refused|connect/i);
  const delivered = receiver.requests.length;
  await receiver.start();
  await until(() => receiver.requests.length > delivered + 2, 'events after the return', 30_000);
  await gateway.stop('SIGKILL');  // in the middle of catching up
  await calls.stop();
  const cut = withoutRepeats(ocsfIds(receiver.events())).length;
  gateway = await Gateway.run(site);
  const began = Date.now();
  await caughtUp(gateway, 'siem', 600_000);
  const seconds = (Date.now() - began) / 1000;
  const ids = idsOf(gateway);
  const received = ocsfIds(receiver.events());
  assert.deepEqual(withoutRepeats(received), ids);
  assert.ok(cut < ids.length, 'the gateway was killed before it had caught up');
  // The receiver may see again only what one kill left unconfirmed: a batch each.
  assert.ok(received.length - ids.length <= 2 * 500, `${received.length - ids.length} repeats`);
  console.log(`# ${ids.length} events, ${received.length - ids.length} repeats, backlog ${while_down.backlog} after ${downSeconds} s; the last ${ids.length - cut} came in ${seconds} s`);
  await gateway.finish();
  await receiver.stop();
});

test('a syslog receiver that dies with unread bytes gets them again, in order', async () => {
  const receiver = await new SyslogReceiver().start();
  const gateway = await Gateway.start({ simulator, settings: `export:\n  - {name: syslog, type: cef-syslog, url: "tcp://127.0.0.1:${receiver.port}", ${retry}}` });
  const calls = load(gateway, 2);
  for (let round = 0; round < 3; ++round) {
    const before = receiver.messages.length;
    await until(() => receiver.messages.length > before + 50, 'messages');
    for (const socket of receiver.sockets) socket.pause();  // takes bytes and does not look at them
    await sleep(300);
    await receiver.kill();
    await sleep(300);
    await receiver.start();
  }
  await calls.stop();
  await caughtUp(gateway, 'syslog');
  const ids = idsOf(gateway);
  const received = cefIds(receiver.messages);
  assert.deepEqual(withoutRepeats(received), ids);
  // Repeats begin again at a confirmed entry and go on in order from there.
  const place = new Map(ids.map((id, at) => [id, at]));
  const jumps = received.filter((id, at) => at > 0 && place.get(id) !== place.get(received[at - 1]) + 1);
  assert.ok(jumps.length <= 3, `${jumps.length} jumps back`);
  await gateway.finish();
  await receiver.kill();
});

test('a syslog receiver that never ends a connection is believed when its system has everything', async () => {
  const receiver = await new SyslogReceiver(undefined, { ends: false }).start();
  const gateway = await Gateway.start({ simulator, settings: `export:\n  - {name: syslog, type: cef-syslog, url: "tcp://127.0.0.1:${receiver.port}", ${retry}}` });
  await caughtUp(gateway, 'syslog');
  assert.deepEqual(cefIds(receiver.messages), idsOf(gateway));
  await until(() => gateway.logs("the receiver does not end its connection; only its system's acknowledgement is known").length === 1, 'the warning, once');
  await gateway.finish();
  await receiver.kill();
});

test('a call whose gateway was killed and came back is one span, from its decision on', async () => {
  const receiver = await new HttpReceiver().start();
  const site = Gateway.prepare({ simulator, settings: `export:\n  - {name: traces, type: otlp-traces, url: "${receiver.url}", ${retry}}` });
  let gateway = await Gateway.run(site);
  // Its decision is exported while it runs; its outcome comes after the exporter has begun anew.
  const before = await (await gateway.chat('gpt-echo', 'x')).text();
  assert.ok(before);
  await caughtUp(gateway, 'traces');
  const slow = gateway.script({ text: 'x', hang_ms: 60_000 }).catch(() => {});
  await until(() => gateway.entries(['--type', 'request.decided']).length === 2, 'the second decision');
  await caughtUp(gateway, 'traces');
  const [, , , replay] = readFileSync(path.join(site.data, 'export/traces.position'), 'utf8').split('\n');
  const open = gateway.entries().findIndex((entry) => entry.id === gateway.entries(['--type', 'request.decided'])[1].id);
  assert.equal(Number(replay), open, 'the open call is read again');
  await gateway.stop('SIGKILL');
  await slow;
  gateway = await Gateway.run(site);
  await (await gateway.chat('gpt-echo', 'x')).text();
  await caughtUp(gateway, 'traces');
  const spans = receiver.requests.flatMap(({ body }) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans);
  const completed = gateway.entries(['--type', 'request.completed']).map((entry) => entry.data.decision.replaceAll('-', ''));
  assert.deepEqual(spans.map((span) => span.traceId), completed);
  await gateway.finish();
  await receiver.stop();
});

test('a syslog receiver whose certificate is somebody else\'s gets nothing', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-export-'));
  const right = makeCertificate(folder, 'right');
  const receiver = await new SyslogReceiver(makeCertificate(folder, 'wrong')).start();
  const gateway = await Gateway.start({ simulator, settings: `export:\n  - {name: syslog, type: cef-syslog, url: "tls://127.0.0.1:${receiver.port}", ca: "${right.file}", ${retry}}` });
  const status = await until(() => { const one = statusNamed(gateway, 'syslog'); return one.errors > 1 && one; }, 'two attempts');
  assert.match(status.last_error, /certificate/);
  assert.equal(status.position, 0);
  assert.deepEqual(receiver.messages, []);
  await gateway.finish();
  await receiver.kill();
  rmSync(folder, { recursive: true, force: true });
});

test('an event the receiver refuses for good is passed over after tries, counted and named; a receiver that refuses all is waited for', async () => {
  let poison = null;
  let refuseAll = false;
  const receiver = await new HttpReceiver((request, body) => ({ status: refuseAll || body.includes('key.created') ? 400 : 200, body: 'no' })).start();
  const gateway = await Gateway.start({ simulator, settings: `export:\n  - {name: siem, type: ocsf-http, url: "${receiver.url}/in", retry_max: 100ms}` });
  await (await gateway.chat('gpt-echo', 'x')).text();
  await caughtUp(gateway, 'siem');
  poison = gateway.entries().filter((entry) => entry.type === 'key.created').map((entry) => entry.id);
  const expected = idsOf(gateway).filter((id) => !poison.includes(id));
  assert.deepEqual(ocsfIds(receiver.events()), expected);
  assert.equal(statusNamed(gateway, 'siem').skipped, poison.length);
  const said = await until(() => {
    const lines = gateway.logs('a receiver refuses an entry for good; it is passed over');
    return lines.length === poison.length && lines;
  }, 'the log to name it');
  assert.deepEqual(said.map((line) => line.entry), poison);
  refuseAll = true;
  for (let i = 0; i < 10; ++i) await (await gateway.chat('gpt-echo', 'x')).text();
  await sleep(8_000);
  const refused = statusNamed(gateway, 'siem');
  assert.ok(refused.backlog >= 10, JSON.stringify(refused));
  assert.equal(refused.state, 'retrying');
  await gateway.finish();
  await receiver.stop();
});

test('a receiver that asks to be left alone is', async () => {
  const times = [];
  const receiver = await new HttpReceiver(() => {
    times.push(Date.now());
    return times.length === 1 ? { status: 429, headers: { 'retry-after': '3' } } : { status: 200 };
  }).start();
  const gateway = await Gateway.start({ simulator, settings: `export:\n  - {name: logs, type: otlp-logs, url: "${receiver.url}", retry_max: 100ms}` });
  await caughtUp(gateway, 'logs');
  assert.ok(times[1] - times[0] >= 2_900, `${times[1] - times[0]} ms`);
  await gateway.finish();
  await receiver.stop();
});

test('a collector that throws records away is counted, not asked again', async () => {
  const receiver = await new HttpReceiver(() => ({ status: 200, body: '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}' })).start();
  const gateway = await Gateway.start({ simulator, settings: `export:\n  - {name: logs, type: otlp-logs, url: "${receiver.url}", ${retry}}` });
  const status = await caughtUp(gateway, 'logs');
  assert.ok(status.rejected >= 2);
  const said = await until(() => gateway.logs('a receiver threw events away that it had accepted')[0], 'the log to say so');
  assert.equal(said.error, 'too old');
  await gateway.finish();
  await receiver.stop();
});

test('`from: now` begins with what comes; a position of another log is not gone on with', async () => {
  const receiver = await new HttpReceiver().start();
  const site = Gateway.prepare({ simulator });
  const settings = readFileSync(site.config, 'utf8');
  const before = (await Gateway.run(site));
  await (await before.chat('gpt-echo', 'x')).text();
  await before.stop();
  writeFileSync(site.config, `${settings}export:\n  - {name: siem, type: ocsf-http, url: "${receiver.url}/", from: now, ${retry}}\n`);
  let gateway = await Gateway.run(site);
  await (await gateway.chat('gpt-echo', 'y')).text();
  await caughtUp(gateway, 'siem');
  const ids = idsOf(gateway);
  const received = ocsfIds(receiver.events());
  assert.ok(received.length >= 2 && received.length < ids.length);
  assert.deepEqual(received, ids.slice(-received.length));
  await gateway.stop();
  assert.equal(statusOf(site)[0].state, 'stopped');
  assert.equal(statusOf(site)[0].backlog, 0);
  const file = path.join(site.data, 'export/siem.position');
  writeFileSync(file, readFileSync(file, 'utf8').replace('example.com/gatehouse-e2e', 'example.com/other'));
  gateway = await Gateway.run(site);
  const halted = await until(() => { const one = statusNamed(gateway, 'siem'); return one.state === 'halted' && one; }, 'it to halt');
  assert.match(halted.last_error, /example\.com\/other/);
  await gateway.finish();
  await receiver.stop();
});
