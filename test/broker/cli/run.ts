import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { porthole } from '@porthole/broker/cli/porthole';
import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { aUser, brokerToken, usersFile } from '../rig.ts';

/** A folder with a configuration in front of a simulated cluster, and the `porthole` command in it. */
export interface CommandFolder {
  run(...args: string[]): Promise<{ code: number; out: string; err: string }>;
  /** `rules`: the YAML of `access`. `more`: further lines of the configuration. */
  configure(rules: string, more?: string): Promise<void>;
  remove(): Promise<void>;
}

export async function createCommandFolder(
  fake: FakeProxmox,
  users = usersFile(aUser('anna', 'class-a')),
): Promise<CommandFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-command-'));
  await writeFile(join(folder, 'ca.pem'), fake.caPem);
  await writeFile(join(folder, 'users.yaml'), users);
  return {
    async run(...args) {
      let [out, err] = ['', ''];
      const code = await porthole(args, {
        stdin: Readable.from([]),
        stdout: { write: (text) => (out += text) },
        stderr: { write: (text) => (err += text) },
        env: { PORTHOLE_CONFIG: 'porthole.yaml' },
        cwd: folder,
        exit: () => {},
      });
      return { code, out, err };
    },
    configure: (rules, more = '') =>
      writeFile(
        join(folder, 'porthole.yaml'),
        `clusters:
  - name: school
    urls: ['${fake.url()}']
    credential: { token: ${brokerToken.tokenid}, secret: ${brokerToken.secret} }
    tls: { caFile: ca.pem }
signIn: { local: { usersFile: users.yaml } }
access:${rules}${more}`,
      ),
    remove: () => rm(folder, { recursive: true }),
  };
}
