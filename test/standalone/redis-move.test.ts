import { spawnSync } from 'node:child_process';
import { grantKeysOf } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import type { Store } from '@porthole/shared/store/ports';
import { createLog } from '@porthole/shared/telemetry/log';
import { brokerToken, closeBrokers, startBroker } from '../broker/rig.ts';
import { shownCommands } from '../docs/commands.ts';
import { eventually } from '../eventually.ts';
import type { FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { latestResumeToken } from '../relay/session/resume-rig.ts';
import { createRelayRig, grantKey, relayToken } from '../relay/rig.ts';

/** docs/redis.md, "Move to another Redis": with two real servers, and pods of both configurations. */
const log = createLog({ service: 'test', level: 'silent' });
const password = 'the password of the old Redis';
const redisCommands = shownCommands()
  .filter(({ page, line }) => page === 'docs/redis.md' && line.startsWith('redis-cli'))
  .map(({ line }) => line);

afterAll(closeBrokers);

/** Runs a documented command with the addresses of the test. */
function run(line: string, from: RedisServer, to: RedisServer): string {
  const command = line
    .replace('-h redis.example.org', `-p ${to.port}`)
    .replace('porthole-valkey.consoles.svc 6379', `127.0.0.1 ${from.port}`);
  const { status, stdout } = spawnSync('sh', ['-ec', command], {
    encoding: 'utf8',
    env: { ...process.env, PASSWORD: password },
  });
  expect({ command, status }).toEqual({ command, status: 0 });
  return stdout;
}

async function copy(from: RedisServer, to: RedisServer): Promise<void> {
  const [setPassword = '', replicate = '', show = '', promote = ''] = redisCommands;
  expect(run(setPassword, from, to)).toBe('OK\n');
  expect(run(replicate, from, to)).toBe('OK\n');
  await eventually('the copy is complete', () => run(show, from, to).includes('master_link_status:up'));
  expect(run(promote, from, to)).toBe('OK\n');
}

async function connectTo(redis: RedisServer): Promise<Store> {
  const store = createRedisStore({
    redis: { mode: 'standalone', url: redis.url },
    keys: grantKeysOf(constantSecret(grantKey)),
    log,
  });
  await store.start();
  return store;
}

const startBrokerWith = (store: Store, fake: FakeProxmox) =>
  startBroker({
    store,
    proxmox: [{ name: 'lab', fake }],
    config: { grantKeys: constantSecret(grantKey) },
  });

describeWith('redis')('when the address of Redis changes', () => {
  test.each(['with a copy', 'without a copy'] as const)(
    '%s, users and consoles get what docs/redis.md says',
    async (way) => {
      expect(redisCommands).toHaveLength(4);
      const old = await startRedisServer({ password });
      const next = await startRedisServer();
      const stores = [await connectTo(old), await connectTo(next)] as const;
      const rights = ['VM.Console', 'VM.Audit', 'Sys.Audit'] as const;
      const oldRelay = await createRelayRig({
        store: stores[0],
        proxmox: {
          users: [{ userid: 'porthole@pve', password: 'x', acl: { '/': [...rights] } }],
          tokens: [
            { tokenid: relayToken.id, secret: relayToken.secret, privsep: false },
            { ...brokerToken, privsep: false },
          ],
        },
      });
      const newRelay = await createRelayRig({ sharedWith: oldRelay, store: stores[1] });
      try {
        const oldBroker = await startBrokerWith(stores[0], oldRelay.proxmox);
        const newBroker = await startBrokerWith(stores[1], oldRelay.proxmox);
        const anna = await oldBroker.signedIn('anna');
        const console = await oldRelay.open({ sessionId: 'the-session' });
        await console.rfb();
        const token = await latestResumeToken(console);
        const copied = way === 'with a copy';
        if (copied) await copy(old, next);
        const ben = await oldBroker.signedIn('ben');

        // The page's next requests reach new pods.
        const sameBrowser = newBroker.browser();
        sameBrowser.cookie = anna.cookie;
        expect((await sameBrowser.get('/api/v1/me')).status).toBe(copied ? 200 : 401);
        console.close();
        const resumed = newRelay.connect({ token });
        if (copied) {
          await resumed.rfb();
          expect(
            (await sameBrowser.post('/api/v1/consoles/lab/100/grants', { mode: 'control' })).status,
          ).toBe(201);
          resumed.close();
        } else expect((await resumed.closed).code).toBe(4401);

        // A sign-in after the copy is known only to old pods.
        expect((await ben.get('/api/v1/me')).status).toBe(200);
        const bensBrowser = newBroker.browser();
        bensBrowser.cookie = ben.cookie;
        expect((await bensBrowser.get('/api/v1/me')).status).toBe(401);
      } finally {
        await newRelay.stop();
        await oldRelay.stop();
        await Promise.all([closeBrokers(), stores[1].stop()]);
        await old.stop();
        await next.stop();
      }
    },
    60_000,
  );
});
