// Runs the commands of one document as a person would: its `sh` blocks in order, in one shell, in a
// copy of the tree, with the demo running. How documents mark their blocks: CONTRIBUTING.md.
//
// Two things differ from a person's machine. The copy gets the binary that is built already, and a
// `cmake` that does nothing, so that scripts/demo does not build it again. And where the demo had to
// take other ports than its usual ones, the addresses in the commands are changed to those.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { blocks, read, root } from './markdown.mjs';
import { checkRecorded } from './recorded.mjs';

const binary = path.resolve(process.env.GATEHOUSE ?? path.join(root, 'build/release/gatehouse'));
const longestRun = 300_000;

// The blocks to run, each with what must be printed and how it must end.
export function steps(markdown) {
  const all = blocks(markdown);
  const found = [];
  all.forEach((block, at) => {
    const mark = /^sh(?: exit=(\d+))?$/.exec(block.mark);
    if (!mark) return;
    const next = all[at + 1];
    const answers = next?.mark === 'text' && next.line === block.end + 2;
    found.push({ line: block.line, text: block.text, exit: Number(mark[1] ?? 0),
      output: answers ? next.text.split('\n').filter((line) => line.trim()) : [] });
  });
  return found;
}

// A copy of what git would see, with the binary beside it.
function copyTree(folder) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  for (const name of listed.split('\0').filter(Boolean)) {
    const from = path.join(root, name);
    if (!existsSync(from)) continue;
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    copyFileSync(from, path.join(folder, name));
  }
  mkdirSync(path.join(folder, 'build/release'), { recursive: true });
  copyFileSync(binary, path.join(folder, 'build/release/gatehouse'));
  mkdirSync(path.join(folder, 'build/tools'), { recursive: true });
  writeFileSync(path.join(folder, 'build/tools/cmake'), '#!/bin/sh\nexit 0\n');
  chmodSync(path.join(folder, 'build/tools/cmake'), 0o755);
}

const port = (text, pattern, usual) => Number(pattern.exec(text)?.[1] ?? usual);
function ports(folder) {
  const config = readFileSync(path.join(folder, 'var/demo/gatehouse.yaml'), 'utf8');
  return { 8080: port(config, /^listen: .*:(\d+)$/m, 8080), 9090: port(config, /url: "http:\/\/127\.0\.0\.1:(\d+)"/, 9090) };
}

// The script of all steps. Each is sourced, so that variables stay, into a file of its own; after each
// a line in `done` says how it ended. A step that fails ends the shell.
function script(list, folder) {
  const lines = ['cd tree'];
  list.forEach((step, at) => {
    writeFileSync(path.join(folder, `${at}.sh`), `${step.text}\n`);
    const run = `. ../${at}.sh > ../${at}.out 2>&1`;
    lines.push(step.exit === 0 ? `set -e; ${run}; set +e; echo "${at} 0" >> ../done`
      : `${run}; echo "${at} $?" >> ../done`);
  });
  return `${lines.join('\n')}\n`;
}

// Runs the command in a process group of its own; what it leaves in the background ends with it.
function shell(command, folder, environment) {
  return new Promise((finished) => {
    const child = spawn('bash', ['-c', command], { cwd: folder, env: environment, stdio: 'ignore', detached: true });
    const end = (signal) => { try { process.kill(-child.pid, signal); } catch { /* nobody is left */ } };
    const timer = setTimeout(end, longestRun, 'SIGKILL');
    child.on('exit', (code) => { clearTimeout(timer); end('SIGTERM'); finished(code); });
  });
}

// Each wanted line occurs in the output, in this order; `…` stands for anything within one line.
export function missing(output, wanted) {
  const lines = output.split('\n');
  let from = 0;
  for (const want of wanted) {
    const pattern = new RegExp(want.trim().split('…').map((part) =>
      part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+')).join('.*'));
    const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (at < 0) return want;
    from = at;
  }
  return null;
}

function judge(step, at, folder, ends) {
  const file = path.join(folder, `${at}.out`);
  const output = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const shown = output.length > 3_000 ? `…${output.slice(-3_000)}` : output;
  if (!existsSync(file)) throw new Error('was not run, because one before it failed');
  if (!ends.has(at)) throw new Error(`failed:\n${step.text}\n${shown}`);
  if (ends.get(at) !== step.exit) throw new Error(`ended with ${ends.get(at)} and not ${step.exit}:\n${step.text}\n${shown}`);
  const absent = missing(output, step.output);
  if (absent !== null) throw new Error(`nowhere in its output (or not in this order): ${absent}\n${shown}`);
}

export async function checkCommands(document, test) {
  const list = steps(read(document));
  if (list.length === 0) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-docs-'));
  const tree = path.join(folder, 'tree');
  const environment = { ...process.env, PATH: `${tree}/build/tools:${tree}/build/release:${process.env.PATH}` };
  try {
    mkdirSync(tree);
    if (!existsSync(binary)) throw new Error(`${binary} is not there; scripts/test builds it`);
    copyTree(tree);
    const started = await shell(`scripts/demo > ../demo.log 2>&1`, tree, environment);
    if (started !== 0) throw new Error(`the demo did not start:\n${readFileSync(path.join(folder, 'demo.log'), 'utf8')}`);
    const taken = ports(tree);
    const here = list.map((step) => ({ ...step,
      text: step.text.replaceAll('127.0.0.1:8080', `127.0.0.1:${taken[8080]}`).replaceAll('127.0.0.1:9090', `127.0.0.1:${taken[9090]}`) }));
    await shell(script(here, folder), folder, environment);
    const done = path.join(folder, 'done');
    const ends = new Map(!existsSync(done) ? [] : readFileSync(done, 'utf8').trim().split('\n').map((line) => line.split(' ').map(Number)));
    for (const [at, step] of here.entries())
      await test(`${document}:${step.line}`, () => judge(step, at, folder, ends));
    await checkRecorded(document, path.join(tree, 'var/demo/data/ledger'), binary, test);
  } catch (error) {
    await test(document, () => { throw error; });
  } finally {
    await shell('scripts/demo --stop', tree, environment);
    rmSync(folder, { recursive: true, force: true });
  }
}
