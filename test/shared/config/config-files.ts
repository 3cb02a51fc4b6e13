import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ConfigError, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';

export type Environment = Record<string, string | undefined>;

export const grantKey = 'k'.repeat(32);

/** A folder for each test, with a users file. */
export function configFolder() {
  let folder = '';
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-config-'));
    write('users.yaml', 'users: []');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  return {
    folder: () => folder,
    write,
    /** Writes the file and reads the configuration. */
    read(file: Record<string, unknown> | string, env: Environment = {}): Config {
      write('porthole.yaml', typeof file === 'string' ? file : stringify(file));
      return readConfig({ PORTHOLE_CONFIG: 'porthole.yaml', ...env }, folder);
    },
  };
}

/** The required settings, with overrides. */
export function settings(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    clusters: [aCluster()],
    signIn: { local: { usersFile: 'users.yaml' } },
    ...overrides,
  };
}

export function aCluster(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    urls: 'https://pve1:8006',
    credential: { token: 'porthole@pve!relay', secret: 'token secret' },
    ...overrides,
  };
}

/** The issues of the ConfigError that `reading` throws. */
export function issuesOf(reading: () => unknown): readonly string[] {
  try {
    reading();
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

/** The required environment variables, with overrides. */
export function environment(overrides: Environment = {}): Environment {
  return {
    PORTHOLE_PROXMOX_URL: 'https://pve1:8006',
    PORTHOLE_PROXMOX_TOKEN: 'porthole@pve!relay',
    PORTHOLE_PROXMOX_TOKEN_SECRET: 'token secret',
    PORTHOLE_USERS_FILE: 'users.yaml',
    ...overrides,
  };
}

export const tokenOf = ({ clusters }: Config) => {
  const credential = clusters[0]?.credential;
  if (credential?.kind !== 'token') throw new Error('It is not a token.');
  return credential;
};
