// Who asks: tokens of an OpenID provider we did not write, tokens forged with a library we did not
// write, delegation, proofs of possession, client certificates, revocation.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, createHmac, createPublicKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as jose from 'jose';
import { Provider } from 'oidc-provider';
import { Gateway, Simulator, binary, cli, createKey, sleep, succeed, until } from './harness.mjs';

const resource = 'https://gateway.example.com';
let simulator;
before(async () => { simulator = await Simulator.start(); });
after(() => simulator.stop());

// An issuer of our own: a set of keys behind HTTP, whatever tokens a test wants.
class Issuer {
  static async start() {
    const issuer = new Issuer();
    issuer.keys = [];
    issuer.fetched = 0;
    issuer.server = http.createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/.well-known/openid-configuration') {
        response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }));
      } else {
        issuer.fetched += 1;
        response.end(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }));
      }
    });
    issuer.server.listen(0, '127.0.0.1');
    await once(issuer.server, 'listening');
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    await issuer.rotate();
    return issuer;
  }
  async rotate(algorithm = 'RS256') {
    const { publicKey, privateKey } = await jose.generateKeyPair(algorithm, { extractable: true });
    const kid = randomUUID();
    this.keys = [{ kid, algorithm, publicKey, privateKey, jwk: { ...await jose.exportJWK(publicKey), kid, use: 'sig' } }];
  }
  claims(more = {}) {
    const now = Math.floor(Date.now() / 1000);
    return { iss: this.url, aud: resource, sub: 'ada', iat: now, exp: now + 300, jti: randomUUID(), client_id: 'chat', groups: ['staff'], dept: 'research', ...more };
  }
  token(more = {}, header = {}, key = this.keys[0]) {
    return new jose.SignJWT(this.claims(more))
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'at+jwt', ...header }).sign(key.privateKey);
  }
  stop() { this.server.closeAllConnections(); this.server.close(); }
  settings(more = '') {
    return ['identity:', `  resource: ${resource}`, '  keys_least_interval: 300ms', '  issuers:',
      `    - {issuer: "${this.url}", groups: groups, attributes: {department: dept}}`, more].join('\n');
  }
}

async function within(settings, body, options = {}) {
  const gateway = await Gateway.start({ simulator, only: ['gpt-echo'], settings, ...options });
  try { await body(gateway); } finally { await gateway.finish(); }
}
async function withIssuer(body, more) {
  const issuer = await Issuer.start();
  try {
    await within(issuer.settings(more), async (gateway) => {
      await until(() => gateway.logs('the keys of an issuer are here').length > 0, 'the keys');
      await body(gateway, issuer);
    });
  } finally { issuer.stop(); }
}
const call = (gateway, token, headers = {}) =>
  gateway.chat('gpt-echo', 'hello', {}, { headers: { authorization: `Bearer ${token}`, ...headers } });
async function refused(gateway, token, why) {
  const response = await call(gateway, token);
  const body = await response.json();
  assert.equal(response.status, 401, JSON.stringify(body));
  assert.match(body.error.message, why);
  assert.match(response.headers.get('www-authenticate'), /^Bearer resource_metadata="https:\/\/gateway\.example\.com\/\.well-known\/oauth-protected-resource", error="invalid_token"/);
}

test('tokens of oidc-provider are accepted, and its keys may be rotated while we run', async () => {
  const start = async (port) => {
    const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
    const key = { ...await jose.exportJWK(privateKey), kid: randomUUID(), use: 'sig', alg: 'RS256' };
    const server = http.createServer((request, response) => server.handle(request, response));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
      jwks: { keys: [key] },
      clients: [{ client_id: 'nightly', client_secret: 'a-secret-of-the-test', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({ scope: 'infer', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'RS256' } } }),
        },
      },
    });
    server.handle = provider.callback();
    return { server, issuer, stop: () => { server.closeAllConnections(); server.close(); return once(server, 'close'); } };
  };
  const token = async (issuer) => {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST', headers: { authorization: `Basic ${Buffer.from('nightly:a-secret-of-the-test').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'infer' }) });
    return (await response.json()).access_token;
  };
  let provider = await start(0);
  const settings = ['identity:', `  resource: ${resource}`, '  keys_least_interval: 300ms', '  issuers:', `    - {issuer: "${provider.issuer}"}`].join('\n');
  try {
    await within(settings, async (gateway) => {
      await until(() => gateway.logs('the keys of an issuer are here').length > 0, 'the keys');
      const old = await token(provider.issuer);
      const first = await call(gateway, old);
      assert.equal(first.status, 200, await first.clone().text());
      const { actor } = gateway.entry(first.headers.get('gatehouse-entry'));
      assert.equal(actor.kind, 'service');
      assert.equal(actor.id, 'nightly');
      assert.equal(actor.credential, 'access_token');

      const port = new URL(provider.issuer).port;
      await provider.stop();
      provider = await start(Number(port));
      await sleep(400);
      assert.equal((await call(gateway, await token(provider.issuer))).status, 200);
      await refused(gateway, old, /key .* that its issuer has not/);  // its key is gone
    });
  } finally { await provider.stop(); }
});

test('forged tokens are refused, each with its reason', () => withIssuer(async (gateway, issuer) => {
  const key = issuer.keys[0];
  const good = await issuer.token();
  assert.equal((await call(gateway, good)).status, 200);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = (header) => `${encode({ kid: key.kid, typ: 'at+jwt', ...header })}.${encode(issuer.claims({ sub: 'root' }))}`;

  await refused(gateway, `${unsigned({ alg: 'none' })}.`, /algorithm "none"/);
  for (const format of ['pem', 'jwk']) {
    const secret = format === 'pem' ? await jose.exportSPKI(key.publicKey) : JSON.stringify(key.jwk);
    const text = unsigned({ alg: 'HS256' });
    await refused(gateway, `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`, /algorithm "HS256"/);
  }
  // Another's key: named as the issuer's, brought along, or by an address.
  const { privateKey, publicKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const evil = { ...key, privateKey };
  await refused(gateway, await issuer.token({}, {}, evil), /signature of the token is wrong/);
  await refused(gateway, await issuer.token({}, { jwk: await jose.exportJWK(publicKey) }, evil), /"jwk" is not accepted/);
  await refused(gateway, await issuer.token({}, { jku: 'https://evil.example/keys' }, evil), /"jku" is not accepted/);
  await refused(gateway, await issuer.token({}, { kid: '../../dev/null' }, evil), /that its issuer has not/);
  await refused(gateway, await issuer.token({}, { kid: "' OR 1=1 --" }, evil), /that its issuer has not/);

  // A token that shares its beginning, or all but the last character, with one that was accepted.
  const [header, , signature] = good.split('.');
  await refused(gateway, `${header}.${encode(issuer.claims({ sub: 'root' }))}.${signature}`, /signature of the token is wrong/);
  const last = good.at(-1) === 'A' ? 'Q' : 'A';
  await refused(gateway, good.slice(0, -1) + last, /signature of the token is wrong|canonical/);

  const now = Math.floor(Date.now() / 1000);
  await refused(gateway, await issuer.token({ exp: now - 60 }), /expired at/);
  await refused(gateway, await issuer.token({ nbf: now + 600 }), /not valid before/);
  await refused(gateway, await issuer.token({ aud: 'https://other.example.com' }), /for somebody else/);
  await refused(gateway, await issuer.token({ aud: `${resource}/` }), /for somebody else/);
  await refused(gateway, await issuer.token({ aud: `${resource}/mcp/docs` }), /for \/mcp\/docs alone/);
  await refused(gateway, await issuer.token({ iss: `${issuer.url}/` }), /issuer that is not trusted/);
  await refused(gateway, await issuer.token({}, { typ: 'JWT' }), /type "jwt"/);
  await refused(gateway, await issuer.token({ sub: undefined }), /no claim "sub"/);
}));

test('a token for one endpoint holds there, nowhere else, and nothing follows from it', () => withIssuer(async (gateway, issuer) => {
  const token = await issuer.token({ aud: `${resource}/mcp` });
  const list = () => fetch(`${gateway.url}/mcp`, { method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' } });
  assert.notEqual((await list()).status, 401);
  await refused(gateway, token, /for \/mcp alone/);
  const exchanged = await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }) });
  assert.equal(exchanged.status, 400);
  assert.match((await exchanged.json()).error_description, /for \/mcp alone/);
}));

test('who a token speaks for is in the event, with its groups and attributes', () => withIssuer(async (gateway, issuer) => {
  const response = await call(gateway, await issuer.token());
  const { actor } = gateway.entry(response.headers.get('gatehouse-entry'));
  assert.deepEqual({ kind: actor.kind, id: actor.id, groups: actor.groups, attributes: actor.attributes },
    { kind: 'user', id: 'ada', groups: ['staff'], attributes: { department: 'research' } });
  await gateway.stop();
  const replayed = succeed(cli('audit', 'replay', gateway.ledger, response.headers.get('gatehouse-entry')));
  assert.match(replayed.stdout, /same/);
}));

test('keys of the issuer are rotated live, and unknown kids cannot hammer it', () => withIssuer(async (gateway, issuer) => {
  const old = await issuer.token();
  assert.equal((await call(gateway, old)).status, 200);
  await issuer.rotate('ES256');
  await sleep(350);
  assert.equal((await call(gateway, await issuer.token())).status, 200);
  await refused(gateway, old, /that its issuer has not/);
  const before = issuer.fetched;
  await sleep(350);
  for (let at = 0; at < 50; ++at) await call(gateway, await issuer.token({}, { kid: `unknown-${at}` }));
  assert.ok(issuer.fetched - before <= 5, `${issuer.fetched - before} fetches for 50 unknown kids`);
}));

test('where tokens come from is served before anything else', () => withIssuer(async (gateway, issuer) => {
  const metadata = await (await fetch(`${gateway.url}/.well-known/oauth-protected-resource`)).json();
  assert.equal(metadata.resource, resource);
  assert.deepEqual(metadata.authorization_servers, [issuer.url]);
  const below = await (await fetch(`${gateway.url}/.well-known/oauth-protected-resource/mcp`)).json();
  assert.equal(below.resource, `${resource}/mcp`);
  const response = await fetch(`${gateway.url}/v1/models`);
  assert.equal(response.status, 401);
  assert.equal(response.headers.get('www-authenticate'), `Bearer resource_metadata="${resource}/.well-known/oauth-protected-resource"`);
}));

// ---- delegation -----------------------------------------------------------------------------

const exchange = (gateway, form, headers = {}) => fetch(`${gateway.url}/oauth2/token`, {
  method: 'POST', headers,
  body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    ...form.actor_token ? { actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' } : {}, ...form }) });
const tokenCommand = (input, ...args) => spawnSync(binary, ['token', ...args], { input, encoding: 'utf8' });

test('an agent acts for a user by token exchange, a sub-agent by a token nobody was asked for', () => withIssuer(async (gateway, issuer) => {
  const agent = createKey(gateway, 'agent:helper').key;
  const response = await exchange(gateway, { subject_token: await issuer.token(), actor_token: agent, scope: 'model:gpt-echo clearance:1', expires_in: '60' });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.equal(answer.scope, 'model:gpt-echo clearance:1');
  assert.ok(answer.expires_in <= 60);

  const narrowed = succeed(tokenCommand(answer.access_token, 'attenuate', '--actor', 'reader', '--expires', '30s')).stdout.trim();
  const used = await call(gateway, narrowed);
  assert.equal(used.status, 200, await used.clone().text());
  const { actor } = gateway.entry(used.headers.get('gatehouse-entry'));
  assert.equal(`${actor.kind}:${actor.id}`, 'agent:helper/reader');
  assert.deepEqual(actor.chain, ['agent:helper', 'user:ada']);
  assert.deepEqual(actor.scope.models, ['gpt-echo']);
  assert.equal(actor.scope.clearance, 1);
  assert.equal(actor.credential, 'delegation');

  // Its root is a JWT anybody can verify with the published key.
  const root = narrowed.split('~')[0];
  const { payload } = await jose.jwtVerify(root, jose.createRemoteJWKSet(new URL(`${gateway.url}/.well-known/jwks.json`)), { issuer: resource, audience: resource });
  assert.equal(payload.sub, 'user:ada');
  assert.deepEqual(payload.act, { sub: 'agent:helper' });

  // Wider, shortened, with another's tail: refused.
  const wider = tokenCommand(narrowed, 'attenuate', '--model', 'gpt-tools');
  assert.equal(wider.status, 1);
  assert.match(wider.stderr, /names more than what it narrows/);
  const [, , tail] = narrowed.split('~');
  await refused(gateway, `${root}~${tail}`, /not the one its last part names/);
  await refused(gateway, `${narrowed.slice(0, -4)}AAAA`, /not the one its last part names|malformed/);

  // By the id of a block, within a second, and with it all that is below.
  const { ids } = JSON.parse(succeed(tokenCommand(narrowed, 'inspect')).stdout);
  succeed(gateway.cli('token', 'revoke', ids[0]));
  await refused(gateway, narrowed, /revoked/);
  await refused(gateway, answer.access_token, /revoked/);
  assert.equal(gateway.entries(['--type', 'delegation.issued']).length, 1);
}));

test('what an exchange does not give', () => withIssuer(async (gateway, issuer) => {
  const subject_token = await issuer.token();
  const agent = createKey(gateway, 'agent:helper').key;
  const no = async (form, code) => {
    const response = await exchange(gateway, form);
    const body = await response.json();
    assert.equal(response.status, 400, JSON.stringify(body));
    assert.equal(body.error, code, body.error_description);
  };
  await no({ subject_token: `${subject_token.slice(0, -4)}AAAA`, actor_token: agent }, 'invalid_request');
  await no({ subject_token, actor_token: 'gh_nobody00_abcdefghijklmnopqrstuvwxyzabcdef' }, 'invalid_request');
  await no({ subject_token, actor_token: agent, audience: 'https://other.example.com' }, 'invalid_target');
  await no({ subject_token, actor_token: agent, scope: 'everything' }, 'invalid_scope');
  await no({ subject_token, actor_token: agent, grant_type: 'password' }, 'unsupported_grant_type');
  await no({ subject_token, actor_token: agent, expires_in: '99999999' }, 'invalid_request');
  const narrow = (await (await exchange(gateway, { subject_token, actor_token: agent, scope: 'model:gpt-echo' })).json()).access_token;
  await no({ subject_token: narrow, scope: 'model:gpt-echo model:gpt-tools' }, 'invalid_scope');
  await no({ subject_token, actor_token: narrow }, 'invalid_request');  // an actor speaks for itself
}));

test('a suspended user is out, and so is whoever acts for it', () => withIssuer(async (gateway, issuer) => {
  const agent = createKey(gateway, 'agent:helper').key;
  const token = await issuer.token();
  const delegated = (await (await exchange(gateway, { subject_token: token, actor_token: agent })).json()).access_token;
  for (const credential of [token, delegated, agent]) assert.equal((await call(gateway, credential)).status, 200);
  succeed(gateway.cli('principal', 'suspend', 'user:ada'));
  const started = Date.now();
  await refused(gateway, token, /suspended/);
  await refused(gateway, delegated, /suspended/);
  assert.ok(Date.now() - started < 1_000);
  assert.equal((await call(gateway, agent)).status, 200);
  succeed(gateway.cli('principal', 'restore', 'user:ada'));
  assert.equal((await call(gateway, token)).status, 200);
  succeed(cli('audit', 'reconcile', gateway.ledger));
}));

test('what policies forbid a person they forbid who acts for them', async () => {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'], settings: 'policies: policies\n' });
  succeed(cli('policy', 'init', path.join(site.folder, 'policies')));
  writeFileSync(path.join(site.folder, 'policies', '60-own.cedar'), `
@id("not-for-contractors")
@advice("Contractors do not ask models.")
forbid (principal, action == Gatehouse::Action::"infer", resource)
when { principal has team && principal.team == "contractors" };`);
  const gateway = await Gateway.run(site);
  try {
    const ada = createKey(gateway, 'user:ada', '--attribute', 'team=contractors').key;
    const bob = createKey(gateway, 'user:bob', '--attribute', 'clearance=internal').key;
    const agent = createKey(gateway, 'agent:helper', '--attribute', 'clearance=restricted').key;
    const token = async (form) => (await (await exchange(gateway, form)).json()).access_token;
    const own = await token({ subject_token: ada });
    const narrowed = succeed(tokenCommand(own, 'attenuate', '--actor', 'reader')).stdout.trim();
    const delegated = await token({ subject_token: ada, actor_token: agent });
    const handed = await token({ subject_token: delegated, actor_token: createKey(gateway, 'agent:other').key });
    for (const credential of [ada, own, narrowed, delegated, handed]) {
      const answer = await call(gateway, credential);
      assert.equal(answer.status, 403);
      assert.match(await answer.text(), /not-for-contractors/);
    }
    assert.equal((await call(gateway, agent)).status, 200);
    // Nor does an agent read for somebody what they may not: theirs is the least clearance of all.
    succeed(gateway.cli('model', 'add', 'gpt-secret', '--provider', 'sim', '--upstream-model', 'simulator-echo', '--trust', 'internal', '--clearance', 'restricted'));
    const secret = (credential) => gateway.chat('gpt-secret', 'hello', {}, { headers: { authorization: `Bearer ${credential}` } });
    assert.equal((await secret(agent)).status, 200);
    const forBob = await token({ subject_token: bob, actor_token: agent });
    const denied = await secret(forBob);
    assert.equal(denied.status, 403);
    assert.match(await denied.text(), /no-model-above-clearance/);
    const asked = await call(gateway, forBob);
    assert.equal(asked.status, 200);
    const entries = [denied, asked].map((answer) => answer.headers.get('gatehouse-entry'));
    assert.deepEqual(gateway.entry(entries[1]).actor.subjects, [{ attributes: { clearance: 'internal' } }]);
    await gateway.stop();
    for (const entry of entries) assert.match(succeed(cli('audit', 'replay', gateway.ledger, entry)).stdout, /same/);
  } finally { await gateway.finish(); }
});

test('a token for one use works once', () => withIssuer(async (gateway) => {
  const minted = succeed(gateway.cli('token', 'mint', '--principal', 'agent:once', '--once')).stdout.trim();
  assert.equal((await call(gateway, minted)).status, 200);
  await refused(gateway, minted, /one use/);
  const wide = succeed(gateway.cli('token', 'mint', '--principal', 'agent:many')).stdout.trim();
  const sealed = succeed(tokenCommand(wide, 'seal')).stdout.trim();
  assert.equal((await call(gateway, sealed)).status, 200);
  assert.equal(tokenCommand(sealed, 'attenuate').status, 2);
}));

// ---- proof of possession ----------------------------------------------------------------------

async function proofKey() {
  const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  const prove = (token, more = {}) => new jose.SignJWT({
    htm: 'POST', htu: `${resource}/v1/chat/completions`, jti: randomUUID(),
    ath: createHash('sha256').update(token).digest('base64url'), ...more })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk }).setIssuedAt(more.iat).sign(privateKey);
  return { prove, jkt: await jose.calculateJwkThumbprint(jwk) };
}
const proven = (gateway, token, proof) => call(gateway, token, { authorization: `DPoP ${token}`, ...proof && { dpop: proof } });

test('a token bound to a key works with its proof only (DPoP)', () => withIssuer(async (gateway, issuer) => {
  const { prove, jkt } = await proofKey();
  const token = await issuer.token({ cnf: { jkt } });
  const proof = await prove(token);
  assert.equal((await proven(gateway, token, proof)).status, 200);
  const no = async (response, why) => {
    const answer = await response;
    assert.equal(answer.status, 401);
    assert.match((await answer.json()).error.message, why);
  };
  await no(proven(gateway, token, proof), /used before/);
  await no(proven(gateway, token), /no proof/);
  await no(call(gateway, token), /send it as DPoP/);
  await no(proven(gateway, token, await prove(token, { htm: 'GET' })), /another method/);
  await no(proven(gateway, token, await prove(token, { htu: `${resource}/v1/models` })), /another address/);
  await no(proven(gateway, token, await prove('another token')), /another token/);
  await no(proven(gateway, token, await prove(token, { iat: Math.floor(Date.now() / 1000) - 120 })), /just now/);
  await no(proven(gateway, token, await (await proofKey()).prove(token)), /another key/);
}));

test('a nonce is asked for where it is configured', () => withIssuer(async (gateway, issuer) => {
  const { prove, jkt } = await proofKey();
  const token = await issuer.token({ cnf: { jkt } });
  const first = await proven(gateway, token, await prove(token));
  assert.equal(first.status, 401);
  assert.match(first.headers.get('www-authenticate'), /^DPoP .*error="use_dpop_nonce"/);
  const nonce = first.headers.get('dpop-nonce');
  assert.equal((await proven(gateway, token, await prove(token, { nonce }))).status, 200);
}, '  dpop_nonce: true'));

test('an exchange takes a proof only with good credentials, and with the nonce', () => withIssuer(async (gateway, issuer) => {
  const { prove } = await proofKey();
  const htu = `${resource}/oauth2/token`;
  const subject_token = await issuer.token();
  const first = await exchange(gateway, { subject_token }, { dpop: await prove('', { htu, ath: undefined }) });
  assert.equal(first.status, 400);
  assert.equal((await first.json()).error, 'use_dpop_nonce');
  const nonce = first.headers.get('dpop-nonce');
  const proof = await prove('', { htu, ath: undefined, nonce });
  const stranger = await exchange(gateway, { subject_token: 'gh_nobody00_abcdefghijklmnopqrstuvwxyzabcdef' }, { dpop: proof });
  assert.equal((await stranger.json()).error, 'invalid_request');
  const good = await exchange(gateway, { subject_token }, { dpop: proof });
  const answer = await good.json();
  assert.equal(good.status, 200, JSON.stringify(answer));
  assert.equal(answer.token_type, 'DPoP');
  const again = await exchange(gateway, { subject_token }, { dpop: proof });
  assert.equal((await again.json()).error, 'invalid_dpop_proof');
}, '  dpop_nonce: true'));

test('a revocation by what is signed holds for every signature of it', () => withIssuer(async (gateway, issuer) => {
  await issuer.rotate('ES256');
  await sleep(350);
  const token = await issuer.token({ jti: undefined });
  assert.equal((await call(gateway, token)).status, 200);
  const [header, claims, signature] = token.split('.');
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const bytes = Buffer.from(signature, 'base64url');
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = `${header}.${claims}.${Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]).toString('base64url')}`;
  assert.equal((await call(gateway, twin)).status, 200);
  succeed(gateway.cli('token', 'revoke', createHash('sha256').update(`${header}.${claims}`).digest('hex')));
  for (const one of [token, twin]) await refused(gateway, one, /revoked/);
}));

// ---- certificates -------------------------------------------------------------------------------

test('a workload comes by its X.509-SVID', async () => {
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'] });
  const at = (name) => path.join(site.folder, name);
  const openssl = (...args) => { const done = spawnSync('openssl', args, { encoding: 'utf8' }); assert.equal(done.status, 0, done.stderr); };
  const authority = (name) => openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-days', '2', '-subj', `/CN=${name}`);
  const leaf = (name, names, usage = 'digitalSignature', by = 'ca') => {
    writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\nkeyUsage=critical,${usage}\n`);
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`);
    openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`), '-CAcreateserial', '-days', '1', '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`));
  };
  authority('ca');
  authority('other');
  leaf('server', 'IP:127.0.0.1');
  leaf('agent', 'URI:spiffe://example.org/agents/helper');
  leaf('two', 'URI:spiffe://example.org/a,URI:spiffe://example.org/b');
  leaf('foreign', 'URI:spiffe://other.org/a');
  leaf('signer', 'URI:spiffe://example.org/a', 'digitalSignature,keyCertSign');
  leaf('stranger', 'URI:spiffe://example.org/agents/helper', 'digitalSignature', 'other');
  writeFileSync(site.config, `${readFileSync(site.config, 'utf8')}\ntls: {certificate: server.pem, key: server.key, client_ca: ca.pem}\n` +
    'identity: {certificates: {trust_domains: [example.org], agents: [/agents]}}\n');
  const gateway = await Gateway.run(site);
  const ask = (name) => new Promise((done, failed) => {
    const request = https.request({
      host: '127.0.0.1', port: gateway.port, path: '/v1/models', ca: readFileSync(at('ca.pem')), agent: false,
      ...name && { cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)) } }, (response) => {
      let text = '';
      response.on('data', (bytes) => { text += bytes; });
      response.on('end', () => done({ status: response.statusCode, text, entry: response.headers['gatehouse-entry'] }));
    });
    request.on('error', failed);
    request.end();
  });
  try {
    const served = await ask('agent');
    assert.equal(served.status, 200, served.text);
    const { actor } = gateway.entry(served.entry);
    assert.equal(actor.kind, 'agent');
    assert.equal(actor.id, 'spiffe://example.org/agents/helper');
    assert.equal(actor.credential, 'certificate');
    for (const [name, why] of [['two', /exactly one URI/], ['foreign', /trust domain/], ['signer', /authority/], [null, /No API key/]]) {
      const answer = await ask(name);
      assert.equal(answer.status, 401, `${name}: ${answer.text}`);
      assert.match(answer.text, why);
    }
    await assert.rejects(ask('stranger'));  // its chain leads elsewhere: no handshake
    succeed(gateway.cli('principal', 'suspend', 'agent:spiffe://example.org/agents/helper'));
    assert.equal((await ask('agent')).status, 401);
  } finally { await gateway.finish(); }
});

// ---- several nodes --------------------------------------------------------------------------------

test('what one node revokes counts on the other within a second; without an answer tokens are refused', () => withIssuer(async (first, issuer) => {
  const second = Gateway.prepare({ simulator, only: ['gpt-echo'],
    settings: `${issuer.settings()}  peers: ["${first.url}"]\n  peers_stale_after: 1s\nsecret: {file: ${first.data}/secret}` });
  const node = await Gateway.run(second);
  try {
    await until(() => node.logs('the keys of an issuer are here').length > 0, 'the keys');
    const agent = createKey(first, 'agent:helper').key;
    const token = await issuer.token();
    const delegated = (await (await exchange(first, { subject_token: token, actor_token: agent })).json()).access_token;
    for (const credential of [token, delegated]) assert.equal((await call(node, credential)).status, 200);
    const { ids } = JSON.parse(succeed(tokenCommand(delegated, 'inspect')).stdout);
    succeed(first.cli('token', 'revoke', ids[0]));
    await sleep(1_000);
    await refused(node, delegated, /revoked/);
    assert.equal((await call(node, token)).status, 200);
    succeed(first.cli('principal', 'suspend', 'user:ada'));
    await sleep(1_000);
    await refused(node, token, /suspended/);
    assert.equal((await fetch(`${first.url}/.well-known/gatehouse-revocations?nonce=${'a'.repeat(32)}`, { headers: { authorization: `Gatehouse-Peer ${'b'.repeat(64)}` } })).status, 401);

    succeed(first.cli('principal', 'restore', 'user:ada'));
    await until(async () => (await call(node, token)).status === 200, 'ada to be back');
    first.signal('SIGSTOP');
    try {
      await sleep(3_500);
      await refused(node, token, /cannot be checked/);
      const grace = createKey(node, 'user:grace').key;
      assert.equal((await call(node, grace)).status, 200);  // a key of this node's own
    } finally { first.process.kill('SIGCONT'); }
    await until(async () => (await call(node, token)).status === 200, 'the other node to answer');
  } finally { await node.finish(); }
}));
