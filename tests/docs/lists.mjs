// The lists of the documents against the source: problems (docs/errors.md), events and their fields
// (docs/events.md), metrics and log messages (docs/operating.md), paths (docs/dialects.md), rooms
// (docs/architecture.md).
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { codes, headings, read, root, rows } from './markdown.mjs';

function same(source, document, what) {
  const problems = [...source].filter((name) => !document.has(name)).map((name) => `${what} lacks ${name}`)
    .concat([...document].filter((name) => !source.has(name)).map((name) => `${what} has ${name}, which the source has not`));
  if (source.size === 0) problems.push('nothing found in the source; did it change its form?');
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function sources(folder) {
  return readdirSync(path.join(root, folder)).filter((name) => /\.(cc|h)$/.test(name) && !/_(test|fuzz|bench)\.cc$/.test(name))
    .map((name) => read(`${folder}/${name}`)).join('\n');
}

// `case Problem::x: … return …;` of the function that begins with `head`, fall-through included.
function cases(file, head) {
  const text = read(file);
  const body = text.slice(text.indexOf(head), text.indexOf('\n}\n', text.indexOf(head)));
  const values = new Map();
  let open = [];
  for (const [, name, value] of body.matchAll(/case Problem::(\w+):|return ([^;]+);/g)) {
    if (name) { open.push(name); continue; }
    for (const one of open) values.set(one, codes(value.replaceAll('"', '`')).concat(/^\d+$/.test(value) ? [value] : []));
    open = [];
  }
  return values;
}

function checkErrors() {
  const status = cases('src/gateway/problem.cc', 'int status_of');
  const openai = cases('src/gateway/dialect_openai.cc', 'OpenAiError openai_error');
  const anthropic = cases('src/gateway/dialect_anthropic.cc', 'std::string_view anthropic_error_type');
  const wanted = new Set();
  for (const [name, [number]] of status)
    wanted.add([name, number, ...openai.get(name), ...anthropic.get(name)].join(' '));
  const table = rows(read('docs/errors.md'), 'Errors');
  same(wanted, new Set(table.map((row) => [...codes(row[0]), row[1], ...row.slice(2, 5).flatMap(codes)].join(' '))), 'docs/errors.md');
  same(new Set(status.keys()), new Set(rows(read('docs/errors.md'), 'What each one means, and what to do').flatMap((row) => codes(row[0]))),
    'the second table of docs/errors.md');
  // The rule of the official clients (their shouldRetry): 408, 409, 429 and from 500 on.
  for (const row of table) {
    const repeated = Number(row[1]) >= 500 || [408, 409, 429].includes(Number(row[1]));
    // Unless the answer tells them not to.
    if (row[5].includes('x-should-retry')) continue;
    if (row[5].startsWith(repeated ? 'no' : 'yes')) throw new Error(`${row[0]}: the clients ${repeated ? 'repeat' : 'do not repeat'} ${row[1]}`);
  }
}

function checkEvents() {
  const page = read('docs/events.md');
  const text = ['src/gateway/record.cc', 'src/gateway/decision_event.cc', 'src/gateway/incident.cc', 'src/gateway/risk_watch.cc', 'src/gateway/guard_reports.cc', 'src/gateway/witnessing.cc', 'src/gateway/state_guard.cc', 'src/gateway/restore.cc', 'src/gateway/control.cc', 'src/gateway/snapshot.cc', 'src/gateway/vault_keeper.cc', 'src/gateway/outputs.cc', 'src/identity/registry.cc', 'src/gateway/mcp_record.cc', 'src/gateway/delegation_event.cc', 'src/gateway/administer.cc'].map(read).join('\n')
    .replace(/\blog_\w+\([^;]*;/g, '');
  // Files that write answers as well as events are asked for their types only.
  const more = ['src/approval/desk.cc', 'src/approval/record_text.cc', 'src/api/admin.cc', 'src/api/admin_directory.cc', 'src/identity/directory.cc', 'src/gateway/budget_keeper.cc', 'src/gateway/token_exchange.cc'].map(read).join('\n');
  const types = new Set([...(text + more).matchAll(/"((?:(?:request|message|snapshot|incident|key|model|vault|tool|approval|budget|token|principal|delegation|administration|account|group)\.[a-z]+|mcp\.(?:call|tool)\.[a-z]+))"/g)].map((match) => match[1]));
  same(types, new Set(headings(page).filter((heading) => heading.includes('.')).flatMap((heading) => heading.split(', '))), 'docs/events.md');
  // Fields: every name these files write is described, and every field described is written by them.
  // What real events have is compared in recorded.mjs.
  const namesIn = (source) => new Set([...source.matchAll(/(?:key|write_texts|write_list)\((?:writer, )?"([a-z_0-9]+)"|\{"([a-z_]+)",\s|data\["([a-z_]+)"\] =/g)].map((match) => match[1] ?? match[2] ?? match[3]));
  const written = namesIn(text);
  const described = new Set(codes(page).flatMap((name) => name.split('.')));
  const absent = [...written].filter((name) => !described.has(name));
  if (written.size < 20 || absent.length > 0) throw new Error(`docs/events.md does not mention: ${absent.join(', ')}`);
  const fields = rows(page).flatMap((row) => codes(row[0])).filter((name) => /^(actor|subject|data)\./.test(name));
  const anywhere = namesIn(text + more + ['src/gateway/actor.cc', 'src/gateway/admit.cc', 'src/gateway/decision_event.cc'].map(read).join('\n'));
  const invented = fields.filter((name) => !anywhere.has(name.split('.').at(-1)));
  if (fields.length < 20 || invented.length > 0) throw new Error(`docs/events.md has ${invented.join(', ')}, which the source does not write`);
}

function checkMetrics() {
  const source = new Set([...sources('src/gateway').matchAll(/"(gatehouse_[a-z_]+)"/g)].map((match) => match[1]));
  same(source, new Set(rows(read('docs/operating.md'), 'Metrics').flatMap((row) => codes(row[0]))), 'docs/operating.md, Metrics');
}

function checkLogs() {
  const text = ['src/identity', 'src/gateway', 'src/api', 'src/cli', 'src/export', 'src/witness', 'src/approval'].map(sources).join('\n');
  const source = new Set([...text.matchAll(/log_(?:info|warning|error)\(\s*"([^"]+)"/g)].map((match) => match[1]));
  same(source, new Set(rows(read('docs/operating.md'), 'Logs').flatMap((row) => codes(row[1]))), 'docs/operating.md, Logs');
}

function checkPaths() {
  const source = new Set([...read('src/gateway/accept.cc').matchAll(/\{"(\/v1\/[a-z_/]+)", "([A-Z]+)"/g)].map((match) => `${match[1]} ${match[2]}`));
  same(source, new Set(rows(read('docs/dialects.md'), 'What is understood').map((row) => `${codes(row[0])[0]} ${row[1]}`)), 'docs/dialects.md');
}

function checkHeaders() {
  const page = codes(read('docs/dialects.md')).map((name) => name.toLowerCase());
  const forward = [...read('src/gateway/forward.cc').matchAll(/forwarded(?:_beginnings)?\{([^}]+)\}/g)].map((match) => match[1]).join(',');
  const names = [...forward.matchAll(/"([a-z-]+)"/g)].map((match) => match[1]);
  const absent = names.filter((name) => !page.includes(name));
  if (names.length < 5 || absent.length > 0) throw new Error(`docs/dialects.md does not mention: ${absent.join(', ')}`);
}

function checkRooms() {
  const rooms = new Set(readdirSync(path.join(root, 'src')).filter((name) => statSync(path.join(root, 'src', name)).isDirectory()));
  const described = rows(read('docs/architecture.md'), 'Rooms and floors').map((row) => /^\[?(\w+)/.exec(row[1])[1]);
  same(rooms, new Set(described), 'docs/architecture.md, Rooms and floors');
}

function checkStages() {
  const source = [.../names\{([^}]+)\}/.exec(read('src/gateway/exchange.cc'))[1].matchAll(/"(\w+)"/g)].map((match) => match[1]);
  const row = rows(read('docs/operating.md'), 'Metrics').find((cells) => cells[0].includes('stage_seconds'));
  const absent = source.filter((name) => !row[3].includes(name));
  if (absent.length > 0) throw new Error(`gatehouse_stage_seconds: the document lacks ${absent.join(', ')}`);
}

export async function checkLists(test) {
  await test('docs/errors.md has the problems', checkErrors);
  await test('docs/events.md has the events and their fields', checkEvents);
  await test('docs/operating.md has the metrics', checkMetrics);
  await test('docs/operating.md has the stages', checkStages);
  await test('docs/operating.md has the log messages', checkLogs);
  await test('docs/dialects.md has the paths', checkPaths);
  await test('docs/dialects.md has the headers', checkHeaders);
  await test('docs/architecture.md has the rooms', checkRooms);
}
