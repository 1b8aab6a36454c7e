// How long identify and decide take for a JWT that was seen before: the gateway's own histograms over
// 5,000 calls on one connection, after 500 to warm up. Prints a line of JSON for each kind of call:
// a list of models, a chat completion that was decided before, and one that never was (its purpose is
// another each time, so that the worker's decision cache cannot know it).
//   node bench/identity.mjs
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { Gateway, Simulator, until } from '../tests/e2e/harness.mjs';

const resource = 'https://gateway.example.com';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig' };
const issuer = http.createServer((request, response) => response.end(JSON.stringify(
  request.url === '/keys' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/keys` })));
issuer.listen(0, '127.0.0.1');
await once(issuer, 'listening');
const url = `http://127.0.0.1:${issuer.address().port}`;

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const text = `${encode({ alg: 'RS256', kid: 'bench', typ: 'at+jwt' })}.${encode({
  iss: url, aud: resource, sub: 'ada', iat: now, exp: now + 3_600, jti: randomUUID(), client_id: 'chat',
  groups: ['staff', 'engineers', 'on-call'], dept: 'research' })}`;
const token = `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;

const simulator = await Simulator.start();
const gateway = await Gateway.start({ simulator, only: ['gpt-echo'], audit: 'relaxed', settings:
  `identity:\n  resource: ${resource}\n  issuers:\n    - {issuer: "${url}", groups: groups, attributes: {department: dept}}\n` });
await until(() => gateway.logs('the keys of an issuer are here').length > 0, 'the keys');
const connection = new http.Agent({ keepAlive: true, maxSockets: 1 });
const chat = JSON.stringify({ model: 'gpt-echo', messages: [{ role: 'user', content: 'Good morning, what can you do for me today?' }] });
let calls_made = 0;
const kinds = {
  'list of models': { method: 'GET', path: '/v1/models' },
  'chat, decided before': { method: 'POST', path: '/v1/chat/completions', body: chat },
  'chat, decided anew': { method: 'POST', path: '/v1/chat/completions', body: chat,
    purpose: () => `purpose-${++calls_made}` },
};
const call = ({ method, path, body, purpose }) => new Promise((done, failed) => {
  http.request({ host: '127.0.0.1', port: gateway.port, method, path, agent: connection,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }),
      ...(purpose && { 'gatehouse-purpose': purpose() }) } }, (response) => {
    if (response.statusCode !== 200) failed(new Error(`status ${response.statusCode}`));
    response.resume().on('end', done);
  }).on('error', failed).end(body);
});
async function histogram(stage) {
  const lines = (await (await fetch(`${gateway.url}/metrics`)).text()).split('\n')
    .filter((line) => line.startsWith('gatehouse_stage_seconds') && line.includes(`stage="${stage}"`));
  const value = (name) => Number(lines.find((line) => line.startsWith(`gatehouse_stage_seconds_${name}`)).split(' ').at(-1));
  return { sum: value('sum'), count: value('count') };
}
async function measure(kind, calls) {
  const stages = ['identify', 'decide'];
  const before = await Promise.all(stages.map(histogram));
  for (let at = 0; at < calls; ++at) await call(kind);
  const after = await Promise.all(stages.map(histogram));
  return Object.fromEntries(stages.map((stage, at) =>
    [stage, (after[at].sum - before[at].sum) / (after[at].count - before[at].count) * 1e6]));
}
for (const [what, kind] of Object.entries(kinds)) {
  await measure(kind, 500);
  const mean = await measure(kind, 5_000);
  console.log(JSON.stringify({ what, calls: 5_000, token_bytes: token.length, mean_us: mean, together_us: mean.identify + mean.decide }));
}
await gateway.finish();
await simulator.stop();
issuer.closeAllConnections();
issuer.close();
