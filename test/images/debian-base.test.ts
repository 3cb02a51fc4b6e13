import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './dockerfile.ts';

/**
 * Runs k8s/images/debian-base.sh as documented. Programs in `bin` replace debootstrap, which needs root and a mirror, and
 * docker, which needs a daemon: the first creates an empty root file system, the second lists what it imports.
 */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-debian-base-'));
  mkdirSync(join(folder, 'bin'));
  program(
    'debootstrap',
    `echo "$*" >"${folder}/debootstrap"
     while [ "$#" -gt 2 ]; do shift; done
     mkdir -p "$1/etc/ssl/certs" "$1/usr/local/bin" "$1/usr/local/lib" "$1/var/cache/apt" "$1/var/log"
     touch "$1/var/log/bootstrap.log"`,
  );
  program(
    'docker',
    `for name in "$@"; do :; done; echo "$*" >"${folder}/$name.command"; tar -tv >"${folder}/$name"`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string): void {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\nset -eu\n${script}\n`, { mode: 0o755 });
}

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(script, args, {
    cwd: tmpdir(),
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}` },
  });
  return { status, output: stdout + stderr };
}

const script = join(root, 'k8s/images/debian-base.sh');
const imported = (name: string) => readFileSync(join(folder, name), 'utf8');

test('creates a base image with Node.js and npm, and one without, from any working directory', () => {
  expect(run(script, 'bookworm', 'http://mirror.example.org/debian')).toEqual({ status: 0, output: '' });
  expect(readFileSync(join(folder, 'debootstrap'), 'utf8')).toMatch(
    /^--variant=minbase --include=ca-certificates,libstdc\+\+6 bookworm \S+ http:\/\/mirror\.example\.org\/debian$/m,
  );
  expect(imported('porthole-build-base')).toMatch(/^-rwxr-xr-x .* \.\/usr\/local\/bin\/node$/m);
  expect(imported('porthole-build-base')).toContain('./usr/local/lib/node_modules/npm/bin/npm-cli.js');
  expect(imported('porthole-build-base')).toContain(
    './usr/local/bin/npm -> ../lib/node_modules/npm/bin/npm-cli.js',
  );
  expect(imported('porthole-build-base.command')).toContain(
    'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt',
  );
  expect(imported('porthole-run-base')).not.toMatch(/node|npm|bootstrap\.log/);
}, 60_000);

test('names the problem if `npm ci` has not run', () => {
  const copy = join(folder, 'checkout/k8s/images/debian-base.sh');
  cpSync(script, copy);
  expect(run(copy)).toEqual({
    status: 1,
    output: `There is no Node.js in ${join(folder, 'checkout')}/node_modules. Run npm ci.\n`,
  });
});
