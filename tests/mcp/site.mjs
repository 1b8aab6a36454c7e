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
    await site.run();
    return site;
  }
  async run() {
    this.process = spawn(binary, ['serve', '--config', this.config], { cwd: this.folder, env: this.env, stdio: ['ignore', 'inherit', 'pipe'] });
    running.add(this.process);
    this.log = '';
    await new Promise((ready, failed) => {
      this.process.stderr.setEncoding('utf8').on('data', (text) => {
        this.log += text;
        const address = this.log.match(/"message":"listening".*?"address":"([^"]+)"/)?.[1]
          ?? this.log.match(/"address":"([^"]+)".*?"message":"listening"/)?.[1];
        if (address) { this.url = `http://${address}`; ready(); }
      });
      this.process.on('exit', (code) => failed(new Error(`the gateway ended with ${code}:\n${this.log}`)));
    });
  }
  async restart(signal = 'SIGTERM') {
    await this.end(signal);
    await this.run();
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
  async end(signal) {
    const { process: ending } = this;
    ending.removeAllListeners('exit');
    const ended = new Promise((done) => ending.once('exit', done));
    ending.kill(signal);
    setTimeout(() => ending.kill('SIGKILL'), 8_000).unref();
    await ended;
    running.delete(ending);
  }
  async stop() {
    await this.end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
