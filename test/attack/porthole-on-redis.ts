import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { constantSecret } from '@porthole/shared/config/secret';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import { createLog } from '@porthole/shared/telemetry/log';
import type { Browser } from '../broker/browser.ts';
import { aUser, brokerToken, closeBrokers, startBroker, usersFile, type Rig } from '../broker/rig.ts';
import { eventually } from '../eventually.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';
import type { RfbClient } from '../fakes/guests/rfb-client.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import type { ConsoleClient } from '../relay/console-client.ts';
import { createRelayRig, grantKey, relayToken, type RelayRig } from '../relay/rig.ts';

/** A user with a name that base64 and hexadecimal digits do not contain by accident. */
export const userName = 'anna.example@school';

/** A broker and a relay that share a real Redis, and an attacker's connection to it. */
export interface PortholeOnRedis {
  readonly attacker: Redis;
  readonly relay: RelayRig;
  readonly broker: Rig;
  readonly clock: FakeClock;
  /** Opens a console as the page does: grant from the broker, WebSocket to the relay. */
  openAs(browser: Browser): Promise<OpenedConsole>;
  /** Opens a console that has to stay usable whatever happens to Redis. */
  startHonest(): Promise<void>;
  /** Lets time pass, so that everything periodic happens, and checks that the honest console is still usable. */
  expectHonestUsable(): Promise<void>;
  /** Opens another console: whether it opened, or its close code. Time goes on meanwhile. */
  tryToOpen(): Promise<'open' | number>;
  /** Asks the broker for everything: it reports no internal error. Returns the statuses. */
  expectNoInternalError(browser: Browser): Promise<number[]>;
  /** All strings in Redis, by key. */
  strings(): Promise<Map<string, string>>;
  /** Keys of all leases, in pairs. */
  leases(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface OpenedConsole {
  readonly id: string;
  readonly token: string;
  readonly client: ConsoleClient;
  readonly rfb: RfbClient;
}

export async function startPortholeOnRedis(): Promise<PortholeOnRedis> {
  const redis = await startRedisServer();
  const attacker = new Redis(redis.url);
  const clock = createFakeClock(Date.now());
  const log = createLog({ service: 'test', level: 'silent' });
  const storeFor = () =>
    createRedisStore({ redis: { mode: 'standalone', url: redis.url }, keys: () => [grantKey], log });
  const brokerStore = storeFor();
  await brokerStore.start();
  const relay = await createRelayRig({
    clock,
    store: storeFor(),
    proxmox: {
      users: [
        {
          userid: 'porthole@pve',
          password: 'unused',
          acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit', 'Pool.Audit'] },
        },
      ],
      tokens: [
        { tokenid: relayToken.id, secret: relayToken.secret, privsep: false },
        { ...brokerToken, privsep: false },
      ],
    },
  });
  const broker = await startBroker({
    clock,
    store: brokerStore,
    proxmox: [{ name: 'lab', fake: relay.proxmox }],
    users: constantSecret(usersFile(aUser(userName, 'class-of-anna'), aUser('ben'))),
    config: { grantKeys: constantSecret(grantKey) },
  });
  const clients: ConsoleClient[] = [];
  let honest: Pick<OpenedConsole, 'client' | 'rfb'> | undefined;

  /** Lets time pass on the relay, while the honest console is in use. */
  async function pass(ms: number): Promise<void> {
    clock.advance(ms);
    if (!honest) throw new Error('There is no honest console.');
    honest.rfb.requestUpdate(false);
    await honest.rfb.nextUpdate();
  }

  async function keysOfType(type: string): Promise<string[]> {
    const keys = await attacker.keys('porthole:*');
    const types = await Promise.all(keys.map((key) => attacker.type(key)));
    return keys.filter((_, i) => types[i] === type).toSorted();
  }

  return {
    attacker,
    relay,
    broker,
    clock,
    async openAs(browser) {
      const { json } = await browser.post('/api/v1/consoles/lab/100/grants', { mode: 'control' });
      const token = String(json.protocols[1]).slice('porthole.grant.'.length);
      const client = relay.connect({ token });
      clients.push(client);
      return { id: json.id, token, client, rfb: await client.rfb() };
    },
    async startHonest() {
      const limits = { sessionSeconds: 1e6, idleSeconds: 1e6, perUser: 100, perMachine: 100 };
      const client = await relay.open({
        limits,
        loginRef: 'honest',
        user: { id: 'h', name: 'h', groups: [] },
      });
      clients.push(client);
      honest = { client, rfb: await client.rfb() };
    },
    async expectHonestUsable() {
      for (let step = 0; step < 8; step++) await pass(5000);
      expect(honest?.client.socket.readyState).toBe(WebSocket.OPEN);
    },
    async tryToOpen() {
      // Where no grant can be issued, one that does not exist shows what the relay makes of it.
      const token = await relay.mint().catch(() => 'A'.repeat(43));
      const client = relay.connect({ token });
      const result: ('open' | number)[] = [];
      client.rfb().then(
        () => result.push('open'),
        () => {},
      );
      void client.closed.then(({ code }) => result.push(code));
      while (result.length === 0) await pass(1000);
      const [outcome = 0] = result;
      client.socket.terminate();
      return outcome;
    },
    async expectNoInternalError(browser) {
      const answers = [
        await browser.get('/api/v1/me'),
        await browser.get('/api/v1/me/logins'),
        await browser.get('/api/v1/consoles'),
        await browser.get('/api/v1/sessions'),
        await browser.post('/api/v1/consoles/lab/100/grants', { mode: 'control' }),
      ];
      for (const { status, text } of answers) {
        expect([200, 201, 401, 429, 503]).toContain(status);
        expect(text).not.toContain('local:ben');
      }
      expect(broker.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
      return answers.map(({ status }) => status);
    },
    async strings() {
      const keys = await keysOfType('string');
      return new Map(
        await Promise.all(keys.map(async (key) => [key, (await attacker.get(key)) ?? ''] as const)),
      );
    },
    leases: () => keysOfType('zset'),
    async stop() {
      for (const client of clients) client.close();
      await eventually('no console is left', () => relay.proxmox.openConsoles() === 0);
      await closeBrokers();
      await relay.stop();
      await brokerStore.stop();
      attacker.disconnect();
      await redis.stop();
    },
  };
}
