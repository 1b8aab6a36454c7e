// Reading our Markdown: fenced blocks, tables, headings, links. Just as much as our documents use.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const read = (name) => readFileSync(path.join(root, name), 'utf8');

// The documents whose commands are run.
export function documents() {
  const pages = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md')).sort();
  return ['README.md', ...pages.map((name) => `docs/${name}`)];
}

// Fenced blocks in order: {mark, text, line}. `mark` is all that stands behind the back-ticks.
export function blocks(markdown) {
  const found = [];
  let open = null;
  markdown.split('\n').forEach((line, at) => {
    if (open && line.trim() === open.fence) {
      found.push({ mark: open.mark, text: open.lines.join('\n'), line: open.line, end: at + 1 });
      open = null;
    } else if (open) {
      open.lines.push(line);
    } else {
      const fence = /^(```+)(.*)$/.exec(line.trim());
      if (fence) open = { fence: fence[1], mark: fence[2].trim(), lines: [], line: at + 2 };
    }
  });
  if (open) throw new Error(`line ${open.line - 1}: a block is not closed`);
  return found;
}

export function withoutBlocks(markdown) {
  let inside = false;
  return markdown.split('\n').map((line) => {
    if (line.trim().startsWith('```')) { inside = !inside; return ''; }
    return inside ? '' : line;
  }).join('\n');
}

// Rows of every table as arrays of cells, without head and rule; `under` limits it to one section.
export function rows(markdown, under) {
  let inside = under === undefined;
  const found = [];
  let head = true;
  for (const line of withoutBlocks(markdown).split('\n')) {
    const heading = /^#+ (.*)$/.exec(line);
    if (heading && under !== undefined) inside = heading[1] === under;
    if (!line.startsWith('|')) { head = true; continue; }
    if (head) { head = false; continue; }
    if (/^\|[-| :]+\|$/.test(line) || !inside) continue;
    found.push(line.slice(1, line.lastIndexOf('|')).split(/(?<!\\)\|/).map((cell) => cell.trim()));
  }
  return found;
}

export const codes = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]);

export function headings(markdown) {
  return withoutBlocks(markdown).split('\n').map((line) => /^#+ (.*)$/.exec(line)?.[1]).filter(Boolean);
}

// The anchor GitHub gives a heading.
export const anchor = (heading) => heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-');

// Relative links: {target, anchor}.
export function links(markdown) {
  return [...withoutBlocks(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1])
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ file: target.split('#')[0], anchor: target.split('#')[1] }));
}

export const isThere = (name) => existsSync(path.join(root, name));
