import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findingKinds, type FindingKind } from '@porthole/broker/cli/doctor/findings';
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
} from '../../fakes/proxmox/fake-proxmox.ts';
import { startRedisServer, type RedisServer, type RedisServerOptions } from '../../fakes/redis-server.ts';
import { everyPrivilege } from '../../fakes/proxmox/acl.ts';
import { aUser, brokerToken, someGuests, usersFile } from '../rig.ts';
import { runPorthole } from './run-porthole.ts';

const grantKey = 'k'.repeat(40);
const secrets = [brokerToken.secret, grantKey, 'password of redis'];

export interface DoctorResult {
  readonly code: number;
  readonly text: string;
  readonly found: readonly { readonly kind: FindingKind; readonly where: string; readonly what: string }[];
}

export const kinds = ({ found }: DoctorResult) => found.map(({ kind }) => kind);

/**
 * What the doctor examines: a configuration in a folder, a cluster, and optionally a Redis. Each test has its own, and
 * must start the cluster.
 */
export function useDoctor() {
  let folder: string;
  let fake: FakeProxmox;
  let redis: RedisServer | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'porthole-doctor-'));
    await writeFile(join(folder, 'users.yaml'), usersFile(aUser('anna')));
  });
  afterEach(async () => {
    await fake.close();
    await redis?.stop();
    redis = undefined;
    await rm(folder, { recursive: true });
  });

  /** Starts the cluster, with other options if given. */
  async function aCluster(options: FakeProxmoxOptions = {}): Promise<FakeProxmox> {
    fake = await createFakeProxmox({
      unauthorizedDelayMs: 0,
      statusRefreshMs: 0,
      users: [{ userid: 'porthole@pve', password: 'unused', acl: { '/': everyPrivilege } }],
      tokens: [{ ...brokerToken, privsep: false }],
      guests: someGuests,
      ...options,
    });
    await writeFile(join(folder, 'ca.pem'), fake.caPem);
    return fake;
  }

  /** A cluster of a valid configuration. */
  const clusterOf = (different: object = {}) => ({
    name: 'lab',
    urls: [fake.url('pve1'), fake.url('pve2')],
    nodes: Object.fromEntries(fake.nodes.map(({ name, url }) => [name, url])),
    credential: { token: brokerToken.tokenid, secret: brokerToken.secret },
    tls: { caFile: 'ca.pem' },
    ...different,
  });

  /** Starts a Redis in place of the one that runs, if any. */
  async function aRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
    await redis?.stop();
    redis = await startRedisServer(options);
    return redis;
  }

  async function runDoctor(different: object = {}, args: readonly string[] = []): Promise<DoctorResult> {
    const config = {
      publicUrl: 'https://porthole.example',
      grantKeys: grantKey,
      ...(redis ? { redis: { url: redis.url } } : {}),
      clusters: [clusterOf()],
      signIn: { local: { usersFile: 'users.yaml' } },
      access: [{ who: { everyone: true }, which: { all: true }, allow: ['control', 'power'] }],
      ...different,
    };
    await writeFile(join(folder, 'porthole.yaml'), JSON.stringify(config));
    const run = async (...more: readonly string[]) => {
      const { code, out, err } = await runPorthole(['doctor', ...args, ...more], folder);
      return { code, text: out + err };
    };
    const { code, text } = await run();
    const json = await run('--json');
    expect(json.code).toBe(code);
    for (const secret of secrets) expect(text + json.text).not.toContain(secret);
    const { findings } = JSON.parse(json.text) as { findings: DoctorResult['found'] };
    for (const { kind } of findings) expect(text).toContain(findingKinds[kind].remedy);
    return { code, text, found: findings };
  }

  return {
    aCluster,
    aRedis,
    clusterOf,
    runDoctor,
    /** The path of a file in the folder. */
    pathOf: (name: string) => join(folder, name),
    writeInFolder: (name: string, text: string) => writeFile(join(folder, name), text),
  };
}
