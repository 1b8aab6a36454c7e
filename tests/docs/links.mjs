// Every relative link of every document leads to a file that is there, and to a heading that is there.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { anchor, headings, isThere, links, read, root } from './markdown.mjs';

function allDocuments() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'],
    { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter((name) => name && isThere(name));
}

export async function checkLinks(test) {
  for (const document of allDocuments()) {
    await test(`links of ${document}`, () => {
      const broken = [];
      for (const link of links(read(document))) {
        const target = link.file ? path.join(path.dirname(document), link.file) : document;
        if (!isThere(target)) broken.push(`there is no ${target}`);
        else if (link.anchor && !headings(read(target)).map(anchor).includes(link.anchor))
          broken.push(`${target} has no heading #${link.anchor}`);
      }
      if (broken.length > 0) throw new Error(broken.join('\n'));
    });
  }
}
