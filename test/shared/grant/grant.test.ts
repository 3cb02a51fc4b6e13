import fc from 'fast-check';
import { mintGrant, takeGrant, type GrantDeps } from '@porthole/shared/grant/grant';
import { systemRandom } from '@porthole/shared/crypto/random';
import { seal } from '@porthole/shared/crypto/seal';
import { storeKeys } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { someClaims } from './sample-claims.ts';

const key = 'k'.repeat(40);

interface Desk extends GrantDeps {
  readonly clock: FakeClock;
  readonly records: ReturnType<typeof createMemoryStore>['records'];
}

function aDesk(different: Partial<Desk> = {}): Desk {
  const clock = createFakeClock();
  return {
    clock,
    records: createMemoryStore({ clock }).records,
    keys: () => [key],
    random: systemRandom,
    ...different,
  };
}

const rejected = (detail: string) => ({ code: 'grant_invalid', detail });
const storeKeyOf = (token: string) => storeKeys.grant(Buffer.from(token, 'base64url'));

/** Stores a record for the token, sealed with the right key. */
async function plant(desk: Desk, token: string, plain: string): Promise<void> {
  const bytes = Buffer.from(token, 'base64url');
  const context = { token: bytes, purpose: 'porthole grant v1', storeKey: storeKeyOf(token) };
  await desk.records.put(context.storeKey, seal(desk.keys, systemRandom, context, plain), 60_000);
}

describe('a grant', () => {
  test('is taken with its token and contains the claims', async () => {
    const desk = aDesk();
    const claims = someClaims(desk.clock);
    const token = await mintGrant(desk, claims);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await takeGrant(desk, token)).toEqual(claims);
  });

  test('is taken once', async () => {
    const desk = aDesk();
    const token = await mintGrant(desk, someClaims(desk.clock));
    await takeGrant(desk, token);
    await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('unknown, used or expired'));
  });

  test('is taken by exactly one of many concurrent callers', async () => {
    const desk = aDesk();
    const token = await mintGrant(desk, someClaims(desk.clock));
    const taken = await Promise.allSettled(Array.from({ length: 20 }, () => takeGrant(desk, token)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('expires in the store', async () => {
    const desk = aDesk();
    const token = await mintGrant(desk, someClaims(desk.clock));
    desk.clock.advance(60_000);
    await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('unknown, used or expired'));
  });

  test('expires by its own claim even when the store still has it', async () => {
    const desk = aDesk();
    const claims = someClaims(desk.clock);
    const token = await mintGrant(desk, claims);
    const record = (await desk.records.get(storeKeyOf(token))) ?? '';
    await desk.records.put(storeKeyOf(token), record, 3_600_000);
    desk.clock.advance(60_000);
    await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('expired'));
  });

  test('is valid until its last millisecond', async () => {
    const desk = aDesk();
    const token = await mintGrant(desk, someClaims(desk.clock));
    desk.clock.advance(59_999);
    expect(await takeGrant(desk, token)).toMatchObject({ sessionId: 'session-1' });
  });

  test('is rejected for a malformed token without a call to the store', async () => {
    const desk = aDesk({
      records: {
        ...aDesk().records,
        take: () => Promise.reject(new Error('The store was asked.')),
      },
    });
    const malformed = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{0,42}$/), fc.base64String());
    await fc.assert(
      fc.asyncProperty(malformed, async (token) => {
        fc.pre(!/^[A-Za-z0-9_-]{43}$/.test(token));
        await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('malformed token'));
      }),
    );
  });

  test('is rejected for an unknown token', async () => {
    const desk = aDesk();
    await mintGrant(desk, someClaims(desk.clock));
    const guess = systemRandom(32).toString('base64url');
    await expect(takeGrant(desk, guess)).rejects.toMatchObject(rejected('unknown, used or expired'));
  });

  test('is rejected if its record was altered, and is gone after that', async () => {
    const desk = aDesk();
    const token = await mintGrant(desk, someClaims(desk.clock));
    const record = Buffer.from((await desk.records.get(storeKeyOf(token))) ?? '', 'base64url');
    record[40] = (record[40] ?? 0) ^ 1;
    await desk.records.put(storeKeyOf(token), record.toString('base64url'), 60_000);
    await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('the record does not open'));
    await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('unknown, used or expired'));
  });

  test('is rejected if its record was moved to another token', async () => {
    const desk = aDesk();
    const token = await mintGrant(desk, someClaims(desk.clock));
    const mine = systemRandom(32).toString('base64url');
    const record = (await desk.records.get(storeKeyOf(token))) ?? '';
    await desk.records.put(storeKeyOf(mine), record, 60_000);
    await expect(takeGrant(desk, mine)).rejects.toMatchObject(rejected('the record does not open'));
  });

  test('is rejected if it was forged without the key', async () => {
    const desk = aDesk();
    const forger = { ...desk, keys: () => ['f'.repeat(40)] };
    const token = await mintGrant(forger, someClaims(desk.clock));
    await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('the record does not open'));
    const plain = systemRandom(32).toString('base64url');
    await desk.records.put(storeKeyOf(plain), JSON.stringify(someClaims(desk.clock)), 60_000);
    await expect(takeGrant(desk, plain)).rejects.toMatchObject(rejected('the record does not open'));
  });

  test('reveals neither its token nor its claims in the store', async () => {
    const seen: string[] = [];
    const desk = aDesk({
      records: { ...aDesk().records, put: async (name, value) => void seen.push(name, value) },
    });
    const token = await mintGrant(desk, someClaims(desk.clock));
    const text = seen.join(' ') + Buffer.from(seen[1] ?? '', 'base64url').toString('latin1');
    for (const secret of [token, 'anna', 'lab-100', Buffer.from(token, 'base64url').toString('hex')])
      expect(text).not.toContain(secret);
  });

  test('of a newer broker is taken, and unknown fields are dropped', async () => {
    const desk = aDesk();
    const claims = someClaims(desk.clock);
    const token = systemRandom(32).toString('base64url');
    const newer = { ...claims, somethingNew: true, user: { ...claims.user, avatar: 'x' } };
    await plant(desk, token, JSON.stringify(newer));
    expect(await takeGrant(desk, token)).toEqual(claims);
  });

  test('of another version is rejected', async () => {
    const desk = aDesk();
    for (const different of [
      { version: 2 },
      { version: '1' },
      { vmid: 0 },
      { mode: 'own' },
      { origins: 'x' },
    ]) {
      const token = systemRandom(32).toString('base64url');
      await plant(desk, token, JSON.stringify({ ...someClaims(desk.clock), ...different }));
      await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('claims of another version'));
    }
  });

  test('whose record is not JSON is rejected', async () => {
    const desk = aDesk();
    const token = systemRandom(32).toString('base64url');
    await plant(desk, token, 'no JSON');
    await expect(takeGrant(desk, token)).rejects.toMatchObject(rejected('claims of another version'));
  });

  test('survives the rotation of keys', async () => {
    let keys = [key];
    const desk = aDesk({ keys: () => keys });
    const token = await mintGrant(desk, someClaims(desk.clock));
    keys = ['n'.repeat(40), key];
    expect(await takeGrant(desk, token)).toMatchObject({ vmid: 100 });
  });

  test('rejects with store_unavailable while the store is unavailable', async () => {
    const clock = createFakeClock();
    const store = createMemoryStore({ clock });
    const desk = aDesk({ clock, records: store.records });
    const token = await mintGrant(desk, someClaims(clock));
    await store.stop();
    await expect(takeGrant(desk, token)).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
