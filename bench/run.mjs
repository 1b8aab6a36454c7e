// Measures the whole binary on one machine: direct to the simulator, through nginx, through Gatehouse
// bare, with everything on and relaxed audit, with everything on and strict audit. Under full load the
// proxy that is measured has the first core for itself; client and upstream share another. One
// connection is measured with everything on the first core: nothing runs side by side then anyway,
// and waking another core of a virtual machine costs more than what is measured. Variants alternate
// over the rounds, whose medians are reported.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Gateway, Simulator, addModel, binary, cli, root, sleep, succeed } from '../tests/e2e/harness.mjs';
import { render } from './table.mjs';

const quick = process.argv.includes('--quick');
const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const rounds = option('--rounds', quick ? 1 : 3);
const seconds = option('--seconds', quick ? 0.5 : 3);
const sizes = [['1k', 1_024], ['2k', 2_048], ['16k', 16_384]];
const [proxyCore, otherCore] = [0, os.cpus().length > 1 ? 1 : 0];
const work = path.join(root, 'build/bench');
const folder = mkdtempSync(path.join(work, 'run-'));
const pin = (core) => `taskset -cp ${core} $$ >/dev/null`;
const children = [];

// ---- What is measured

// A prompt of exactly that many bytes as a whole body, with an e-mail address and a phone number in it.
function bodyFile(model, bytes, stream) {
  const body = (text) => JSON.stringify({ model, ...(stream ? { stream } : {}), messages: [{ role: 'user', content: text }] });
  const facts = ' Please answer ada.byron@analytical-engines.org or call +44 20 7946 0958.';
  const filler = 'the quick review of the quarterly figures says that nothing was found which ';
  const room = bytes - body(facts).length;
  const file = path.join(folder, `${model}${stream ? '-stream' : ''}.json`);
  writeFileSync(file, body(filler.repeat(Math.ceil(room / filler.length)).slice(0, room) + facts));
  return file;
}

// Gatehouse does not start without rules; this one never matches.
function ruleThatNeverMatches() {
  const made = path.join(folder, 'bare-rules');
  mkdirSync(made);
  writeFileSync(path.join(made, 'never.yaml'), [
    'category: personal', 'rules:', '  - id: never', '    kind: NEVER', '    description: Matches nothing that is sent here',
    "    pattern: 'gatehouse-bench-never-[0-9]{12}'", '    p_value: 1e-6', '    examples:',
    '      match: ["«gatehouse-bench-never-123456789012»"]', '      no_match: ["anything else"]', ''].join('\n'));
  return made;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
const ports = { nginx: await freePort(), stream: await freePort(), fixed: await freePort() };

function startNginx(simulator, near, paced) {
  const fixed = sizes.map(([name]) => {
    const body = execFileSync('curl', ['-s', '-d', JSON.stringify({ model: `simulator-bench-${name}`, messages: [] }),
      `${simulator.url}/v1/chat/completions`]);
    const place = path.join(folder, 'fixed', name, 'v1/chat');
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, 'completions'), body);
    return name;
  });
  const common = `tcp_nodelay on; keepalive_requests 1000000000; client_body_buffer_size 64k; default_type application/json;
    open_file_cache max=100; open_file_cache_valid 1h; access_log off;`;
  const proxy = (upstream, more = '') => `proxy_pass http://${upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; ${more}`;
  const upstream = (name, port) => `upstream ${name} { server 127.0.0.1:${port}; keepalive 64; keepalive_requests 1000000000; }`;
  const write = (name, http) => {
    const file = path.join(folder, `${name}.conf`);
    writeFileSync(file, `daemon off; worker_processes 1; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log;
      ${process.getuid() === 0 ? 'user root;' : ''} events { worker_connections 4096; } http { ${common}
      client_body_temp_path ${folder}/${name}-body; proxy_temp_path ${folder}/${name}-proxy; fastcgi_temp_path ${folder}/${name}-f;
      uwsgi_temp_path ${folder}/${name}-u; scgi_temp_path ${folder}/${name}-s; ${http} }`);
    return file;
  };
  const proxyFile = write('proxy', `${upstream('simulator', simulator.port)} ${upstream('near', near.port)} ${upstream('paced', paced.port)} ${upstream('fixed', ports.fixed)}
    server { listen 127.0.0.1:${ports.nginx}; location / { ${proxy('simulator')} } location /near/ { ${proxy('near/')} }
      location ~ ^/(1k|2k|16k)/ { ${proxy('fixed')} } }
    server { listen 127.0.0.1:${ports.stream}; location / { ${proxy('simulator', 'proxy_buffering off;')} }
      location /near/ { ${proxy('near/', 'proxy_buffering off;')} } location /paced/ { ${proxy('paced/', 'proxy_buffering off;')} } }`);
  const fixedFile = write('fixed', `server { listen 127.0.0.1:${ports.fixed}; root ${folder}/fixed; error_page 405 =200 $uri; }`);
  for (const [file, core] of [[proxyFile, proxyCore], [fixedFile, otherCore]]) {
    children.push(spawn('taskset', ['-c', String(core), 'nginx', '-p', folder, '-c', file], { stdio: 'inherit' }));
  }
  return fixed;
}

function prepareGateway(name, simulator, near, paced, { audit, bare }) {
  const settings = [
    `  - {name: near, dialect: openai, url: "${near.url}"}`,
    `  - {name: paced, dialect: openai, url: "${paced.url}"}`,
    ...sizes.map(([size]) => `  - {name: fixed-${size}, dialect: openai, url: "http://127.0.0.1:${ports.fixed}/${size}"}`)];
  if (bare) {
    const policies = path.join(folder, 'bare-policies');
    succeed(cli('policy', 'init', policies));
    for (const file of ['10-models.cedar', '20-credentials.cedar', '30-personal.cedar']) rmSync(path.join(policies, file), { force: true });
    rmSync(path.join(policies, 'tests'), { recursive: true, force: true });
    writeFileSync(path.join(policies, 'all.cedar'), '@id("all")\npermit (principal, action, resource);\n');
    settings.push(`policies: ${policies}`, `rules: ${ruleThatNeverMatches()}`);
  }
  const site = Gateway.prepare({ simulator, audit, directory: path.join(folder, name), only: [], settings: settings.join('\n') });
  for (const [size] of sizes) {
    addModel(site, { name: `simulator-bench-${size}`, provider: 'sim', upstream: `simulator-bench-${size}`, trust: 'external' });
    addModel(site, { name: `near-${size}`, provider: 'near', upstream: `simulator-bench-${size}`, trust: 'external' });
    addModel(site, { name: `fixed-${size}`, provider: `fixed-${size}`, upstream: `simulator-bench-${size}`, trust: 'external' });
  }
  addModel(site, { name: 'paced-1k', provider: 'paced', upstream: 'simulator-bench-1k', trust: 'external' });
  return site;
}

// ---- How it is measured

function cpuSeconds(pid) {
  if (!pid) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
const memory = (pid, what) => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

function load(variant, cell) {
  const target = variant.target(cell);
  const args = ['-c', String(isNear(cell) ? proxyCore : otherCore), path.join(work, 'load'), '--port', String(target.port), '--path', target.path,
    '--header', `Authorization: Bearer ${target.key ?? 'none'}`, '--body', target.body,
    '--connections', String(cell.connections), '--seconds', String(cell.seconds ?? seconds)];
  if (cell.stream) args.push('--first-text', '"content":"');
  const before = cpuSeconds(variant.pid);
  const result = spawnSync('taskset', args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${variant.name}, ${JSON.stringify(cell)}: ${result.stderr}`);
  const measured = JSON.parse(result.stdout);
  // The warm-up is in the processor time and not in the requests.
  measured.cpu = variant.pid ? (cpuSeconds(variant.pid) - before) * 1e6 / (measured.rps * ((cell.seconds ?? seconds) + 0.3)) : 0;
  return measured;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
function medians(runs) {
  return Object.fromEntries(Object.keys(runs[0]).map((key) => [key, median(runs.map((run) => run[key]))]));
}

function cells() {
  const all = [];
  for (const [size] of sizes)
    for (const stream of [false, true])
      for (const connections of [64, 1]) all.push({ id: `${size} ${stream ? 'stream' : 'plain'} ${connections}`, size, stream, connections });
  all.push({ id: 'first text', size: '1k', stream: true, paced: true, connections: 1, seconds: quick ? 1 : 8 });
  return all;
}

// Plain answers at full load come from a second nginx that serves a file: the simulator and the
// client together would be slower than what is measured.
const isFixed = (cell) => !cell.stream && cell.connections > 1;
const isNear = (cell) => cell.connections === 1;

async function main() {
  const simulator = await Simulator.start({ shellPrefix: pin(otherCore) });
  const near = await Simulator.start({ shellPrefix: pin(proxyCore) });
  const paced = await Simulator.start({ pace: '1ms', shellPrefix: pin(proxyCore) });
  startNginx(simulator, near, paced);
  const bodies = new Map();
  const body = (model, bytes, stream) => {
    const key = `${model} ${stream}`;
    if (!bodies.has(key)) bodies.set(key, bodyFile(model, bytes, stream));
    return bodies.get(key);
  };
  const bytesOf = Object.fromEntries(sizes);
  const chat = '/v1/chat/completions';
  const direct = (cell) => ({ body: body(`simulator-bench-${cell.size}`, bytesOf[cell.size], cell.stream) });
  const variants = [
    { name: 'direct', target: (cell) => ({ ...direct(cell),
      port: isFixed(cell) ? ports.fixed : cell.paced ? paced.port : isNear(cell) ? near.port : simulator.port,
      path: isFixed(cell) ? `/${cell.size}${chat}` : chat }) },
    { name: 'nginx', target: (cell) => ({ ...direct(cell), port: cell.stream ? ports.stream : ports.nginx,
      path: isFixed(cell) ? `/${cell.size}${chat}` : cell.paced ? `/paced${chat}` : isNear(cell) ? `/near${chat}` : chat }) },
  ];
  const gateways = [];
  for (const [name, options] of [['bare', { audit: 'relaxed', bare: true }], ['on, relaxed', { audit: 'relaxed' }], ['on, strict', { audit: 'strict' }]]) {
    const site = prepareGateway(name.replace(', ', '-'), simulator, near, paced, options);
    const gateway = await Gateway.run(site, { shellPrefix: pin(proxyCore) });
    gateways.push(gateway);
    variants.push({ name, gateway, pid: gateway.process.pid, target: (cell) => {
      const model = cell.paced ? 'paced-1k' : isFixed(cell) ? `fixed-${cell.size}`
        : isNear(cell) ? `near-${cell.size}` : `simulator-bench-${cell.size}`;
      return { port: gateway.port, path: chat, key: gateway.key, body: body(model, bytesOf[cell.size], cell.stream) };
    } });
  }
  await sleep(500);
  const nginxMaster = Number(readFileSync(path.join(folder, 'proxy.pid'), 'utf8'));
  variants[1].pid = Number(readFileSync(`/proc/${nginxMaster}/task/${nginxMaster}/children`, 'utf8').trim().split(' ')[0]);
  for (const variant of variants) if (variant.pid) variant.rest = memory(variant.pid, 'VmRSS');

  const results = { cells: {}, memory: {}, sync: {} };
  const sync = () => JSON.parse(execFileSync('taskset', ['-c', String(proxyCore), path.join(work, 'load'), '--fdatasync', path.join(folder, 'sync')]));
  const syncs = [sync()];
  for (let round = 0; round < rounds; ++round) {
    for (const cell of cells()) {
      const order = [...variants.slice(round % variants.length), ...variants.slice(0, round % variants.length)];
      for (const variant of order) {
        const runs = (results.cells[cell.id] ??= {})[variant.name] ??= [];
        runs.push(load(variant, cell));
        process.stderr.write(`${round + 1}/${rounds} ${cell.id}, ${variant.name}: ${JSON.stringify(runs.at(-1))}\n`);
      }
    }
    syncs.push(sync());
  }
  results.sync = medians(syncs);
  for (const cell of Object.values(results.cells)) for (const name of Object.keys(cell)) cell[name] = medians(cell[name]);
  for (const variant of variants) if (variant.pid) results.memory[variant.name] = { rest: variant.rest, peak: memory(variant.pid, 'VmHWM') };
  results.stages = await stagesOf(gateways[2]);
  results.machine = machine();
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  results.ledger = succeed(cli('audit', 'verify', gateways[2].ledger)).stdout.trim();
  await Promise.all([simulator.stop(), near.stop(), paced.stop()]);
  return results;
}

// Seconds and counts of each stage, from the metrics of the gateway with everything on and strict.
async function stagesOf(gateway) {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const stages = {};
  for (const [, what, stage, value] of text.matchAll(/^gatehouse_stage_seconds_(sum|count)\{stage="([^"]+)"\} (\S+)$/gm))
    (stages[stage] ??= {})[what] = Number(value);
  return Object.fromEntries(Object.entries(stages).filter(([, s]) => s.count > 0).map(([name, s]) => [name, s.sum * 1e6 / s.count]));
}

function machine() {
  const kernel = os.release();
  const revision = spawnSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();
  const nginx = spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.trim().split('/').pop();
  return { cpu: os.cpus()[0].model, cores: os.cpus().length, kernel, nginx, revision, rounds, seconds, date: new Date().toISOString().slice(0, 10) };
}

try {
  const results = await main();
  writeFileSync(path.join(work, 'results.json'), JSON.stringify(results, null, 1));
  const text = render(results);
  console.log(text);
  if (process.argv.includes('--write')) {
    const readme = path.join(root, 'bench/README.md');
    const [before, rest] = readFileSync(readme, 'utf8').split('<!-- tables -->\n');
    const after = rest.split('<!-- end of tables -->')[1];
    writeFileSync(readme, `${before}<!-- tables -->\n${text}\n<!-- end of tables -->${after}`);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const child of children) child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
