// Receivers of exported events: HTTP, syslog over TCP and TLS. Each can be stopped and started again
// on the same port, as a receiver that is down for a while.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';

async function listen(server, port) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

// Takes POSTs; `answer` says with what: (request, body) -> {status, headers, body}.
export class HttpReceiver {
  constructor(answer) {
    this.answer = answer ?? (() => ({ status: 200 }));
    this.requests = [];
    this.port = 0;
    this.sockets = new Set();
  }
  async start() {
    this.server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const { status, headers = {}, body: text = '' } = this.answer(request, body);
        if (status >= 200 && status < 300) this.requests.push({ url: request.url, headers: request.headers, body });
        response.writeHead(status, headers);
        response.end(text);
      });
      request.on('error', () => {});
    });
    this.server.on('connection', (socket) => { this.sockets.add(socket); socket.on('close', () => this.sockets.delete(socket)); });
    this.port = await listen(this.server, this.port);
    return this;
  }
  async stop() {
    const closed = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
  get url() { return `http://127.0.0.1:${this.port}`; }
  // Of newline-delimited bodies.
  events() { return this.requests.flatMap(({ body }) => body.split('\n').filter(Boolean).map((line) => JSON.parse(line))); }
}

// Takes frames "LENGTH SP MESSAGE"; what is not one is kept in `broken`.
export class SyslogReceiver {
  constructor(credentials, { ends = true } = {}) {
    this.credentials = credentials;  // {key, cert}: TLS
    this.ends = ends;  // whether it ends a connection that the other side has ended
    this.messages = [];
    this.broken = [];
    this.port = 0;
    this.sockets = new Set();
    this.connections = 0;
  }
  async start() {
    const accept = (socket) => this.take(socket);
    this.server = this.credentials ? tls.createServer(this.credentials, accept) : net.createServer({ allowHalfOpen: !this.ends }, accept);
    this.server.on('tlsClientError', () => {});
    this.port = await listen(this.server, this.port);
    return this;
  }
  take(socket) {
    ++this.connections;
    this.sockets.add(socket);
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const space = bytes.indexOf(0x20);
        if (space < 0) break;
        const size = Number(bytes.subarray(0, space).toString('latin1'));
        if (!Number.isInteger(size) || size < 1) { this.broken.push(bytes.toString('latin1')); socket.destroy(); return; }
        if (bytes.length < space + 1 + size) break;
        this.messages.push(bytes.subarray(space + 1, space + 1 + size).toString('utf8'));
        bytes = bytes.subarray(space + 1 + size);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }
  // As a process that is killed: connections are reset, what was not read is gone.
  async kill() {
    const closed = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.resetAndDestroy?.() ?? socket.destroy();
    await closed;
  }
}

// "<110>1 TIME HOST gatehouse - TYPE - CEF:0|…" taken apart.
export function parseCef(message) {
  const header = /^<(\d{1,3})>1 (\S+) (\S+) gatehouse - (\S+) - (CEF:.*)$/s.exec(message);
  if (!header) throw new Error(`no syslog message with CEF in it: ${message}`);
  const fields = [];
  let field = '';
  let at = 0;
  const cef = header[5];
  for (; at < cef.length && fields.length < 7; ++at) {
    if (cef[at] === '\\') field += cef[++at];
    else if (cef[at] === '|') { fields.push(field); field = ''; } else field += cef[at];
  }
  const extension = {};
  const pairs = [...cef.slice(at).matchAll(/(?:^| )([A-Za-z0-9]+)=((?:\\.|[^\\=])*?)(?= [A-Za-z0-9]+=|$)/gs)];
  for (const [, key, value] of pairs)
    extension[key] = value.replace(/\\(.)/gs, (_, c) => (c === 'n' ? '\n' : c));
  return { priority: Number(header[1]), time: header[2], host: header[3], type: header[4],
    version: fields[0], vendor: fields[1], product: fields[2], productVersion: fields[3], id: fields[4],
    name: fields[5], severity: Number(fields[6]), extension };
}

// A certificate for 127.0.0.1 and localhost that signs itself: {key, cert, file}.
export function makeCertificate(folder, name = 'receiver') {
  const key = path.join(folder, `${name}-key.pem`);
  const file = path.join(folder, `${name}.pem`);
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', file],
  { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  return { key: readFileSync(key), cert: readFileSync(file), file };
}
