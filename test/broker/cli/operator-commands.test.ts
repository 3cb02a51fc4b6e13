import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import type { Store } from '@porthole/shared/store/ports';
import { startRedisServer, type RedisServer } from '../../fakes/redis-server.ts';
import { describeWith } from '../../needs.ts';
import { createRelayRig, grantKey as relayKey, relayToken, type RelayRig } from '../../relay/rig.ts';
import { aUser, usersFile } from '../rig.ts';
import { runPorthole } from './run-porthole.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthole-operator-'));
});
afterEach(() => rm(folder, { recursive: true }));

const run = (...args: string[]) => runPorthole(args, folder, { USER: 'root' });

async function configure(different: object): Promise<void> {
  await writeFile(join(folder, 'users.yaml'), usersFile(aUser('anna', 'class-a')));
  const config = {
    publicUrl: 'http://localhost:8080',
    relayUrl: 'ws://localhost:8080/relay/v1/console',
    clusters: [{ name: 'lab', urls: 'https://127.0.0.1:1', credential: { token: 'a@pve!b', secret: 'x' } }],
    signIn: { local: { usersFile: 'users.yaml' } },
    access: [{ who: { groups: ['class-a'] }, which: { vmids: [100] }, allow: ['control'] }],
    audit: { to: 'file', file: join(folder, 'audit.jsonl') },
    ...different,
  };
  await writeFile(join(folder, 'porthole.yaml'), JSON.stringify(config));
}

test.each([
  ['sessions', 'list'],
  ['sessions', 'end', '--user', 'x'],
  ['grant', '--user', 'x', '--machine', '1'],
])('without Redis, %s %s fails and names the reason', async (...args) => {
  await configure({});
  const { code, out, err } = await run(...args);
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(/no Redis\..* in memory/);
});

describeWith('redis')('commands for operators', () => {
  let redis: RedisServer;
  let store: Store;
  let rig: RelayRig;

  beforeEach(async () => {
    redis = await startRedisServer();
    store = createRedisStore({
      redis: { mode: 'standalone', url: redis.url },
      keys: () => [relayKey],
      log: createLog({ service: 'test', level: 'silent' }),
    });
    rig = await createRelayRig({ store }); // starts the store, too
    await writeFile(join(folder, 'ca.pem'), rig.proxmox.caPem);
    await configure({
      redis: { url: redis.url },
      grantKeys: relayKey,
      clusters: [
        {
          name: 'lab',
          urls: rig.proxmox.url(),
          credential: { token: relayToken.id, secret: relayToken.secret },
          tls: { caFile: 'ca.pem' },
        },
      ],
    });
  });
  afterEach(async () => {
    await rig.stop();
    await store.stop();
    await redis.stop();
  });

  const audited = async () =>
    (await readFile(join(folder, 'audit.jsonl'), 'utf8').catch(() => ''))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('sessions list shows open consoles, and replaces control characters in names', async () => {
    expect((await run('sessions', 'list')).out).toBe('No console is open.\n');
    const client = await rig.open({ machineName: 'lab\u001b[2J' });
    await client.rfb();
    const { code, out } = await run('sessions', 'list');
    expect(code).toBe(0);
    expect(out).toMatch(/^SESSION +USER +MACHINE/);
    expect(out).toContain('lab/100');
    expect(out).not.toContain('\u001b');
    const json = JSON.parse((await run('sessions', 'list', '--json')).out) as object[];
    expect(json).toMatchObject([{ machine: { cluster: 'lab', vmid: 100 }, mode: 'control', kind: 'screen' }]);
    client.close();
  });

  test('a session ID that begins with a dash is not an option', async () => {
    const { code, err } = await run('sessions', 'end', '--session', '-begins-with-a-dash');
    expect([code, err]).toEqual([1, expect.stringContaining('There is no session -begins-with-a-dash.')]);
  });

  test.each(['session', 'user', 'machine'])(
    'sessions end --%s closes the console at its relay, and is in the audit log',
    async (kind) => {
      const client = await rig.open();
      await client.rfb();
      const listed = JSON.parse((await run('sessions', 'list', '--json')).out) as {
        id: string;
        user: { id: string };
      }[];
      const refs: Record<string, string> = {
        session: listed[0]?.id ?? '',
        user: listed[0]?.user.id ?? '',
        machine: 'lab/100',
      };
      const { code, out } = await run('sessions', 'end', `--${kind}`, refs[kind] ?? '');
      expect([code, out]).toEqual([0, 'Ending 1 console.\n']);
      expect((await client.closed).reason).toMatch(/ended/i);
      expect(await audited()).toMatchObject([
        {
          event: 'termination_ordered',
          service: 'cli',
          by: { name: 'root' },
          target: { kind, ref: refs[kind] },
          consoles: 1,
        },
      ]);
    },
  );

  test.each([
    ['a missing session', 1, ['--session', 'none']],
    ['no target', 2, []],
    ['two targets', 2, ['--user', 'a', '--session', 'b']],
    ['a machine without a cluster', 2, ['--machine', '100']],
  ])('sessions end refuses %s', async (_, code, args) => {
    expect(await run('sessions', 'end', ...args)).toMatchObject({ code, out: '' });
    expect(await audited()).toEqual([]);
  });

  test('grant opens the console once, and is in the audit log', async () => {
    const { code, out } = await run('grant', '--user', 'anna', '--machine', 'lab/100', '--json');
    expect(code).toBe(0);
    const facts = JSON.parse(out) as { url: string; protocols: string[]; origin: string };
    expect(facts.url).not.toContain('grant');
    const token = facts.protocols[1]?.replace('porthole.grant.', '') ?? '';
    const client = rig.connect({ token });
    await client.rfb();
    const again = rig.connect({ token });
    expect((await again.closed).code).toBe(4401);
    const [event] = await audited();
    expect(event).toMatchObject({
      event: 'grant',
      user: { name: 'anna' },
      mode: 'control',
      machine: { vmid: 100 },
    });
    expect(JSON.stringify(event)).not.toContain(token);
    client.close();
  });

  test('grant follows the access rules', async () => {
    const { code, out, err } = await run('grant', '--user', 'anna', '--groups', '', '--machine', 'lab/100');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('No access rule permits this');
    expect((await run('grant', '--user', 'anna', '--machine', 'lab/999')).err).toContain(
      'There is no machine',
    );
    expect((await run('grant', '--user', 'anna', '--machine', 'lab/100', '--mode', 'all')).code).toBe(2);
  });

  test('report that Redis does not answer', async () => {
    await redis.kill();
    const { code, err } = await run('sessions', 'list');
    expect(code).toBe(1);
    expect(err).toContain('run porthole doctor');
  });
});
