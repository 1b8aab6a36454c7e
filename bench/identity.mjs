// How long identify and decide take for a JWT that was seen before: the gateway's own histograms over
// 5,000 calls on one connection, after 500 to warm up. Prints one line of JSON.
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
const call = () => new Promise((done, failed) => {
  http.get({ host: '127.0.0.1', port: gateway.port, path: '/v1/models', agent: connection,
    headers: { authorization: `Bearer ${token}` } }, (response) => {
    if (response.statusCode !== 200) failed(new Error(`status ${response.statusCode}`));
    response.resume().on('end', done);
  }).on('error', failed);
});
async function histogram(stage) {
  const lines = (await (await fetch(`${gateway.url}/metrics`)).text()).split('\n')
    .filter((line) => line.startsWith('gatehouse_stage_seconds') && line.includes(`stage="${stage}"`));
  const value = (name) => Number(lines.find((line) => line.startsWith(`gatehouse_stage_seconds_${name}`)).split(' ').at(-1));
  return { sum: value('sum'), count: value('count') };
}
async function measure(calls) {
  const stages = ['identify', 'decide'];
  const before = await Promise.all(stages.map(histogram));
  for (let at = 0; at < calls; ++at) await call();
  const after = await Promise.all(stages.map(histogram));
  return Object.fromEntries(stages.map((stage, at) =>
    [stage, (after[at].sum - before[at].sum) / (after[at].count - before[at].count) * 1e6]));
}
await measure(500);
const mean = await measure(5_000);
console.log(JSON.stringify({ calls: 5_000, token_bytes: token.length, mean_us: mean, together_us: mean.identify + mean.decide }));
await gateway.finish();
await simulator.stop();
issuer.closeAllConnections();
issuer.close();
