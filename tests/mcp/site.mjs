// A gateway with tool servers, in a folder of its own.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './suite.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = process.env.GATEHOUSE ?? path.join(root, 'build/release/gatehouse');

// Everybody may call every tool that was reviewed, except what a test forbids.
const everybody = `@id("tests-tools")
permit (principal, action in [Gatehouse::Action::"call_tool", Gatehouse::Action::"list_tools"], resource);
`;

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

export class Site {
  static async start(servers, { trust = false, policy = '', settings = '', env = {}, agents = false, models = [] } = {}) {
    const site = new Site();
    site.folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-mcp-'));
    const policies = path.join(site.folder, 'policies');
    cpSync(path.join(root, 'policies'), policies, { recursive: true,
      filter: (file) => agents || !path.basename(file).startsWith('40-') });
    writeFileSync(path.join(policies, '90-tests.cedar'), everybody + policy);
    site.config = path.join(site.folder, 'gatehouse.yaml');
    writeFileSync(site.config, [
      'node: gw-mcp', 'listen: 127.0.0.1:0', 'data: var', 'threads: 1', `policies: ${policies}`,
      'ledger: {origin: example.com/gatehouse-mcp}', 'mcp:', `  trust_on_first_use: ${trust}`,
      '  servers:', ...servers.map((server) => `    - ${JSON.stringify(server)}`), settings, ''].join('\n'));
    site.env = { ...process.env, ...env };
    for (const [name, provider] of models)
      await site.cli('model', 'add', name, '--provider', provider, '--trust', 'internal');
    site.key = await site.createKey('user:ada');
    site.process = spawn(binary, ['serve', '--config', site.config], { cwd: site.folder, env: site.env, stdio: ['ignore', 'inherit', 'pipe'] });
    running.add(site.process);
    site.log = '';
    await new Promise((ready, failed) => {
      site.process.stderr.setEncoding('utf8').on('data', (text) => {
        site.log += text;
        const address = site.log.match(/"message":"listening".*?"address":"([^"]+)"/)?.[1]
          ?? site.log.match(/"address":"([^"]+)".*?"message":"listening"/)?.[1];
        if (address) { site.url = `http://${address}`; ready(); }
      });
      site.process.on('exit', (code) => failed(new Error(`the gateway ended with ${code}:\n${site.log}`)));
    });
    return site;
  }
  // Not a blocking call: the servers that a verb asks may live in this very process.
  async cli(...args) {
    // What reads a ledger needs no configuration.
    const config = args[0] === 'audit' ? [] : ['--config', this.config];
    const done = await run(binary, [...args, ...config], { env: this.env, cwd: this.folder });
    if (done.code !== 0) throw new Error(`${args.join(' ')} ended with ${done.code}\n${done.output}`);
    return done.output;
  }
  async createKey(principal, ...more) {
    return JSON.parse(await this.cli('key', 'create', '--principal', principal, ...more, '--json')).key;
  }
  async stop() {
    this.process.removeAllListeners('exit');
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGTERM');
    setTimeout(() => this.process.kill('SIGKILL'), 8_000).unref();
    await ended;
    running.delete(this.process);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
