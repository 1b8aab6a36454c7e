// A list of the deployment's own values: they leave as placeholders only, and come back.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { Gateway, Simulator, cli, succeed } from './harness.mjs';

let simulator, gateway, openai, file;
before(async () => {
  simulator = await Simulator.start();
  const site = Gateway.prepare({ simulator });
  const list = path.join(site.folder, 'customers.csv');
  file = path.join(site.folder, 'customers.dictionary');
  writeFileSync(list, 'number,name\n4711-0815,"O\'Brien, Charles"\n4711-0816,Zdenka Modrá\n');
  succeed(cli('inspect', 'dictionary', 'build', '--key-file', path.join(site.data, 'secret'), '--name', 'customers',
    '--kind', 'CUSTOMER', '--category', 'personal', '--column', 'name', list, file));
  appendFileSync(site.config, 'inspection:\n  dictionaries: [customers.dictionary]\n');
  gateway = await Gateway.run(site);
  openai = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });

const sentence = 'Has o’brien  CHARLES paid? Zdenka Modrá has.';

test('values of a dictionary reach the provider as placeholders and come back', async () => {
  const ask = { model: 'gpt-echo', messages: [{ role: 'user', content: sentence }] };
  assert.equal((await openai.chat.completions.create(ask)).choices[0].message.content, sentence);
  assert.equal((await openai.chat.completions.stream(ask).finalChatCompletion()).choices[0].message.content, sentence);
  const received = await simulator.received();
  assert.ok(received.includes('Has [CUSTOMER_1] paid? [CUSTOMER_2] has.'), received.slice(0, 800));
  assert.ok(!/brien|modr/i.test(received), 'the provider saw a value');
});

test('the event names the dictionary, and its file no value', () => {
  assert.ok(JSON.stringify(gateway.entries()).includes('dictionary-customers'));
  assert.ok(!/brien|charles|zdenka/i.test(readFileSync(file, 'latin1')));
});
