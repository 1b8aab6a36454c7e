// A transparency log, its proofs and its signatures in a few lines of JavaScript, from the C2SP
// documents and RFC 6962 alone: what the tests hold the binary against.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';

export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
export const originHash = (origin) => sha256(origin).toString('hex');
const leaf = (entry) => sha256(Buffer.from([0]), entry);
const node = (left, right) => sha256(Buffer.from([1]), left, right);

function split(size) {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

// RFC 6962 section 2.1, over leaf hashes.
export function rootOf(leaves) {
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return node(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

// RFC 6962 section 2.1.2.
export function consistencyProof(from, leaves) {
  const sub = (m, part, complete) => {
    if (m === part.length) return complete ? [] : [rootOf(part)];
    const k = split(part.length);
    if (m <= k) return [...sub(m, part.slice(0, k), complete), rootOf(part.slice(k))];
    return [...sub(m - k, part.slice(k), false), rootOf(part.slice(0, k))];
  };
  return from === 0 || from === leaves.length ? [] : sub(from, leaves, true);
}

export const leavesOf = (entries) => entries.map((entry) => leaf(Buffer.from(entry)));

const keyId = (name, type, key) => sha256(name, '\n', Buffer.from([type]), key).subarray(0, 4);

// A log that signs whatever it is told to.
export class SigningLog {
  constructor(origin, seedByte = 1) {
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seedByte)]);
    this.origin = origin;
    this.secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    this.key = Buffer.from(createPublicKey(this.secret).export({ format: 'jwk' }).x, 'base64url');
    this.id = keyId(origin, 1, this.key);
    this.vkey = `${origin}+${this.id.toString('hex')}+${Buffer.concat([Buffer.from([1]), this.key]).toString('base64')}`;
    this.hash = originHash(origin);
  }
  checkpoint(size, root) {
    const text = `${this.origin}\n${size}\n${root.toString('base64')}\n`;
    return `${text}\n— ${this.origin} ${Buffer.concat([this.id, sign(null, Buffer.from(text), this.secret)]).toString('base64')}\n`;
  }
  // The body that takes these entries to a witness that knows `old` of them.
  request(old, entries) {
    const leaves = leavesOf(entries);
    return request(old, old <= leaves.length ? consistencyProof(old, leaves) : [], this.checkpoint(leaves.length, rootOf(leaves)));
  }
}

export function request(old, proof, checkpoint) {
  return [`old ${old}`, ...proof.map((hash) => hash.toString('base64')), '', checkpoint].join('\n');
}

export function parseCheckpoint(note) {
  const cut = note.lastIndexOf('\n\n');
  const text = note.slice(0, cut + 1);
  const [origin, size, root] = text.split('\n');
  const signatures = note.slice(cut + 2).split('\n').filter(Boolean).map((line) => {
    const [, name, bytes] = /^— (\S+) (\S+)$/.exec(line);
    const blob = Buffer.from(bytes, 'base64');
    return { name, id: blob.subarray(0, 4), blob: blob.subarray(4) };
  });
  return { text, origin, size: Number(size), root, signatures };
}

// Verifies what the key (a vkey of type 1 or 4) signed in the note; gives the time of a cosignature.
export function verifySignature(note, vkey) {
  const [name, id, ...rest] = vkey.split('+');
  const encoded = rest.join('+');  // base64 may hold a plus itself
  const bytes = Buffer.from(encoded, 'base64');
  const [type, key] = [bytes[0], bytes.subarray(1)];
  if (!keyId(name, type, key).equals(Buffer.from(id, 'hex'))) throw new Error('the key id is wrong');
  const { text, signatures } = parseCheckpoint(note);
  const found = signatures.find((one) => one.name === name && one.id.equals(Buffer.from(id, 'hex')));
  if (!found) throw new Error(`no signature by ${name}`);
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }, format: 'jwk' });
  const time = type === 4 ? Number(found.blob.readBigUInt64BE(0)) : 0;
  const message = type === 4 ? `cosignature/v1\ntime ${time}\n${text}` : text;
  const signature = type === 4 ? found.blob.subarray(8) : found.blob;
  if (!verify(null, Buffer.from(message), publicKey, signature)) throw new Error(`the signature by ${name} does not hold`);
  return time;
}
