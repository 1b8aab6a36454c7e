// Builds the verifier written in Go (tlog/) and runs it. Needs Go 1.19 or newer: Debian's golang-go.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

function findGo() {
  for (const go of ['go', '/usr/local/go/bin/go']) {
    const found = spawnSync(go, ['env', 'GOVERSION'], { encoding: 'utf8' });
    const minor = Number(/^go1\.(\d+)/.exec(found.stdout ?? '')?.[1]);
    if (minor >= 19) return go;
  }
  return null;
}

// The path of the program, or null when there is no Go that can build it.
export function buildVerifier(folder) {
  const go = findGo();
  if (!go) return null;
  const program = path.join(folder, 'tlog');
  const built = spawnSync(go, ['build', '-mod=readonly', '-o', program, '.'],
    { cwd: path.join(here, 'tlog'), encoding: 'utf8', env: { ...process.env, GOFLAGS: '-buildvcs=false' } });
  if (built.status !== 0) throw new Error(`go build:\n${built.stderr}`);
  return program;
}

// Beside this process, which may be serving what it reads.
export function runVerifier(program, ...args) {
  return new Promise((done, refuse) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => { text += piece; });
    child.on('error', refuse);
    child.on('exit', (status) => done({ status, text: text.trim() }));
  });
}
