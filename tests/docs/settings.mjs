// docs/settings.md and examples/gatehouse.yaml against src/gateway/config*.cc and the real binary:
// the same keys, the same defaults, the same ranges, the same rule for what a reload may change.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { codes, read, root, rows } from './markdown.mjs';

const binary = path.resolve(process.env.GATEHOUSE ?? path.join(root, 'build/release/gatehouse'));

// Which section a reader variable (or a helper function) stands for, everywhere and in one file alone.
// `null`: what looks like a reader there is none.
const sections = { root: '', limits: 'limits.', size: 'limits.', timeouts: 'timeouts.', duration: 'timeouts.',
  tls: 'tls.', ledger: 'ledger.', exporter: 'export[].', serve: 'ledger.serve.', receipts: 'ledger.receipts.', vault: 'vault.',
  provenance: 'provenance.' };
const sectionsOf = {
  'src/gateway/config.cc': { reader: 'providers[].' },
  'src/guard/config.cc': { reader: 'guards[].', size: 'guards[].', count: 'guards[].', cache: 'guards[].cache.' },
  'src/guard/config_onnx.cc': { reader: 'guards[].', count: 'guards[].' },
  'src/gateway/config_mcp.cc': { reader: 'mcp.servers[].', mcp: 'mcp.' },
  'src/gateway/config_checks.cc': { reader: 'checks[].', strings: null },  // writes what is digested
  'src/gateway/config_inspection.cc': { reader: 'inspection.' },
  'src/gateway/config_identity.cc': { section: 'identity.', reader: 'identity.issuers[].', by: 'identity.issuers[].kind_by.',
    certificates: 'identity.certificates.' },
  'src/gateway/config_limits.cc': { budget: 'budgets[].', matching: 'budgets[].match.', reader: 'budgets[].', priced: 'prices[].' },
  'src/gateway/config_tools.cc': { reader: 'tools[].', results: 'tools[].results.' },
};

// What a section cannot do without.
const needed = { 'ledger.serve.': ['ledger.serve.listen', '127.0.0.1:8090'] };
// And an item of a list, to try ranges with. (Ranges of `export` depend on each other; config_test.cc has them.)
const items = { 'mcp.servers[]': { name: 'one', url: 'http://127.0.0.1:1' }, 'guards[]': { name: 'one', url: 'http://127.0.0.1:1', model: 'one' }, 'checks[]': { name: 'one', type: 'topics', words: '[one]' }, 'tools[]': { name: 'one' }, 'prices[]': { model: 'one', input: '1', output: '1' },
  'budgets[]': { name: 'one', unit: 'requests', amount: '1', window: '60s' } };
// Settings of one file that an item of another kind has.
const itemsOf = { 'src/guard/config_onnx.cc': { 'guards[]': { name: 'one', type: 'onnx', model: 'models/guard/model.onnx', tokenizer: 'models/guard/tokenizer.json',
  harmful: '[INJECTION]', runtime: 'models/libonnxruntime.so.1' } } };

// Every key config*.cc asks for: name -> {call, rest of the call, file}.
function keysOfSource() {
  const files = readdirSync(path.join(root, 'src/gateway')).filter((name) => /^config\w*\.cc$/.test(name) && !name.endsWith('_test.cc'))
    .map((name) => `src/gateway/${name}`).concat('src/export/config.cc', 'src/guard/config.cc', 'src/guard/config_onnx.cc');
  const keys = new Map();
  for (const file of files) {
    for (const { variable, kind, key, rest } of callsOf(read(file))) {
      const here = sectionsOf[file] ?? {};
      const name = variable ?? kind;
      const section = name in here ? here[name] : sections[name];
      if (section === undefined) throw new Error(`${file}: which section is "${variable}.${kind}(\\"${key}\\")" in? tests/docs/settings.mjs does not know`);
      if (section !== null) keys.set(section + key, { kind, rest, file });
    }
  }
  for (const key of keys.keys())  // a section is no setting
    if ([...keys.keys()].some((other) => other.startsWith(`${key}.`) || other.startsWith(`${key}[].`))) keys.delete(key);
  return keys;
}

// reader.size("key", …), size("key", …), and helper functions that are given the reader: count(reader, "key").
function callsOf(source) {
  const member = /(?:(\w+)(?:\.|->))?\b(string|required_string|boolean|choice|integer|duration|size|count|strings|child|list)\(\s*"([a-z_]+)"([^;]*);/g;
  const helper = /\b(count|read_path|read_file_of|read_kind|read_members|read_money|read_tokens)\(\s*(\w+),\s*(?:node,\s*)?"([a-z_]+)"([^;]*);/g;
  return [...source.matchAll(member)].map(([, variable, kind, key, rest]) => ({ variable, kind, key, rest }))
    .concat([...source.matchAll(helper)].map(([, kind, variable, key, rest]) => ({ variable, kind: `${kind}(…)`, key, rest })));
}

function documented() {
  const table = new Map();
  for (const row of rows(read('docs/settings.md'))) {
    if (row.length !== 5) continue;
    for (const name of codes(row[0])) table.set(name, { fallback: row[1], range: row[2], change: row[3] });
  }
  return table;
}

function difference(wanted, found, what) {
  const problems = [...wanted].filter((key) => !found.has(key)).map((key) => `${what} lacks ${key}`)
    .concat([...found].filter((key) => !wanted.has(key)).map((key) => `${what} has ${key}, which is not a setting`));
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

// "32MiB", "1m" -> a number.
const units = { '': 1, KiB: 1 << 10, MiB: 1 << 20, GiB: 1 << 30, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
function amount(text) {
  const [, number, unit] = /^(\d+)([A-Za-z]*)$/.exec(text.trim()) ?? [];
  if (units[unit] === undefined) throw new Error(`"${text}" is no amount`);
  return Number(number) * units[unit];
}

// The C++ initialiser of a member, as a number: `= 16 * 1024;` or `{10'000};`.
const headers = { 'config.server.': ['src/net/server.h', 'ServerLimits'], 'config.client.': ['src/net/client.h', 'ClientLimits'],
  'config.': ['src/gateway/config.h', 'Config'] };
const headersOf = { 'src/gateway/config_mcp.cc': { 'config.': ['src/gateway/config_mcp.h', 'McpConfig'] },
  'src/guard/config.cc': { 'config.': ['src/guard/guard.h', 'Config'] },
  'src/guard/config_onnx.cc': { 'options.': ['src/onnx/options.h', 'Options'] } };
function initialValue(file, owner, member) {
  const [header, struct] = { ...headers, ...headersOf[file] }[owner];
  const text = read(header);
  const body = text.slice(text.indexOf(`struct ${struct} {`), text.indexOf('\n};', text.indexOf(`struct ${struct} {`)));
  const found = new RegExp(`\\b${member}\\s*(?:=\\s*([^;]+)|\\{([^}]+)\\});`).exec(body);
  if (!found) throw new Error(`${header}: ${struct} has no ${member} with a value`);
  const value = (found[1] ?? found[2]).replace(/'/g, '').replace(/(\d)u\b/g, '$1');
  if (!/^[\d\s*<()+]+$/.test(value)) throw new Error(`${header}: cannot read the default of ${member}: ${value}`);
  return Function(`return ${value}`)();
}

// config check on this text, in a folder of its own.
const secret = 'x'.repeat(32);
function check(yaml, files = []) {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-settings-'));
  try {
    for (const [name, make] of files) { mkdirSync(path.dirname(path.join(folder, name)), { recursive: true }); make(path.join(folder, name)); }
    const file = path.join(folder, 'gatehouse.yaml');
    writeFileSync(file, yaml);
    const done = spawnSync(binary, ['config', 'check', '--config', file], { encoding: 'utf8',
      env: { ...process.env, OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', GATEHOUSE_SECRET: secret, SIEM_TOKEN: 'x', GUARD_TOKEN: 'x', DOCS_TOKEN: 'x' } });
    return { status: done.status, text: done.stdout + done.stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Takes away the # right before a setting and before the indented lines that belong to it.
const withAll = (yaml) => yaml.replace(/^#(?! \S|$)/gm, '');

function keysOfExample(yaml) {
  const keys = new Set();
  const sections = [];  // open maps: [{indent, name}]
  for (const line of withAll(yaml).split('\n')) {
    const [, indent, dash, key, value] = /^( *)(- )?([a-z_]+):\s*(.*)$/.exec(line) ?? [];
    if (!key) continue;
    while (sections.length > 0 && sections.at(-1).indent >= indent.length) sections.pop();
    const prefix = sections.map(({ name }) => `${['providers', 'export', 'guards', 'checks', 'issuers', 'servers', 'tools', 'budgets', 'prices'].includes(name) ? `${name}[]` : name}.`).join('');
    if (value === '' && !dash) sections.push({ indent: indent.length, name: key });
    else keys.add(prefix + key);
  }
  return keys;
}

function makeCertificate(file) {
  const folder = path.dirname(file);
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', '/CN=localhost', '-keyout', path.join(folder, 'key.pem'), '-out', file], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
}

// Of one value, for the secret that check() gives.
function makeDictionary(file) {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-dictionary-'));
  try {
    const [key, values] = [path.join(folder, 'secret'), path.join(folder, 'values')];
    writeFileSync(key, secret);
    writeFileSync(values, 'Ada Lovelace\n');
    const made = spawnSync(binary, ['inspect', 'dictionary', 'build', '--key-file', key, '--name', 'customers', '--kind', 'CUSTOMER',
      values, file], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// The witness of the specification's first vector; nobody asks it here.
const makePolicy = (file) => writeFileSync(file,
  'witness one witness.example/one+5aa9b808+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU http://127.0.0.1:1\nquorum one\n');

// A small classifier and the library that reads it (tests/onnx).
let classifierFolder;
function makeClassifier() {
  classifierFolder = mkdtempSync(path.join(tmpdir(), 'gatehouse-classifier-'));
  process.on('exit', () => rmSync(classifierFolder, { recursive: true, force: true }));
  const packages = path.join(root, 'build/python/onnx');
  for (const [program, args] of [[path.join(root, 'scripts/python-packages'), ['onnx', path.join(root, 'tests/onnx/requirements.txt')]],
    ['python3', [path.join(root, 'tests/onnx/models.py'), path.join(classifierFolder, 'guard')]]]) {
    const done = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, PYTHONPATH: packages } });
    if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
  }
  const capi = path.join(packages, 'onnxruntime/capi');
  symlinkSync(path.join(capi, readdirSync(capi).find((name) => name.startsWith('libonnxruntime.so'))),
    path.join(classifierFolder, 'libonnxruntime.so.1'));
}
const classifierFiles = () => ['guard', 'libonnxruntime.so.1'].map((name) => [`models/${name}`, (to) => symlinkSync(path.join(classifierFolder, name), to)]);

const copyOf = (name) => (to) => { const done = spawnSync('cp', ['-r', path.join(root, name), to]); if (done.status !== 0) throw new Error(`cp ${name}`); };

function checkDefault(setting, { kind, rest, file }) {
  const [fallback] = codes(setting.fallback);
  const text = /^, "([^"]+)"\)/.exec(rest)?.[1];
  if (kind === 'string' && text && text !== fallback) throw new Error(`the document says ${fallback}, the source ${text}`);
  const member = /(config\.(?:server\.|client\.)?|options\.)(\w+)/.exec(rest);
  if (!member || !['size', 'duration', 'count'].includes(kind)) return;
  const value = initialValue(file, member[1], member[2]);
  if (amount(fallback) !== value) throw new Error(`the document says ${fallback}, the source ${value}`);
}

// The settings whose range is "A to B", as [name, A, B].
const ranges = (table) => [...table].filter(([name]) => !name.includes('[]') || name.split('.')[0] in items).map(([name, { range }]) => [name, ...(/^(\w+) to (\w+)$/.exec(range) ?? []).slice(1)])
  .filter(([, min]) => min);

// A configuration that gives each of these settings a value.
function yamlOf(values, own = items) {
  const all = [...values];
  for (const [section, companion] of Object.entries(needed))
    if (all.some(([name]) => name.startsWith(section)) && !all.some(([name]) => name === companion[0])) all.push(companion);
  const tree = {};
  for (const [name, value] of all) {
    const parts = name.split('.');
    const leaf = parts.pop();
    let node = tree;
    for (const part of parts) node = (node[part] ??= { ...own[part] });
    node[leaf] = value;
  }
  const write = (node, indent) => Object.entries(node).map(([key, value]) => {
    if (typeof value !== 'object') return `${indent}${key}: ${value}\n`;
    const list = key.endsWith('[]');  // of one item
    return list ? `${indent}${key.slice(0, -2)}:\n${indent}  -\n${write(value, `${indent}    `)}` : `${indent}${key}:\n${write(value, `${indent}  `)}`;
  }).join('');
  return write(tree, '');
}

function beyond(text) {
  const unit = /[a-z]+$/i.exec(text)?.[0] ?? '';
  return `${amount(text) / units[unit] + 1}${unit}`;
}

// Both ends of every range are accepted; beyond it, the refusal names the setting and the range.
function checkRanges(table, own = items, files = []) {
  for (const end of [1, 2]) {
    const checked = check(yamlOf(ranges(table).map((range) => [range[0], range[end]]), own), files);
    if (checked.status !== 0) throw new Error(`the ${end === 1 ? 'lower' : 'upper'} ends are not accepted:\n${checked.text}`);
  }
  const { status, text } = check(yamlOf(ranges(table).map(([name, , max]) => [name, beyond(max)]), own), files);
  if (status !== 1) throw new Error('values beyond the ranges are accepted');
  for (const [name, min, max] of ranges(table)) {
    const line = text.split('\n').find((one) => one.includes(`: ${name.replace('[]', '[0]')}: `));
    if (!line) throw new Error(`${name}: ${beyond(max)} is accepted`);
    const [, low, high] = / from (\w+) to (\w+)/.exec(line) ?? [];
    if (!low || amount(low) !== amount(min) || amount(high) !== amount(max))
      throw new Error(`the document says ${min} to ${max}, the program: ${line}`);
  }
}

// What Gateway::reload refuses to change is `restart` in the document, and nothing else is.
function checkRestart(table) {
  const body = /frozen_difference\(.*?\n}/s.exec(read('src/gateway/gateway.cc'))?.[0];
  if (!body) throw new Error('gateway.cc has no frozen_difference');
  const more = read('src/gateway/config_witness.cc');  // the same for the settings of witnesses
  const frozen = new Set([...(body + more).matchAll(/return "([a-z_.]+)"/g)].map((match) => match[1]));
  const restart = new Set([...table].filter(([, setting]) => setting.change === 'restart').map(([name]) => name));
  difference(frozen, restart, 'the list of settings marked restart');
  for (const [name, { change }] of table)
    if (!['reload', 'restart', 'next start'].includes(change)) throw new Error(`${name}: "${change}" is no word for a change`);
}

export async function checkSettings(test) {
  const source = keysOfSource();
  const table = documented();
  const example = read('examples/gatehouse.yaml');
  await test('docs/settings.md has the settings of config.cc', () => difference(new Set(source.keys()), new Set(table.keys()), 'docs/settings.md'));
  await test('docs/settings.md says what a reload refuses', () => checkRestart(table));
  for (const [name, setting] of table) {
    if (!source.has(name)) continue;
    await test(`default of ${name}`, () => checkDefault(setting, source.get(name)));
  }
  if (!existsSync(binary)) { await test('ranges', () => { throw new Error(`${binary} is not there; scripts/test builds it`); }); return; }
  const special = (name) => itemsOf[source.get(name)?.file];
  await test('the ranges of docs/settings.md are those of the program', () => checkRanges(new Map([...table].filter(([name]) => !special(name)))));
  await test('a small classifier for the settings of guards', makeClassifier);
  for (const [file, own] of Object.entries(itemsOf)) {
    await test(`the same for ${file}`, () => checkRanges(new Map([...table].filter(([name]) => source.get(name)?.file === file)), own, classifierFiles()));
  }

  await test('examples/gatehouse.yaml has every setting', () => difference(new Set(source.keys()), keysOfExample(example), 'the example'));
  await test('examples/gatehouse.yaml is accepted', () => {
    const checked = check(example);
    if (checked.status !== 0) throw new Error(checked.text);
  });
  await test('examples/gatehouse.yaml is accepted with every setting in force', () => {
    const checked = check(withAll(example), [['policies', copyOf('policies')], ['rules', copyOf('rules')],
      ['models/mine.model', copyOf('rules/models/injection-3.model')], ['models/mine.calibration', copyOf('rules/models/injection-3.calibration')],
      ['schemas/order.json', (file) => writeFileSync(file, '{"type": "object"}')], ['witnesses.policy', makePolicy],
      ...classifierFiles(), ['customers.dictionary', makeDictionary], ['mine.calibration', (file) => writeFileSync(file, read('rules/models/grounding-1.calibration'))],
      ['tls/certificate.pem', makeCertificate], ['tls/authorities.pem', makeCertificate], ['tls/certificate.pem', makeCertificate]]);
    if (checked.status !== 0) throw new Error(checked.text);
  });
  await test('examples/gatehouse.yaml shows the defaults', () => {
    for (const [name, { fallback }] of table) {
      const [section, key] = name.split('.');
      if (!['limits', 'timeouts'].includes(section)) continue;
      const shown = new RegExp(`^  ${key}: (\\S+)$`, 'm').exec(example)?.[1];
      if (amount(shown) !== amount(codes(fallback)[0])) throw new Error(`${name}: the example says ${shown}, the document ${fallback}`);
    }
  });
  await test('a setting nobody knows is an error', () => {
    const checked = check('nodes: a\n');
    if (checked.status !== 1 || !/gatehouse\.yaml:1.*nodes/s.test(checked.text)) throw new Error(checked.text);
  });
}
