import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { aUser, brokerToken, usersFile } from '../rig.ts';
import { runPorthole, type CommandResult } from './run-porthole.ts';

/** A folder with a configuration in front of a simulated cluster, and the `porthole` command in it. */
export interface CommandFolder {
  run(...args: string[]): Promise<CommandResult>;
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
    run: (...args) => runPorthole(args, folder),
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
