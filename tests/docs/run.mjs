// All checks of the documents, one after the other. A check is a function that takes `test(name, body)`
// and calls it for each thing it looks at; a body that throws has failed.
import { checkCommands } from './commands.mjs';
import { checkLinks } from './links.mjs';
import { checkLists } from './lists.mjs';
import { documents } from './markdown.mjs';
import { checkSettings } from './settings.mjs';

const checks = { links: checkLinks, settings: checkSettings, lists: checkLists };
for (const document of documents()) checks[document] = (test) => checkCommands(document, test);

const chosen = process.argv.slice(2);
for (const name of chosen) {
  if (checks[name]) continue;
  console.error(`docs: there is no ${name}; there are ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
async function test(name, body) {
  try {
    await body();
    ++passed;
  } catch (error) {
    ++failed;
    console.log(`FAILED ${name}\n    ${String(error.message).replaceAll('\n', '\n    ')}`);
  }
}

for (const [name, check] of Object.entries(checks)) {
  if (chosen.length === 0 || chosen.includes(name)) await check(test);
}
console.log(`docs: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
