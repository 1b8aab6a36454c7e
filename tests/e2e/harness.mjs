// What every end-to-end test stands on: the real binary as simulator and as gateway, each on a free
// port, in a folder of its own that is removed afterwards. Nothing here is mocked.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '../..');
export const binary = process.env.GATEHOUSE ?? path.join(root, 'build/release/gatehouse');
if (!existsSync(binary)) throw new Error(`${binary} is not built; scripts/test builds it`);

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Polls until `probe` gives something truthy; its last value is in the error.
export async function until(probe, what, timeoutMs = 5_000) {
  const end = Date.now() + timeoutMs;
  let value;
  for (;;) {
    value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}; last: ${JSON.stringify(value)}`);
    await sleep(15);
  }
}

// None outlives this process, however it ends.
const running = new Set();
export function endAll() { for (const child of running) child.kill('SIGKILL'); }
process.on('exit', endAll);
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => process.exit(1));

// A server process of ours; ready when it logs that it listens.
class Server {
  constructor(args, { cwd, env = {}, shellPrefix } = {}) {
    const command = shellPrefix
      ? ['bash', ['-c', `${shellPrefix}; exec "$0" "$@"`, binary, ...args]]
      : [binary, args];
    this.log = '';
    this.process = spawn(...command, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'pipe'] });
    running.add(this.process);
    this.process.stderr.setEncoding('utf8');
    this.process.stderr.on('data', (text) => { this.log += text; });
    this.exited = once(this.process, 'exit').then(([code, signal]) => {
      running.delete(this.process);
      if (!this.asked) console.error(`${args[0]} ended by itself: code ${code}, signal ${signal}\n${this.log.slice(-2000)}`);
      return { code, signal };
    });
  }

  async listening(timeoutMs = 20_000) {
    let gone = null;
    this.exited.then((how) => { gone = how; });
    const address = await until(() => {
      if (gone) throw new Error(`it ended (${JSON.stringify(gone)}):\n${this.log}`);
      return this.logs('listening')[0]?.address;
    }, `"listening" in:\n${this.log}`, timeoutMs);
    this.port = Number(address.slice(address.lastIndexOf(':') + 1));
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  // Log lines with that message, as objects.
  logs(message) {
    return this.log.split('\n').filter((line) => line.startsWith('{')).map((line) => {
      try { return JSON.parse(line); } catch { return {}; }
    }).filter((line) => line.message === message);
  }

  signal(name) {
    this.asked = name !== 'SIGHUP';
    this.process.kill(name);
  }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null && this.process.signalCode === null) this.signal(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 20_000);
    const how = await this.exited;
    clearTimeout(timer);
    return how;
  }
}

export class Simulator extends Server {
  static async start({ pace, key, threads, shellPrefix } = {}) {
    const args = ['simulate', '--listen', '127.0.0.1:0'];
    if (pace) args.push('--pace', pace);
    if (key) args.push('--require-key', key);
    if (threads) args.push('--threads', String(threads));
    return new Simulator(args, { shellPrefix }).listening();
  }
  async requests() { return (await (await fetch(`${this.url}/_simulator/requests`)).json()).requests; }
  async count() { return (await fetch(`${this.url}/_simulator/count`)).json(); }
  async clear() { await (await fetch(`${this.url}/_simulator/requests`, { method: 'DELETE' })).text(); }
  // All that reached it since the last clear(), as one text to search.
  async received() { return (await this.requests()).map((r) => JSON.stringify(r.headers) + r.body).join('\n'); }
}

// The models every test may use. Those of the `sim` provider speak OpenAI, the others Anthropic.
const kinds = ['echo', 'tools', 'long', 'script', 'reflect'];
export const models = [
  ...kinds.map((kind) => ({ name: `gpt-${kind}`, provider: 'sim', upstream: `simulator-${kind}`, trust: 'external' })),
  { name: 'embed', provider: 'sim', upstream: 'simulator-embed', trust: 'external' },
  { name: 'gpt-inside', provider: 'sim', upstream: 'simulator-echo', trust: 'internal' },
  ...kinds.map((kind) => ({ name: `claude-${kind}`, provider: 'sim-anthropic', upstream: `simulator-${kind}`, trust: 'external' })),
];

export class Gateway extends Server {
  // Writes the config, makes a key and the models by the command line, starts nothing.
  static prepare({ simulator, settings = '', audit = 'strict', directory, only, upstreamUrl } = {}) {
    const folder = directory ?? mkdtempSync(path.join(tmpdir(), 'gatehouse-e2e-'));
    mkdirSync(folder, { recursive: true });
    const config = path.join(folder, 'gatehouse.yaml');
    const upstream = upstreamUrl ?? simulator.url;
    writeFileSync(config, [
      'node: gw-e2e',
      'listen: 127.0.0.1:0',
      `data: ${folder}/var`,
      `audit: ${audit}`,
      'ledger: {origin: example.com/gatehouse-e2e}',
      'threads: 1',
      'providers:',
      `  - {name: sim, dialect: openai, url: "${upstream}", credential: {env: SIM_KEY}}`,
      `  - {name: sim-anthropic, dialect: anthropic, url: "${upstream}", credential: {env: SIM_KEY}}`,
      settings, ''].join('\n'));
    const site = { folder, config, data: path.join(folder, 'var'), ledger: path.join(folder, 'var/ledger') };
    site.key = createKey(site, 'user:ada', '--attribute', 'team=red').key;
    for (const model of models) if (!only || only.includes(model.name)) addModel(site, model);
    return site;
  }

  static async start(options = {}) {
    return Gateway.run(options.site ?? Gateway.prepare(options), options);
  }

  static async run(site, { shellPrefix, env } = {}) {
    const gateway = new Gateway(['serve', '--config', site.config],
      { env: { SIM_KEY: 'sim-upstream-credential', SIEM_TOKEN: 'siem-token', ...env }, shellPrefix });
    // Of a gateway that ran before only its place, not its process.
    const { folder, config, data, ledger, key } = site;
    Object.assign(gateway, { folder, config, data, ledger, key });
    try {
      return await gateway.listening();
    } catch (error) {
      await gateway.stop('SIGKILL');
      throw error;
    }
  }

  async finish() {
    const how = await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
    return how;
  }

  headers(more = {}) {
    return { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', ...more };
  }
  anthropicHeaders(more = {}) {
    return { 'x-api-key': this.key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json', ...more };
  }

  // One OpenAI chat call with fetch; gives the Response.
  chat(model, content, more = {}, init = {}) {
    return fetch(`${this.url}/v1/chat/completions`, {
      method: 'POST', headers: this.headers(init.headers), signal: init.signal,
      body: JSON.stringify({ model, messages: [{ role: 'user', content }], ...more }) });
  }
  messages(model, content, more = {}, init = {}) {
    return fetch(`${this.url}/v1/messages`, {
      method: 'POST', headers: this.anthropicHeaders(init.headers), signal: init.signal,
      body: JSON.stringify({ model, max_tokens: 4096, messages: [{ role: 'user', content }], ...more }) });
  }
  // A call to the script model; `script` is what the simulator plays.
  script(script, more = {}, init = {}) { return this.chat('gpt-script', JSON.stringify(script), more, init); }

  cli(...args) { return cli(...args, '--config', this.config); }
  // The ledger's entry of an answer.
  entry(id) { return JSON.parse(succeed(cli('audit', 'show', this.ledger, id, '--json')).stdout).entry; }
  entries(filters = []) {
    return succeed(cli('audit', 'find', this.ledger, ...filters, '--json')).stdout.split('\n')
      .filter(Boolean).map((line) => JSON.parse(line).entry);
  }
  verify() { return cli('audit', 'verify', this.ledger); }
}

export function cli(...args) {
  return spawnSync(binary, args, {
    encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 28, env: { ...process.env, SIM_KEY: 'sim-upstream-credential', SIEM_TOKEN: 'siem-token' } });
}

export function succeed(result) {
  if (result.status !== 0) {
    throw new Error(`${result.args?.join(' ') ?? 'the command'} ended with ${result.status}\n${result.stdout}\n${result.stderr}`);
  }
  return result;
}

export function createKey(site, principal, ...more) {
  return JSON.parse(succeed(cli('key', 'create', '--config', site.config, '--principal', principal, ...more, '--json')).stdout);
}

export function addModel(site, { name, provider, upstream, trust }) {
  succeed(cli('model', 'add', name, '--provider', provider, '--upstream-model', upstream, '--trust', trust,
    '--config', site.config));
}

// Events of a server-sent stream: [{event, data}] with data parsed where it is JSON.
export async function readEvents(response) {
  return parseEvents(await response.text());
}
export function parseEvents(text) {
  return text.split('\n\n').filter((block) => block.trim()).map((block) => {
    const event = { event: null, data: '' };
    for (const line of block.split('\n')) {
      if (line.startsWith('event:')) event.event = line.slice(6).trim();
      if (line.startsWith('data:')) event.data += line.slice(5).trim();
    }
    try { event.data = JSON.parse(event.data); } catch { /* [DONE] */ }
    return event;
  });
}

// A plain TCP conversation: send bytes, read what comes back.
export class Raw {
  static async connect(port) {
    const raw = new Raw();
    raw.text = '';
    raw.closed = false;
    raw.socket = net.connect(port, '127.0.0.1');
    raw.socket.setEncoding('latin1');
    raw.socket.on('data', (text) => { raw.text += text; });
    raw.socket.on('error', () => {});
    raw.socket.on('close', () => { raw.closed = true; });
    await once(raw.socket, 'connect');
    return raw;
  }
  send(text) { this.socket.write(text, 'latin1'); }
  end() { this.socket.destroy(); }
  // Waits until `count` whole answers with Content-Length are there; gives their status codes.
  statuses() { return [...this.text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1])); }
}

// `gatehouse witness` in a folder of its own; `logs` are vkeys. Keeps its port over restarts.
export class Witness extends Server {
  static prepare({ name, logs, directory }) {
    const folder = directory ?? mkdtempSync(path.join(tmpdir(), 'gatehouse-witness-'));
    const site = { name, folder, logs, port: 0, config: path.join(folder, 'witness.yaml'), data: path.join(folder, 'state') };
    writeFileSync(path.join(folder, 'secret'), `${name} `.repeat(32));
    Witness.configure(site);
    site.key = succeed(cli('witness', 'init', '--config', site.config)).stdout.trim();
    return site;
  }
  static configure(site) {
    writeFileSync(site.config, [`listen: 127.0.0.1:${site.port}`, `name: ${site.name}`, `secret: {file: ${site.folder}/secret}`,
      'data: state', 'logs:', ...site.logs.map((log) => `  - "${log}"`), ''].join('\n'));
  }
  static async run(site) {
    const witness = new Witness(['witness', '--config', site.config]);
    try { await witness.listening(); } catch (error) { await witness.stop('SIGKILL'); throw error; }
    Object.assign(witness, { site, key: site.key });
    if (site.port === 0) { site.port = witness.port; Witness.configure(site); }
    return witness;
  }
  add(body) { return fetch(`${this.url}/add-checkpoint`, { method: 'POST', body }); }
  latest(originHash) { return fetch(`${this.url}/${originHash}/checkpoint`); }
}

// Strings that detectors must find, put together here so that they stand in no file.
export const secrets = {
  awsKey: () => ['AK', 'IA', 'Q3EG', 'RZN7', 'W2XB', 'K5TD'].join(''),
  githubToken: () => ['gh', 'p_', 'a9K2mQ7xT4vB8nL1', 'cR6wZ3yH5jD0sFpEuGiO'].join(''),
};

export const people = {
  email: ['ada.byron', 'analytical-engines.org'].join('@'),
  phone: '+44 20 7946 0958',
  iban: ['GB82', 'WEST', '1234', '5698', '7654', '32'].join(' '),
};

export function note(line) { if (process.env.E2E_LOG) appendFileSync(process.env.E2E_LOG, `${line}\n`); }
