// HTTP/1.1 on a raw socket: keep-alive, pipelining, and the shapes that smuggle requests.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Gateway, Raw, Simulator, sleep, until } from './harness.mjs';

let simulator, gateway;
before(async () => {
  simulator = await Simulator.start();
  gateway = await Gateway.start({ simulator, only: ['gpt-echo', 'gpt-script'], settings: 'timeouts: {header: 1s, body: 1s, idle: 3s}' });
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });
beforeEach(() => simulator.clear());

const bodyOf = (text, model = 'gpt-echo') => JSON.stringify({ model, messages: [{ role: 'user', content: text }] });
const head = (more = '', path = '/v1/chat/completions') =>
  `POST ${path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${gateway.key}\r\nContent-Type: application/json\r\n${more}`;
const call = (text) => { const body = bodyOf(text); return `${head(`Content-Length: ${body.length}\r\n`)}\r\n${body}`; };
const contents = (text) => [...text.matchAll(/"content":"([^"]*)"/g)].map((match) => match[1]);

test('keep-alive: many calls one after the other on one connection', async () => {
  const raw = await Raw.connect(gateway.port);
  for (let i = 1; i <= 5; ++i) {
    raw.send(call(`call ${i}`));
    await until(() => contents(raw.text).length === i, `answer ${i}`);
  }
  assert.deepEqual(contents(raw.text), ['call 1', 'call 2', 'call 3', 'call 4', 'call 5']);
  assert.ok(!raw.closed);
  raw.end();
});

test('pipelining: calls sent at once are answered in order', async () => {
  const raw = await Raw.connect(gateway.port);
  raw.send(call('first') + call('second') + call('third'));
  await until(() => contents(raw.text).length === 3, 'three answers');
  assert.deepEqual(contents(raw.text), ['first', 'second', 'third']);
  raw.end();
});

test('a request that arrives byte by byte is one request', async () => {
  const raw = await Raw.connect(gateway.port);
  raw.socket.setNoDelay(true);
  for (const byte of call('slowly')) { raw.send(byte); if (Math.random() < 0.05) await sleep(1); }
  await until(() => contents(raw.text).length === 1, 'the answer');
  assert.deepEqual(contents(raw.text), ['slowly']);
  raw.end();
});

test('a chunked request body is taken, and forwarded with one framing', async () => {
  const raw = await Raw.connect(gateway.port);
  const body = bodyOf('in chunks');
  raw.send(`${head('Transfer-Encoding: chunked\r\n')}\r\n`);
  for (const piece of [body.slice(0, 10), body.slice(10)]) raw.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  raw.send('0\r\n\r\n');
  await until(() => contents(raw.text).length === 1, 'the answer');
  const [request] = await simulator.requests();
  assert.equal(request.body_bytes > 0, true);
  raw.end();
});

test('HTTP/1.0 and Connection: close are answered and closed', async () => {
  const body = bodyOf('old');
  for (const request of [
    `${head(`Content-Length: ${body.length}\r\n`)}\r\n${body}`.replace('HTTP/1.1', 'HTTP/1.0'),
    `${head(`Content-Length: ${body.length}\r\nConnection: close\r\n`)}\r\n${body}`]) {
    const raw = await Raw.connect(gateway.port);
    raw.send(request);
    await until(() => raw.closed, 'the connection to close');
    assert.deepEqual(contents(raw.text), ['old']);
  }
});

test('Expect: 100-continue is answered before the body', async () => {
  const raw = await Raw.connect(gateway.port);
  const body = bodyOf('continued');
  raw.send(`${head(`Content-Length: ${body.length}\r\nExpect: 100-continue\r\n`)}\r\n`);
  await until(() => raw.text.includes('100 Continue'), '100 Continue', 900);
  raw.send(body);
  await until(() => contents(raw.text).length === 1, 'the answer');
  raw.end();
});

// Each shape is sent with a second, hidden request behind it that must never be served.
const hidden = () => call('HIDDEN');
const b = () => bodyOf('shape');
const shapes = {
  'Content-Length and Transfer-Encoding': () => `${head(`Content-Length: 4\r\nTransfer-Encoding: chunked\r\n`)}\r\n0\r\n\r\n`,
  'Transfer-Encoding and Content-Length': () => `${head(`Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`)}\r\n0\r\n\r\n`,
  'Transfer-Encoding: chunked, identity': () => `${head('Transfer-Encoding: chunked, identity\r\n')}\r\n`,
  'Transfer-Encoding: xchunked': () => `${head('Transfer-Encoding: xchunked\r\n')}\r\n`,
  'Transfer-Encoding: gzip, chunked': () => `${head('Transfer-Encoding: gzip, chunked\r\n')}\r\n0\r\n\r\n`,
  'Transfer-Encoding twice': () => `${head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n')}\r\n0\r\n\r\n`,
  'Transfer-Encoding on HTTP/1.0': () => `${head('Transfer-Encoding: chunked\r\n')}\r\n0\r\n\r\n`.replace('HTTP/1.1', 'HTTP/1.0'),
  'Transfer-Encoding with a space before the colon': () => `${head('Transfer-Encoding : chunked\r\n')}\r\n0\r\n\r\n`,
  'Transfer-Encoding after a vertical tab': () => `${head('Transfer-Encoding:\x0bchunked\r\n')}\r\n0\r\n\r\n`,
  'two different Content-Length': () => `${head(`Content-Length: ${b().length}\r\nContent-Length: 3\r\n`)}\r\n${b()}`,
  'two equal Content-Length': () => `${head(`Content-Length: ${b().length}\r\nContent-Length: ${b().length}\r\n`)}\r\n${b()}`,
  'Content-Length as a list': () => `${head(`Content-Length: ${b().length}, ${b().length}\r\n`)}\r\n${b()}`,
  'Content-Length with a leading zero': () => `${head(`Content-Length: 0${b().length}\r\n`)}\r\n${b()}`,
  'Content-Length with a sign': () => `${head(`Content-Length: +${b().length}\r\n`)}\r\n${b()}`,
  'Content-Length in hexadecimal': () => `${head(`Content-Length: 0x${b().length.toString(16)}\r\n`)}\r\n${b()}`,
  'negative Content-Length': () => `${head('Content-Length: -1\r\n')}\r\n`,
  'enormous Content-Length': () => `${head('Content-Length: 99999999999999999999999\r\n')}\r\n`,
  'no Host': () => `${head(`Content-Length: ${b().length}\r\n`).replace('Host: gateway\r\n', '')}\r\n${b()}`,
  'two Host': () => `${head(`Host: other\r\nContent-Length: ${b().length}\r\n`)}\r\n${b()}`,
  'a folded header': () => `${head(`X-A: one\r\n two\r\nContent-Length: ${b().length}\r\n`)}\r\n${b()}`,
  'a bare line feed in the head': () => `${head(`X-A: b\nContent-Length: ${b().length}\r\n`)}\r\n${b()}`,
  'a bare carriage return in a header': () => `${head(`X-A: b\rX-B: c\r\nContent-Length: ${b().length}\r\n`)}\r\n${b()}`,
  'a zero byte in a header': () => `${head(`X-A: b\x00c\r\nContent-Length: ${b().length}\r\n`)}\r\n${b()}`,
  'trailer fields': () => `${head('Transfer-Encoding: chunked\r\nTrailer: X-T\r\n')}\r\n${b().length.toString(16)}\r\n${b()}\r\n0\r\nX-T: y\r\n\r\n`,
  'a chunk size that is none': () => `${head('Transfer-Encoding: chunked\r\n')}\r\n0x${b().length.toString(16)}\r\n${b()}\r\n0\r\n\r\n`,
  'a negative chunk size': () => `${head('Transfer-Encoding: chunked\r\n')}\r\n-1\r\n${b()}\r\n0\r\n\r\n`,
  'a chunk size that overflows': () => `${head('Transfer-Encoding: chunked\r\n')}\r\nfffffffffffffffff\r\n${b()}\r\n0\r\n\r\n`,
  'a chunk that ends with a bare line feed': () => `${head('Transfer-Encoding: chunked\r\n')}\r\n${b().length.toString(16)}\n${b()}\n0\n\n`,
  'HTTP/1.2': () => call('shape').replace('HTTP/1.1', 'HTTP/1.2'),
  'HTTP/2.0': () => call('shape').replace('HTTP/1.1', 'HTTP/2.0'),
  'an absolute target': () => call('shape').replace('POST /v1', 'POST http://other/v1'),
  'bytes above 0x7f in the target': () => call('shape').replace('completions', 'compl\xe9tions'),
  'a method in lower case': () => call('shape').replace('POST', 'post'),
  'a method nobody knows': () => call('shape').replace('POST', 'SMUGGLE'),
  'GET with a body': () => call('shape').replace('POST', 'GET'),
};

for (const [name, shape] of Object.entries(shapes)) {
  test(`refused and closed: ${name}`, async () => {
    const raw = await Raw.connect(gateway.port);
    raw.send(shape() + hidden());
    await until(() => raw.closed, 'the connection to close', 4_000);
    const [first, ...rest] = raw.statuses();
    assert.ok(first >= 400 && first < 600, `answered ${first}: ${raw.text.slice(0, 200)}`);
    assert.deepEqual(rest, [], 'the hidden request was answered');
    assert.equal((await simulator.count()).received, 0);
  });
}

test('what was refused is recorded', async () => {
  const raw = await Raw.connect(gateway.port);
  raw.send(shapes['Transfer-Encoding: xchunked']());
  await until(() => raw.closed, 'the connection to close');
  await until(() => gateway.entries().some((entry) => entry.type === 'message.refused'), 'the entry');
});

test('header limits: too many, too large', async () => {
  for (const more of ['X-A: b\r\n'.repeat(500), `X-A: ${'b'.repeat(100_000)}\r\n`]) {
    const raw = await Raw.connect(gateway.port);
    raw.send(`${head(more)}Content-Length: 2\r\n\r\n{}`);
    await until(() => raw.closed, 'the connection to close');
    assert.equal(raw.statuses()[0], 431);
  }
});

test('a head or a body that comes too slowly is cut off, however it trickles', async () => {
  const slowHead = await Raw.connect(gateway.port);
  const slowBody = await Raw.connect(gateway.port);
  slowHead.send('POST /v1/chat/completions HTTP/1.1\r\nX: ');
  slowBody.send(`${head('Content-Length: 1000\r\n')}\r\n{`);
  const started = Date.now();
  while (!(slowHead.closed && slowBody.closed) && Date.now() - started < 6_000) {
    slowHead.send('a');
    slowBody.send(' ');
    await sleep(100);
  }
  assert.ok(slowHead.closed && slowBody.closed, 'still open');
  assert.ok(Date.now() - started < 4_000);
});

test('headers named in Connection and hop-by-hop headers do not reach the provider', async () => {
  const raw = await Raw.connect(gateway.port);
  const body = bodyOf('hop');
  raw.send(`${head(`Content-Length: ${body.length}\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nProxy-Authorization: x\r\nTE: trailers\r\nUpgrade: h2c\r\n`)}\r\n${body}`);
  await until(() => contents(raw.text).length === 1 || raw.closed, 'the answer');
  for (const request of await simulator.requests())
    for (const name of ['x-secret', 'keep-alive', 'proxy-authorization', 'te', 'upgrade']) assert.equal(request.headers[name], undefined, name);
  raw.end();
});

test('a slow reader does not hold up others', async () => {
  const slow = await Raw.connect(gateway.port);
  slow.socket.pause();
  const body = JSON.stringify({ model: 'gpt-script', stream: true, messages: [{ role: 'user', content: JSON.stringify({ text: 'word '.repeat(100_000) }) }] });
  slow.send(`${head(`Content-Length: ${body.length}\r\n`)}\r\n${body}`);
  await sleep(300);
  const started = Date.now();
  for (let i = 0; i < 10; ++i) assert.equal((await gateway.chat('gpt-echo', 'quick')).status, 200);
  assert.ok(Date.now() - started < 2_000);
  slow.end();
});
