// Runs every *.test.mjs here (or those named) and ends with "N passed, N failed".
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const named = process.argv.slice(2);
const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => named.length === 0 || named.some((part) => name.includes(part)))
  .map((name) => path.join(here, name));

const total = { passed: 0, failed: 0, skipped: 0 };
const stream = run({ files, concurrency: Number(process.env.E2E_JOBS ?? 2), timeout: 600_000 });
// Only leaves count: a suite or a file is not a test of its own.
const isLeaf = (event) => event.details?.type !== 'suite' && !files.includes(event.name) &&
  !files.some((file) => path.basename(file) === path.basename(event.name));
stream.on('test:pass', (event) => {
  if (!isLeaf(event)) return;
  event.skip !== undefined ? total.skipped++ : total.passed++;
});
stream.on('test:fail', (event) => {
  if (event.details?.type === 'suite' && event.details?.error?.failureType === 'subtestsFailed') return;
  if (event.details?.error?.failureType === 'subtestsFailed') return;
  total.failed++;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on('end', () => {
  const skipped = total.skipped ? ` (${total.skipped} skipped)` : '';
  setTimeout(() => {
    console.log(`e2e: ${total.passed} passed, ${total.failed} failed${skipped}`);
    process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
  }, 50);
});
