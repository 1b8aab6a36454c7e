// The OCSF schema compiled from its sources into a validator: classes with what they inherit,
// profiles, objects, enumerations, required attributes, constraints and types. An attribute that the
// class does not have, or has only with a profile the event does not name, is an error. For tests.
//
// How the schema says it: a class or object `extends` another and adds or overrides attributes;
// `$include` takes the attributes of a profile, which then count only where the event's
// metadata.profiles names it, unless the class says "profile": null. Types, arrays and the base of
// every enumeration are in dictionary.json.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

function merge(base, over) {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = isObject(value) && isObject(merged[key]) ? merge(merged[key], value) : value;
  }
  return merged;
}

function readTree(folder, files = new Map(), prefix = '') {
  for (const name of readdirSync(folder)) {
    const full = path.join(folder, name);
    if (statSync(full).isDirectory()) readTree(full, files, `${prefix}${name}/`);
    else if (name.endsWith('.json')) files.set(prefix + name, JSON.parse(readFileSync(full, 'utf8')));
  }
  return files;
}

// The schema in an archive as it is published, or null where it is not there.
export function openSchema(archive) {
  if (!existsSync(archive)) return null;
  const folder = mkdtempSync(path.join(tmpdir(), 'ocsf-'));
  try {
    const done = spawnSync('tar', ['xzf', archive, '-C', folder], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`tar: ${done.stderr}`);
    return new Schema(readTree(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export class Schema {
  constructor(files) {
    this.files = files;
    this.version = files.get('version.json').version;
    this.dictionary = files.get('dictionary.json');
    this.types = this.dictionary.types.attributes;
    this.categories = files.get('categories.json').attributes;
    this.profiles = new Map();
    const sources = { events: new Map(), objects: new Map() };
    for (const [name, content] of files) {
      if (name.startsWith('profiles/')) this.profiles.set(content.name, content);
      for (const kind of ['events', 'objects'])
        if (name.startsWith(`${kind}/`)) sources[kind].set(content.name ?? path.basename(name, '.json'), content);
    }
    this.resolved = new Map();
    this.sources = sources;
    this.classes = new Map();
    for (const name of sources.events.keys()) {
      const event = this.resolve('events', name);
      const category = this.categories[event.category]?.uid ?? 0;
      event.category_uid = category;
      event.class_uid = category * 1000 + (event.uid ?? 0);
      if (event.uid !== undefined || name === 'base_event') this.classes.set(event.class_uid, event);
    }
  }

  included(attributes) {
    const { $include: includes = [], ...own } = attributes;
    let all = {};
    for (const file of includes) {
      const profile = this.files.get(file);
      if (!profile) throw new Error(`the schema includes ${file}, which is not there`);
      for (const [name, attribute] of Object.entries(profile.attributes))
        all[name] = merge(attribute, { profile: attribute.profile === undefined ? profile.name : attribute.profile });
    }
    return merge(all, own);
  }

  resolve(kind, name) {
    const key = `${kind}/${name}`;
    if (this.resolved.has(key)) return this.resolved.get(key);
    const source = this.sources[kind].get(name);
    if (!source) throw new Error(`the schema has no ${key}`);
    const own = { ...source, attributes: this.included(source.attributes ?? {}) };
    let whole = own;
    if (source.extends) {
      const base = this.resolve(kind, source.extends);
      whole = merge(base, own);
      whole.profiles = [...new Set([...(base.profiles ?? []), ...(own.profiles ?? [])])];
    }
    this.resolved.set(key, whole);
    return whole;
  }

  attribute(owner, name) {
    const own = owner.attributes[name];
    const base = this.dictionary.attributes[name];
    if (!own || !base) return null;
    const whole = merge(base, own);
    if (own.type) whole.type = own.type;
    return whole;
  }

  // All that is wrong with an event, as texts; empty when it is right.
  validate(event) {
    const problems = [];
    const say = (where, what) => problems.push(`${where}: ${what}`);
    if (!isObject(event)) return ['an event is an object'];
    const type = this.classes.get(event.class_uid);
    if (!type) return [`class_uid: ${event.class_uid} is no class of OCSF ${this.version}`];
    const profiles = new Set(event.metadata?.profiles ?? []);
    const allowed = new Set(type.profiles ?? []);
    for (const profile of profiles)
      if (!allowed.has(profile)) say('metadata.profiles', `${type.name} has no profile ${profile}`);
    this.checkObject(event, type, '', profiles, say);
    if (event.metadata?.version !== this.version) say('metadata.version', `${event.metadata?.version} is not ${this.version}`);
    if (event.category_uid !== type.category_uid) say('category_uid', `${event.category_uid} is not ${type.category_uid}`);
    if (event.type_uid !== event.class_uid * 100 + event.activity_id) say('type_uid', `${event.type_uid} is not class_uid * 100 + activity_id`);
    if (event.class_name !== undefined && event.class_name !== type.caption) say('class_name', `${event.class_name} is not ${type.caption}`);
    const category = Object.values(this.categories).find((one) => one.uid === type.category_uid)?.caption ?? 'Uncategorized';
    if (event.category_name !== undefined && event.category_name !== category) say('category_name', `${event.category_name} is not ${category}`);
    const activity = this.attribute(type, 'activity_id').enum[event.activity_id]?.caption;
    if (event.type_name !== undefined && event.type_name !== `${type.caption}: ${activity}`) say('type_name', `${event.type_name} is not "${type.caption}: ${activity}"`);
    return problems;
  }

  checkObject(value, type, where, profiles, say) {
    const at = (name) => (where ? `${where}.${name}` : name);
    const usable = (attribute) => !attribute.profile || profiles.has(attribute.profile);
    for (const name of Object.keys(value)) {
      const attribute = this.attribute(type, name);
      if (!attribute) { say(at(name), `${type.name} has no such attribute`); continue; }
      if (!usable(attribute)) { say(at(name), `needs the profile ${attribute.profile}`); continue; }
      if (attribute['@deprecated']) say(at(name), 'is deprecated');
      this.checkAttribute(value, name, attribute, at(name), profiles, say);
    }
    for (const name of Object.keys(type.attributes)) {
      const attribute = this.attribute(type, name);
      if (attribute?.requirement === 'required' && usable(attribute) && value[name] === undefined) say(at(name), 'is required');
    }
    const present = (names) => names.filter((name) => value[name] !== undefined).length;
    const { at_least_one: some, just_one: one } = type.constraints ?? {};
    if (some && present(some) === 0) say(where || type.name, `needs at least one of ${some.join(', ')}`);
    if (one && present(one) !== 1) say(where || type.name, `needs just one of ${one.join(', ')}`);
  }

  checkAttribute(owner, name, attribute, where, profiles, say) {
    const value = owner[name];
    if (attribute.is_array) {
      if (!Array.isArray(value)) { say(where, 'is a list in the schema'); return; }
      value.forEach((item, i) => this.checkValue(item, attribute, `${where}[${i}]`, profiles, say));
    } else {
      this.checkValue(value, attribute, where, profiles, say);
    }
    // The name beside a number: severity beside severity_id. With 99 it is the source's own word.
    const sibling = attribute.sibling;
    if (!attribute.enum || !sibling || owner[sibling] === undefined || value === 99) return;
    const caption = attribute.enum[value]?.caption;
    if (caption !== undefined && owner[sibling] !== caption) say(where, `${value} is called ${caption}, not ${owner[sibling]}`);
  }

  checkValue(value, attribute, where, profiles, say) {
    const classUid = ['class_uid', 'category_uid'].includes(where);  // compared as a whole
    if (attribute.enum && !classUid && !(String(value) in attribute.enum)) say(where, `${JSON.stringify(value)} is not in the enumeration`);
    if (attribute.type.endsWith('_t')) { this.checkType(value, attribute.type, where, say); return; }
    if (!isObject(value)) { say(where, `is an object (${attribute.type}) in the schema`); return; }
    if (attribute.type === 'object') return;  // free
    this.checkObject(value, this.resolve('objects', attribute.type), where, profiles, say);
  }

  checkType(value, name, where, say) {
    const type = this.types[name];
    if (!type) { say(where, `the schema has no type ${name}`); return; }
    if (name === 'json_t') return;
    const base = type.type ?? name;
    const whole = () => Number.isSafeInteger(value);
    const right = { string_t: () => typeof value === 'string', boolean_t: () => typeof value === 'boolean',
      integer_t: () => whole() && Math.abs(value) <= 2 ** 31, long_t: whole, float_t: () => typeof value === 'number' }[base];
    if (!right) { say(where, `no rule for the type ${name}`); return; }
    if (!right()) { say(where, `${JSON.stringify(value)} is no ${name}`); return; }
    if (type.max_len && value.length > type.max_len) say(where, `longer than ${type.max_len}`);
    if (type.regex && !new RegExp(type.regex).test(value)) say(where, `${JSON.stringify(value)} does not match ${name}`);
    if (type.range && (value < type.range[0] || value > type.range[1])) say(where, `${value} is outside ${type.range.join(' to ')}`);
  }
}
