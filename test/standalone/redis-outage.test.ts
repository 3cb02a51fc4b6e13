import { sleep, systemClock } from '@porthole/shared/time/clock';
import { grantKeysOf } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import { createSessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createLog } from '@porthole/shared/telemetry/log';
import { brokerToken, closeBrokers, startBroker } from '../broker/rig.ts';
import { eventually } from '../eventually.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { createRelayRig, grantKey, relayToken } from '../relay/rig.ts';

/** Longer than any call waits, shorter than the lifetime of a console's records in Redis. Redis has its own clock, so it is real time. */
const awayMs = 20_000;

afterAll(closeBrokers);

describeWith('redis')('during a Redis outage of twenty seconds', () => {
  // Concurrent, because these tests mostly wait.
  test.concurrent.each(['hangs', 'restarts with its data'] as const)(
    'because Redis %s, no console ends, and users stay signed in',
    async (what) => {
      const redis = await startRedisServer({
        config: what === 'hangs' ? [] : ['appendonly yes', 'appendfsync always'],
      });
      const log = createLog({ service: 'test', level: 'silent' });
      const keys = grantKeysOf(constantSecret(grantKey));
      let failures = 0;
      const stores = [0, 1].map(() =>
        createRedisStore({
          redis: { mode: 'standalone', url: redis.url },
          keys,
          log,
          onFailure: () => void failures++,
        }),
      );
      const [relayStore, brokerStore] = stores;
      if (!relayStore || !brokerStore) throw new Error('There are two stores.');
      await brokerStore.start(); // the relay starts its own
      const rights = ['VM.Console', 'VM.Audit', 'Sys.Audit'] as const;
      const relay = await createRelayRig({
        store: relayStore,
        proxmox: {
          users: [{ userid: 'porthole@pve', password: 'x', acl: { '/': [...rights] } }],
          tokens: [
            { tokenid: relayToken.id, secret: relayToken.secret, privsep: false },
            { ...brokerToken, privsep: false },
          ],
        },
      });
      try {
        const rig = await startBroker({
          store: brokerStore,
          proxmox: [{ name: 'lab', fake: relay.proxmox }],
          // The test requests grants until the relay is connected again.
          config: { grantKeys: constantSecret(grantKey), limits: { grantsPerMinute: 1_000_000 } },
        });
        const anna = await rig.signedIn('anna');
        const cookie = anna.cookie;
        expect([await rig.broker.readiness(), await relay.relay.readiness()]).toEqual([[], []]);
        const client = await relay.open({ sessionId: 'the-session' });
        const rfb = await client.rfb();
        const carries = async () => {
          rfb.requestUpdate(false);
          await rfb.nextUpdate();
        };
        await carries();

        if (what === 'hangs') redis.pause();
        else await redis.kill();
        const back = sleep(systemClock, awayMs);
        // Not 401, because the page would ask the user to sign in.
        expect((await anna.get('/api/v1/me')).json.code).toBe('store_unavailable');
        const grant = await anna.post('/api/v1/consoles/lab/100/grants', { mode: 'control' });
        expect([grant.status, grant.json.code]).toEqual([503, 'store_unavailable']);
        await carries();
        await back;
        await carries();
        expect((await anna.get('/api/v1/consoles')).status).toBe(503);
        expect(failures).toBeGreaterThan(0);
        // Other pods would not be ready either.
        expect(await rig.broker.readiness()).toEqual([]);
        expect(await relay.relay.readiness()).toEqual([]);

        if (what === 'hangs') redis.resume();
        else await redis.restart();
        await eventually(
          'anna is still signed in',
          async () => (await anna.get('/api/v1/me')).status === 200,
        );
        expect(anna.cookie).toBe(cookie);
        expect(client.socket.readyState).toBe(client.socket.OPEN);
        await carries();
        const sessions = createSessionRecords({ ...brokerStore, keys, random: systemRandom });
        await eventually('the console is on the list', async () =>
          (await sessions.list(leaseNames.allSessions)).some(({ sessionId }) => sessionId === 'the-session'),
        );
        // The relay reconnects separately. Pages retry, too.
        await eventually('a new console opens', async () => {
          const again = await anna.post('/api/v1/consoles/lab/100/grants', { mode: 'control' });
          if (again.status !== 201) return false;
          const another = relay.connect({
            token: String(again.json.protocols[1]).slice('porthole.grant.'.length),
          });
          const opened = await another.rfb().catch(() => undefined);
          another.close();
          return opened !== undefined;
        });
        client.close();
      } finally {
        redis.resume();
        await relay.stop();
        await Promise.all(stores.map((store) => store.stop()));
        await redis.stop();
      }
    },
    120_000,
  );
});
