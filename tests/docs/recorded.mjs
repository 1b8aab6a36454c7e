// What a real ledger has, against docs/events.md: every event's type has a section, and every field of
// the event is described there.
import { spawnSync } from 'node:child_process';
import { codes, headings, read, rows } from './markdown.mjs';

const always = ['id', 'time', 'type', 'node', 'actor', 'subject', 'label', 'snapshot', 'data'];

// "data.findings[].rule" and the like for every leaf.
function leaves(value, prefix = '') {
  if (Array.isArray(value)) return value.length ? value.flatMap((item) => leaves(item, prefix)) : [prefix];
  if (value !== null && typeof value === 'object' && Object.keys(value).length)
    return Object.entries(value).flatMap(([name, one]) => leaves(one, prefix ? `${prefix}.${name}` : name));
  return [prefix];
}

// Field names in code of one section: those in the first column whole, the others as last members.
function described(page, type) {
  const table = rows(page, type);
  const whole = table.flatMap((row) => codes(row[0]));
  const members = table.flatMap((row) => codes(row[1]).map((name) => `${codes(row[0])[0]}.${name}`));
  return new Set([...whole, ...members]);
}

// A described field covers what stands below it only where its members are named or free.
const free = [/^data\.(shadow\.)?obligations\.\w+$/, /^data\.attributes\.\w+$/];
const covers = (fields, leaf, page, type) => fields.has(leaf) || free.some((pattern) => pattern.test(leaf)) ||
  always.includes(leaf) || (/as (above|for)/.test(pageRow(page, type, leaf)) && /^(actor|subject)\./.test(leaf));
const pageRow = (page, type, leaf) => rows(page, type).filter((row) => codes(row[0]).some((name) => leaf.startsWith(`${name}.`) || leaf === name))
  .map((row) => row[1]).join(' ');

export async function checkRecorded(document, ledger, binary, test) {
  const found = spawnSync(binary, ['audit', 'find', ledger, '--json'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const events = found.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).entry);
  const page = read('docs/events.md');
  await test(`${document}: what it recorded is described in docs/events.md`, () => {
    if (found.status !== 0 || events.length === 0) throw new Error(`no events: ${found.stderr}`);
    const problems = new Set();
    for (const event of events) {
      if (!headings(page).includes(event.type)) { problems.add(`${event.type} has no section`); continue; }
      const fields = described(page, event.type);
      const inherited = event.type === 'request.completed' ? described(page, 'request.decided') : new Set();
      for (const leaf of leaves(event)) {
        if (covers(fields, leaf, page, event.type)) continue;
        if (/^(actor|subject)\./.test(leaf) && inherited.has(leaf)) continue;
        problems.add(`${event.type}: ${leaf}`);
      }
    }
    if (problems.size > 0) throw new Error([...problems].join('\n'));
  });
}
