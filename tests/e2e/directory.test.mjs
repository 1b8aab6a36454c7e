// A directory provisions users and groups (SCIM 2.0): a plain HTTP client that sends the bodies Okta and Entra ID document.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Gateway, Simulator, cli, createKey, sleep, succeed } from './harness.mjs';

// What a group of the directory decides here.
const policy = `
@id("only-research-asks")
@advice("Only the group research may ask.")
forbid (principal is Gatehouse::User, action == Gatehouse::Action::"infer", resource)
unless { principal in Gatehouse::Group::"research" };
@id("no-accounting")
forbid (principal, action == Gatehouse::Action::"infer", resource)
when { principal.hasTag("department") && principal.getTag("department") == "Accounting" };
`;
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';

let simulator, gateway;
const keys = {};
before(async () => {
  simulator = await Simulator.start();
  const site = Gateway.prepare({ simulator, only: ['gpt-echo'], settings: 'policies: policies\n' });
  succeed(cli('policy', 'init', path.join(site.folder, 'policies')));
  writeFileSync(path.join(site.folder, 'policies', '60-own.cedar'), policy);
  gateway = await Gateway.run(site);
  keys.directory = createKey(gateway, 'service:okta', '--attribute', 'role=directory').key;
  keys.administrator = createKey(gateway, 'user:root', '--attribute', 'role=administrator').key;
  keys.operator = createKey(gateway, 'user:olga', '--attribute', 'role=operator').key;
  for (const name of ['ada', 'bob', 'eve']) keys[name] = createKey(gateway, `user:${name}@example.org`).key;
});
after(async () => { await gateway?.finish(); await simulator?.stop(); });

async function scim(method, where, body, key = keys.directory) {
  const response = await fetch(`${gateway.url}/scim/v2${where}`, { method, headers: { authorization: `Bearer ${key}`, accept: 'application/scim+json',
    ...(body !== undefined && { 'content-type': 'application/scim+json; charset=utf-8' }) }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
}
const patch = (...Operations) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
const filtered = (kind, filter) => scim('GET', `/${kind}?filter=${encodeURIComponent(filter)}&startIndex=1&count=100`);
async function created(kind, body) {
  const answer = await scim('POST', `/${kind}`, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('location'), answer.body.meta.location);
  assert.match(answer.headers.get('content-type'), /^application\/scim\+json/);
  return answer.body;
}
const asks = async (key) => (await gateway.chat('gpt-echo', 'hello', {}, { headers: { authorization: `Bearer ${key}` } })).status;
// Okta's documented body of a new user.
const oktaUser = (name) => ({ schemas: [userSchema], userName: `${name}@example.org`, name: { givenName: name, familyName: 'Byron' },
  emails: [{ primary: true, value: `${name}@example.org`, type: 'work' }], displayName: `${name} Byron`, locale: 'en-US', externalId: `00u-${name}`,
  groups: [], password: '1mz050nq', active: true });

test('what the service can do is described', async () => {
  const { body: config } = await scim('GET', '/ServiceProviderConfig');
  assert.equal(config.patch.supported, true);
  assert.equal(config.bulk.supported, false);
  assert.equal((await scim('GET', '/ResourceTypes')).body.totalResults, 2);
  assert.equal((await scim('GET', '/ResourceTypes/User')).body.schema, userSchema);
  assert.deepEqual((await scim('GET', '/Schemas')).body.Resources.map(({ id }) => id), [userSchema, groupSchema, enterprise]);
  assert.equal((await scim('GET', `/Schemas/${enterprise}`)).body.name, 'EnterpriseUser');
  for (const where of ['/Nothing', '/Schemas/nothing', '/Users/nothing', '/Groups/nothing', '/']) assert.equal((await scim('GET', where)).status, 404, where);
  assert.equal((await scim('POST', '/ServiceProviderConfig', {})).status, 405);
});

test('Okta: a user comes, gets a group, leaves it, and is deactivated at once', async () => {
  const none = await filtered('Users', 'userName eq "ada@example.org"');
  assert.deepEqual([none.status, none.body.totalResults, none.body.Resources], [200, 0, []]);
  assert.equal(await asks(keys.ada), 403);
  const ada = await created('Users', oktaUser('ada'));
  assert.equal(ada.userName, 'ada@example.org');
  assert.equal(ada.password, undefined);
  const found = await filtered('Users', 'userName eq "ADA@example.org"');
  assert.equal(found.body.Resources[0].id, ada.id);
  const again = await scim('POST', '/Users', oktaUser('ada'));
  assert.deepEqual([again.status, again.body.scimType, again.body.status], [409, 'uniqueness', '409']);

  const group = await created('Groups', { schemas: [groupSchema], displayName: 'research', members: [] });
  assert.equal((await scim('PATCH', `/Groups/${group.id}`, patch({ op: 'add', path: 'members', value: [{ value: ada.id, display: 'ada@example.org' }] }))).status, 200);
  assert.equal(await asks(keys.ada), 200);
  const { actor } = gateway.entries(['--type', 'request.decided']).slice(-1)[0];
  assert.deepEqual(actor.groups, ['research']);
  assert.equal((await scim('GET', `/Users/${ada.id}`)).body.groups[0].display, 'research');
  assert.equal((await scim('PATCH', `/Groups/${group.id}`, patch({ op: 'replace', value: { id: group.id, displayName: 'renamed' } }))).status, 200);
  assert.equal(await asks(keys.ada), 403, 'another name is another group');
  assert.equal((await scim('PATCH', `/Groups/${group.id}`, patch({ op: 'replace', value: { id: group.id, displayName: 'research' } }))).status, 200);
  assert.equal(await asks(keys.ada), 200);
  assert.equal((await scim('PATCH', `/Groups/${group.id}`, patch({ op: 'remove', path: `members[value eq "${ada.id}"]` }))).status, 200);
  assert.equal(await asks(keys.ada), 403);
  assert.equal((await scim('PUT', `/Groups/${group.id}`, { schemas: [groupSchema], id: group.id, displayName: 'research', members: [{ value: ada.id, display: 'ada@example.org' }] })).status, 200);
  assert.equal(await asks(keys.ada), 200);

  assert.equal((await scim('PATCH', `/Users/${ada.id}`, patch({ op: 'replace', value: { active: false } }))).body.active, false);
  assert.equal(await asks(keys.ada), 401, 'no call begins any more');
  assert.equal((await scim('PUT', `/Users/${ada.id}`, { ...oktaUser('ada'), id: ada.id, active: true })).status, 200);
  assert.equal(await asks(keys.ada), 200);
});

test('Entra ID: text booleans, capital letters, a path into the extension', async () => {
  const bob = await created('Users', { schemas: [userSchema, enterprise], externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef', userName: 'bob@example.org', active: true,
    emails: [{ primary: true, type: 'work', value: 'bob@example.org' }], meta: { resourceType: 'User' }, name: { formatted: 'Bob', familyName: 'B', givenName: 'Bob' }, roles: [],
    [enterprise]: { department: 'Research' } });
  assert.equal(bob[enterprise].department, 'Research');
  assert.equal((await filtered('Users', 'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"')).body.Resources[0].id, bob.id);
  const listed = await scim('GET', `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "research"')}`);
  const [group] = listed.body.Resources;
  assert.equal(group.members, undefined);
  assert.equal((await scim('PATCH', `/Groups/${group.id}`, patch({ op: 'Add', path: 'members', value: [{ $ref: null, value: bob.id }] }))).status, 200);
  assert.equal((await filtered('Groups', `id eq "${group.id}" and members eq "${bob.id}"`)).body.totalResults, 1);
  assert.equal((await filtered('Groups', `id eq "${group.id}" and members eq "nobody"`)).body.totalResults, 0);
  assert.equal(await asks(keys.bob), 200);
  const changed = await scim('PATCH', `/Users/${bob.id}`, patch({ op: 'Replace', path: `${enterprise}:department`, value: 'Accounting' },
    { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updated@example.org' }, { op: 'Replace', path: 'name.familyName', value: 'Updated' }));
  assert.equal(changed.body[enterprise].department, 'Accounting');
  assert.equal(await asks(keys.bob), 403, 'policies see the department');
  assert.deepEqual(gateway.entries(['--type', 'request.decided']).slice(-1)[0].data.policies, ['no-accounting']);
  assert.equal((await scim('PATCH', `/Users/${bob.id}`, patch({ op: 'Replace', value: { [`${enterprise}:department`]: 'Research', displayName: 'Bob' } }))).status, 200);
  assert.equal(await asks(keys.bob), 200);
  assert.equal((await scim('PATCH', `/Users/${bob.id}`, patch({ op: 'Replace', path: 'active', value: 'False' }))).status, 200);
  assert.equal(await asks(keys.bob), 401);
  assert.equal((await scim('PATCH', `/Users/${bob.id}`, patch({ op: 'Replace', path: 'active', value: 'True' }))).status, 200);
  assert.equal((await scim('PATCH', `/Groups/${group.id}`, patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: bob.id }] }))).status, 200);
  assert.equal(await asks(keys.bob), 403);
});

test('who is deactivated or deleted: open tokens and who acts for them end too', async () => {
  const eve = await created('Users', oktaUser('eve'));
  const [{ id }] = (await filtered('Groups', 'displayName eq "research"')).body.Resources;
  await scim('PATCH', `/Groups/${id}`, patch({ op: 'add', path: 'members', value: [{ value: eve.id }] }));
  const agent = createKey(gateway, 'agent:helper').key;
  const { access_token: token } = await (await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: keys.eve, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    actor_token: agent, actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' }) })).json();
  assert.equal(await asks(token), 200);
  const since = Date.now();
  await scim('PATCH', `/Users/${eve.id}`, patch({ op: 'replace', value: { active: false } }));
  assert.equal(await asks(token), 401);
  assert.equal(await asks(keys.eve), 401);
  assert.ok(Date.now() - since < 1_000, 'within a second');
  await scim('PATCH', `/Users/${eve.id}`, patch({ op: 'replace', value: { active: true } }));
  assert.equal(await asks(token), 200);
  assert.equal((await scim('DELETE', `/Users/${eve.id}`)).status, 204);
  assert.equal(await asks(keys.eve), 401, 'a key is not better for being forgotten');
  assert.equal(await asks(token), 401);
  for (const [method, body] of [['GET'], ['DELETE'], ['PUT', oktaUser('eve')]]) assert.equal((await scim(method, `/Users/${eve.id}`, body)).status, 404);
  assert.equal((await filtered('Users', 'userName eq "eve@example.org"')).body.totalResults, 0);
  const back = await created('Users', oktaUser('eve'));
  assert.notEqual(back.id, eve.id);
  assert.equal(await asks(keys.eve), 403, 'active again, in no group');
});

test('pages, and what is refused', async () => {
  for (let at = 0; at < 7; ++at) await created('Users', { schemas: [userSchema], userName: `page-${at}@example.org` });
  const seen = new Set();
  for (let start = 1; ; start += 3) {
    const { body } = await scim('GET', `/Users?startIndex=${start}&count=3`);
    body.Resources.forEach(({ userName }) => seen.add(userName));
    assert.equal(body.startIndex, start);
    assert.equal(body.itemsPerPage, body.Resources.length);
    if (start + 3 > body.totalResults) { assert.equal(seen.size, body.totalResults); break; }
  }
  assert.deepEqual((await scim('GET', '/Users?count=0')).body.Resources, []);
  for (const [where, type] of [['/Users?filter=userName%20sw%20%22a%22', 'invalidFilter'], ['/Users?filter=userName', 'invalidFilter'], ['/Users?startIndex=x', 'invalidValue'], ['/Users?filter=%ff', 'invalidSyntax']]) {
    const answer = await scim('GET', where);
    assert.deepEqual([answer.status, answer.body.scimType], [400, type], where);
  }
  const [{ id }] = (await filtered('Groups', 'displayName eq "research"')).body.Resources;
  for (const operation of [{ op: 'add', path: 'members', value: [{ value: 'nobody' }] }, { op: 'remove' }, { op: 'move', path: 'members' }, { op: 'add', path: 'members[', value: [] }])
    assert.equal((await scim('PATCH', `/Groups/${id}`, patch(operation))).status, 400, JSON.stringify(operation));
  assert.equal((await scim('POST', '/Groups', { displayName: 'RESEARCH' })).status, 409);
  assert.equal((await scim('POST', '/Users', { schemas: [userSchema] })).status, 400);
  assert.equal((await scim('POST', '/Users', [])).status, 400);
  const deep = await fetch(`${gateway.url}/scim/v2/Groups`, { method: 'POST', headers: { authorization: `Bearer ${keys.directory}`, 'content-type': 'application/scim+json' },
    body: `{"displayName":"deep","members":${'['.repeat(100_000)}${']'.repeat(100_000)}}` });
  assert.equal(deep.status, 400);
  assert.equal((await fetch(`${gateway.url}/scim/v2/Users`, { method: 'POST', headers: { authorization: `Bearer ${keys.directory}`, 'content-type': 'text/plain' }, body: '{}' })).status, 400);
});

test('only who may manage identities provisions; a directory gives nobody a role here', async () => {
  for (const key of [keys.operator, keys.ada, keys.bob]) {
    assert.equal((await scim('GET', '/Users', undefined, key)).status, 403);
    assert.equal((await scim('POST', '/Users', oktaUser('mallory'), key)).status, 403);
  }
  assert.equal((await scim('GET', '/Users', undefined, 'gh_none')).status, 401);
  const [ada] = (await filtered('Users', 'userName eq "ada@example.org"')).body.Resources;
  const escalated = await scim('POST', '/Groups', { schemas: [groupSchema], displayName: 'gatehouse-administrators', members: [{ value: ada.id }] });
  assert.equal(escalated.status, 403);
  assert.match(JSON.stringify(escalated.body), /nobody-gives-what-they-lack/);
  const [{ id }] = (await filtered('Groups', 'displayName eq "research"')).body.Resources;
  assert.equal((await scim('PATCH', `/Groups/${id}`, patch({ op: 'replace', value: { displayName: 'gatehouse-\u0061dministrators' } }))).status, 403);
  // An administrator may; then ada is one, and her group is no longer the directory's to fill.
  const made = await scim('POST', '/Groups', { schemas: [groupSchema], displayName: 'gatehouse-administrators', members: [{ value: ada.id }] }, keys.administrator);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal((await fetch(`${gateway.url}/admin/keys`, { headers: { authorization: `Bearer ${keys.ada}` } })).status, 200);
  const [bob] = (await filtered('Users', 'userName eq "bob@example.org"')).body.Resources;
  assert.equal((await scim('PATCH', `/Groups/${made.body.id}`, patch({ op: 'add', path: 'members', value: [{ value: bob.id }] }))).status, 403);
  const renamed = await scim('PATCH', `/Users/${ada.id}`, patch({ op: 'replace', value: { userName: 'bob2@example.org' } }));
  assert.deepEqual([renamed.status, renamed.body.scimType], [400, 'mutability'], 'nobody becomes an administrator by a name');
  // An operator cannot take her name for a key.
  assert.equal((await fetch(`${gateway.url}/admin/keys`, { method: 'POST', headers: { authorization: `Bearer ${keys.operator}`, 'content-type': 'application/json' }, body: '{"principal":"user:ada@example.org"}' })).status, 403);
  const [denied] = gateway.entries(['--type', 'administration.decided']).slice(-1);
  assert.deepEqual(denied.data.roles, ['gatehouse-administrators']);
  // However the id is spelt, it is this group, and taking it away changes who has the role as well.
  const spelt = made.body.id.replaceAll('-', '%2D');
  for (const id of [spelt, `%3${spelt[0]}${spelt.slice(1)}`, made.body.id]) {
    assert.equal((await scim('PATCH', `/Groups/${id}`, patch({ op: 'add', path: 'members', value: [{ value: bob.id }] }))).status, 403, id);
    assert.equal((await scim('PUT', `/Groups/${id}`, { schemas: [groupSchema], displayName: 'harmless' })).status, 403, id);
    assert.equal((await scim('DELETE', `/Groups/${id}`)).status, 403, id);
  }
  assert.equal((await fetch(`${gateway.url}/admin/keys`, { headers: { authorization: `Bearer ${keys.bob}` } })).status, 403);
  // A directory suspends an administrator who leaves, and gives no role back.
  assert.equal((await scim('PATCH', `/Users/${ada.id}`, patch({ op: 'replace', value: { active: false } }))).status, 200);
  for (const id of [ada.id, ada.id.replaceAll('-', '%2D')])
    assert.equal((await scim('PATCH', `/Users/${id}`, patch({ op: 'replace', value: { active: true } }))).status, 403);
  assert.equal(await asks(keys.ada), 401);
  assert.equal((await scim('PATCH', `/Users/${ada.id}`, patch({ op: 'replace', value: { active: true } }), keys.administrator)).status, 200);
  assert.equal((await scim('DELETE', `/Groups/${made.body.id}`, undefined, keys.administrator)).status, 204);
  assert.equal((await fetch(`${gateway.url}/admin/keys`, { headers: { authorization: `Bearer ${keys.ada}` } })).status, 403);
});

test('a suspension is not lifted by another name, nor an operator\'s by the directory', async () => {
  const key = createKey(gateway, 'user:lea@example.org').key;
  const lea = await created('Users', oktaUser('lea'));
  assert.equal(await asks(key), 403, 'in no group');
  assert.equal((await scim('PATCH', `/Users/${lea.id}`, patch({ op: 'replace', value: { active: false } }))).status, 200);
  assert.equal(await asks(key), 401);
  assert.equal((await scim('PATCH', `/Users/${lea.id}`, patch({ op: 'replace', value: { userName: 'lea-left@example.org' } }))).status, 200);
  assert.equal(await asks(key), 401, 'the key of the old name');
  assert.equal((await scim('PATCH', `/Users/${lea.id}`, patch({ op: 'replace', value: { active: true, userName: 'lea@example.org' } }))).status, 200);
  assert.equal(await asks(key), 403);

  const administer = (where, by) => fetch(`${gateway.url}/admin/principals/${where}`, { method: 'POST',
    headers: { authorization: `Bearer ${by}`, 'content-type': 'application/json' }, body: '{"principal":"user:lea@example.org"}' });
  assert.equal((await administer('suspend', keys.directory)).status, 403);
  assert.equal((await administer('suspend', keys.administrator)).status, 200);
  assert.equal((await administer('restore', keys.directory)).status, 403);
  assert.equal((await fetch(`${gateway.url}/admin/revocations`, { headers: { authorization: `Bearer ${keys.directory}` } })).status, 403);
  for (const active of [false, true]) await scim('PATCH', `/Users/${lea.id}`, patch({ op: 'replace', value: { active } }));
  assert.equal(await asks(key), 401, 'still, and nobody but an administrator ends it');
  assert.equal((await administer('restore', keys.administrator)).status, 200);
  assert.equal(await asks(key), 403);
});

test('what is provisioned survives a kill and a database that is gone; no names of people are kept', async () => {
  const before = (await scim('GET', '/Users?count=200')).body;
  const groups = (await scim('GET', '/Groups')).body;
  await gateway.stop('SIGKILL');
  for (const name of readdirSync(gateway.data)) if (name.startsWith('state.db')) rmSync(path.join(gateway.data, name));
  gateway = await Gateway.run(gateway);
  assert.deepEqual((await scim('GET', '/Users?count=200')).body, before);
  assert.deepEqual((await scim('GET', '/Groups')).body, groups);
  assert.equal(await asks(keys.ada), 200);
  const text = JSON.stringify(gateway.entries());
  for (const content of ['Byron', '1mz050nq', 'updated@example.org']) assert.ok(!text.includes(content), content);
  await sleep(0);
});
