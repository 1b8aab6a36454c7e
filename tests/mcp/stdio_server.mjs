// A server over standard input and output that tells what it can see of the machine it runs on.
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { createInterface } from 'node:readline';

const can = (work) => { try { work(); return true; } catch { return false; } };
const look = () => JSON.stringify({
  interfaces: Object.keys(os.networkInterfaces()).filter((name) => name !== 'lo'),
  secret: can(() => readFileSync('/root/.profile')), wrote: can(() => writeFileSync('/usr/x', 'x')),
  environment: Object.keys(process.env) });

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  if (id === undefined) continue;
  const result = {
    initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'local', version: '1' } },
    'tools/list': { tools: [{ name: 'look_around', description: 'Looks around', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: look() }] } }[method];
  const answer = result ? { result } : { error: { code: -32601, message: 'Method not found' } };
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...answer }) + '\n');
}
