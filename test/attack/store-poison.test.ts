import { digest, storeKeys } from '@porthole/shared/store/keys';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { startPortholeOnRedis, userName, type PortholeOnRedis } from './porthole-on-redis.ts';
import { rounds, roundsTimeout } from './rounds.ts';
import { threat } from './threat-table.ts';

let porthole: PortholeOnRedis;
beforeEach(async () => {
  porthole = await startPortholeOnRedis();
  await porthole.startHonest();
});
afterEach(() => porthole.stop());

/** New consoles open, or end with a reason that a viewer understands. */
const typedResults = ['open', 1013, 4401, 4429, 4503];

describeWith('redis')(threat('S4'), () => {
  const far = '9e18';
  const poisons: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    'a member that holds for ever': (key) => porthole.attacker.zadd(key, far, 'garbage'),
    'infinite scores': (key) => porthole.attacker.zadd(key, 'inf', 'first', '-inf', 'last'),
    'members that are no digests': (key) =>
      porthole.attacker.zadd(key, far, '', '1', '\0\r\n', '2', '__proto__', '3', '9'.repeat(100_000)),
    'thousands of members': (key) =>
      porthole.attacker.zadd(key, ...Array.from({ length: 5000 }, (_, i) => ['1e13', `m${i}`]).flat()),
    'a value of another type': async (key) => {
      await porthole.attacker.del(key);
      await porthole.attacker.lpush(key, 'x');
    },
  };
  test.each(Object.keys(poisons))('%s: live consoles go on, and new ones get a reason', async (name) => {
    const anna = await porthole.broker.signedIn(userName);
    const leases = await porthole.leases();
    expect(leases.length).toBeGreaterThan(4);
    for (const key of leases) await poisons[name]?.(key);
    await porthole.expectHonestUsable();
    expect(typedResults).toContain(await porthole.tryToOpen());
    await porthole.expectNoInternalError(anna);
    await porthole.attacker.flushall();
    await porthole.expectHonestUsable();
    expect(await porthole.tryToOpen()).toBe('open');
  });
});

describeWith('redis')(threat('S5'), () => {
  test(
    'forged, altered and replayed messages end no console',
    async () => {
      const recorded: string[] = [];
      const eavesdropper = porthole.attacker.duplicate();
      await eavesdropper.subscribe(storeKeys.signals);
      eavesdropper.on('message', (_channel, message) => recorded.push(message));
      const anna = await porthole.broker.signedIn(userName);
      const { id, client } = await porthole.openAs(anna);
      await anna.delete(`/api/v1/sessions/${id}`);
      await client.closed;
      await eventually('the order was heard', () => recorded.length > 0);

      porthole.clock.advance(10);
      const next = await porthole.openAs(anna);
      const forged = recorded.flatMap((message) => {
        const [nonce = '', sealed = ''] = message.split('.');
        const altered = Buffer.from(sealed, 'base64url');
        altered[40] = (altered[40] ?? 0) ^ 1;
        return [message, `${nonce}.${altered.toString('base64url')}`, `AAAA.${sealed}`, `${nonce}.${nonce}`];
      });
      const garbage = ['', '.', '{}', '{"type":"end"}', '\0'.repeat(1000), 'x'.repeat(4 * 1024 * 1024)];
      for (let round = 0; round < rounds(3); round++)
        for (const message of [...forged, ...garbage])
          await porthole.attacker.publish(storeKeys.signals, message);
      await porthole.expectHonestUsable();
      expect(next.client.socket.readyState).toBe(next.client.socket.OPEN);
      // After all of them, a true order is still heard.
      await anna.delete(`/api/v1/sessions/${next.id}`);
      expect((await next.client.closed).code).toBe(4423);
      eavesdropper.disconnect();
    },
    roundsTimeout,
  );

  test(
    'a revision that changes all the time ends no console',
    async () => {
      for (let round = 0; round < rounds(4); round++) {
        await porthole.attacker.set(storeKeys.terminationRevision, `forged ${round}`);
        await porthole.expectHonestUsable();
      }
    },
    roundsTimeout,
  );
});

describeWith('redis')(threat('S6'), () => {
  test('values of another type open nothing, and no live console notices', async () => {
    const anna = await porthole.broker.signedIn(userName);
    const grant = await porthole.relay.mint();
    for (const key of await porthole.attacker.keys('porthole:*')) {
      await porthole.attacker.del(key);
      await porthole.attacker.hset(key, 'field', 'value');
    }
    await porthole.attacker.del(storeKeys.terminationRevision);
    await porthole.attacker.hset(storeKeys.terminationRevision, 'field', 'value');
    await porthole.expectHonestUsable();
    expect([1013, 4401]).toContain((await porthole.relay.connect({ token: grant }).closed).code);
    expect(typedResults).toContain(await porthole.tryToOpen());
    for (const status of await porthole.expectNoInternalError(anna)) expect([401, 503]).toContain(status);
  });

  test('a lease with very many holders is not looked up whole', async () => {
    const anna = await porthole.broker.signedIn(userName);
    const members = Array.from({ length: 30_000 }, (_, i) => ['1e13', digest(`holder ${i}`)]).flat();
    for (const key of await porthole.leases())
      if (key.endsWith(':order')) await porthole.attacker.zadd(key, ...members);
    let lookups = 0;
    const monitor = await porthole.attacker.monitor();
    monitor.on('monitor', (_time: string, [command, , , key]: string[]) => {
      if (command === 'evalsha' && key?.startsWith('porthole:session:')) lookups++;
    });
    expect([200, 503]).toContain((await anna.get('/api/v1/sessions')).status);
    await porthole.expectHonestUsable();
    monitor.disconnect();
    expect(lookups).toBeGreaterThan(0);
    // And a few for the honest console.
    expect(lookups).toBeLessThan(20_100);
  });

  test('enormous values are not read into memory', async () => {
    const mib = 1024 * 1024;
    const size = 64 * mib;
    const anna = await porthole.broker.signedIn(userName);
    const grant = await porthole.relay.mint();
    const keys = [...(await porthole.strings()).keys(), storeKeys.terminationRevision];
    for (const key of keys) await porthole.attacker.setrange(key, size, 'x');
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
    const before = process.memoryUsage().rss;
    await porthole.expectHonestUsable();
    expect((await porthole.relay.connect({ token: grant }).closed).code).toBe(4401);
    await porthole.expectNoInternalError(anna);
    clearInterval(watching);
    expect(Math.max(most, process.memoryUsage().rss) - before).toBeLessThan(size);
    await porthole.attacker.flushall();
    expect(await porthole.tryToOpen()).toBe('open');
  });
});
