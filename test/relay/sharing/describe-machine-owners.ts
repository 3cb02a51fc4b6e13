import { createMachineOwners } from '@porthole/relay/sharing/machine-owners';
import type { OwnedMachine } from '@porthole/relay/sharing/contracts';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createKeyedDigests } from '@porthole/shared/crypto/keyed-digests';
import { storeKeys } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { createFakeClock } from '../../fakes/clock.ts';

const keys = () => ['k'.repeat(40)];

/** What is true of the owner records on every store. `makeStores` answers two clients of one backend. */
export function describeMachineOwners(
  name: string,
  makeStores: () => Promise<{ store: Store; other: Store; stop(): Promise<void> }>,
): void {
  describe(name, () => {
    let stores: Awaited<ReturnType<typeof makeStores>>;
    const held: OwnedMachine[] = [];
    let vmid = 100;

    beforeAll(async () => {
      stores = await makeStores();
    });
    beforeEach(() => void vmid++);
    afterEach(() => Promise.all(held.splice(0).map((owned) => owned.release())));
    afterAll(() => stores.stop());

    function aRelay(store: Store, address: string | undefined, keysOfRelay = keys) {
      const clock = createFakeClock();
      const changes: string[] = [];
      const { records } = store;
      const metrics = { ownerChanged: (change: string) => void changes.push(change) };
      const owners = createMachineOwners({
        records,
        keys: keysOfRelay,
        random: systemRandom,
        clock,
        address,
        metrics,
      });
      return {
        changes,
        clock,
        async claim(options: Partial<Parameters<typeof owners.claim>[1]> = {}) {
          const machine = { cluster: 'lab', vmid };
          const claimed = await owners.claim(machine, { signal: new AbortController().signal, ...options });
          if ('owned' in claimed) held.push(claimed.owned);
          return claimed;
        },
      };
    }
    const isOwned = async (claim: Promise<object>) => 'owned' in (await claim);
    const recordOf = () =>
      stores.store.records.get(
        storeKeys.machineOwner(createKeyedDigests(keys).of(`machine owner/lab/${vmid}`)),
      );
    /** Lets the calls to the store that a timer has made be answered. */
    const settle = async () => {
      for (let call = 0; call < 8; call++) await recordOf();
    };

    test('the first relay owns the machine, and the second learns its address', async () => {
      const first = aRelay(stores.store, '10.0.0.1:8081');
      const second = aRelay(stores.other, '10.0.0.2:8081');
      expect(await isOwned(first.claim())).toBe(true);
      expect(await second.claim()).toEqual({
        owner: { address: '10.0.0.1:8081', record: expect.any(String) as string },
      });
    });

    test('an owner without an address is known, but not where to reach it', async () => {
      await aRelay(stores.store, undefined).claim();
      expect(await aRelay(stores.other, 'b:1').claim()).toMatchObject({ owner: { address: undefined } });
    });

    test('the store shows neither the machine nor the address', async () => {
      await aRelay(stores.store, '10.0.0.1:8081').claim();
      const record = String(await recordOf());
      expect(record).not.toContain('10.0.0.1');
      expect(Buffer.from(record, 'base64url').toString('latin1')).not.toMatch(/10\.0\.0\.1|lab/);
    });

    test('of many relays that claim a machine at once, one owns it', async () => {
      const relays = Array.from({ length: 20 }, (_, i) =>
        aRelay(i % 2 ? stores.store : stores.other, `relay-${i}:1`),
      );
      const claims = await Promise.all(relays.map((relay) => relay.claim()));
      expect(claims.filter((claim) => 'owned' in claim)).toHaveLength(1);
    });

    test('a released machine can be claimed by another relay at once', async () => {
      const first = await aRelay(stores.store, 'a:1').claim();
      if (!('owned' in first)) throw new Error('not owned');
      await first.owned.release();
      await first.owned.release();
      expect(await recordOf()).toBeUndefined();
      expect(await isOwned(aRelay(stores.other, 'b:1').claim())).toBe(true);
    });

    test('an owner that was replaced learns it at its next renewal, once, and its release leaves the new owner alone', async () => {
      const first = aRelay(stores.store, 'a:1');
      const second = aRelay(stores.other, 'b:1');
      const claimed = await first.claim();
      if (!('owned' in claimed)) throw new Error('not owned');
      let lost = 0;
      claimed.owned.onLost(() => lost++);
      const found = await second.claim();
      if (!('owner' in found)) throw new Error('owned twice');
      expect(await isOwned(second.claim({ instead: found.owner }))).toBe(true);
      for (let round = 0; round < 3; round++) {
        first.clock.advance(5000);
        await settle();
      }
      expect(lost).toBe(1);
      expect(first.changes).toEqual(['lost']);
      expect(second.changes).toEqual(['taken_over']);
      await claimed.owned.release();
      expect(await aRelay(stores.store, 'c:1').claim()).toMatchObject({ owner: { address: 'b:1' } });
    });

    test('an owner that renews, but cannot be reached, is replaced by a relay that has read its record before', async () => {
      const first = aRelay(stores.store, 'a:1');
      await first.claim();
      const second = aRelay(stores.other, 'b:1');
      const found = await second.claim();
      if (!('owner' in found)) throw new Error('owned twice');
      first.clock.advance(5000);
      await settle();
      expect(await isOwned(second.claim({ instead: found.owner }))).toBe(true);
    });

    test('of many relays that replace one owner at once, one succeeds, and the others learn of it', async () => {
      await aRelay(stores.store, 'dead:1').claim();
      const relays = Array.from({ length: 10 }, (_, i) =>
        aRelay(i % 2 ? stores.store : stores.other, `relay-${i}:1`),
      );
      const found = await relays[0]!.claim();
      if (!('owner' in found)) throw new Error('owned twice');
      const claims = await Promise.all(relays.map((relay) => relay.claim({ instead: found.owner })));
      const winner = claims.findIndex((claim) => 'owned' in claim);
      const others = claims.filter((claim) => 'owner' in claim);
      expect(others).toHaveLength(9);
      for (const { owner } of others) expect(owner.address).toBe(`relay-${winner}:1`);
    });

    test('a record that the store has lost is written again', async () => {
      const first = aRelay(stores.store, 'a:1');
      await first.claim();
      await stores.store.records.delete(
        storeKeys.machineOwner(createKeyedDigests(keys).of(`machine owner/lab/${vmid}`)),
      );
      first.clock.advance(5000);
      await settle();
      expect(await aRelay(stores.other, 'b:1').claim()).toMatchObject({ owner: { address: 'a:1' } });
    });

    test('a forged record does not keep a machine from being owned', async () => {
      const key = storeKeys.machineOwner(createKeyedDigests(keys).of(`machine owner/lab/${vmid}`));
      await stores.store.records.put(key, Buffer.from('x'.repeat(80)).toString('base64url'), 60_000);
      expect(await isOwned(aRelay(stores.store, 'a:1').claim())).toBe(true);
      expect(await aRelay(stores.other, 'b:1').claim()).toMatchObject({ owner: { address: 'a:1' } });
    });

    test('a claim that is aborted leaves no record', async () => {
      const abort = new AbortController();
      const claim = aRelay(stores.store, 'a:1').claim({ signal: abort.signal });
      abort.abort(new Error('the viewer has left'));
      await expect(claim).rejects.toThrow('the viewer has left');
      expect(await recordOf()).toBeUndefined();
    });

    test('while keys rotate, relays with another first key find each other, and the record moves to the new key', async () => {
      const [old, next] = ['o'.repeat(40), 'n'.repeat(40)];
      let keysOfFirst = [old, next];
      const first = aRelay(stores.store, 'a:1', () => keysOfFirst);
      const second = aRelay(stores.other, 'b:1', () => [next, old]);
      await first.claim();
      expect(await second.claim()).toMatchObject({ owner: { address: 'a:1' } });
      keysOfFirst = [next, old];
      first.clock.advance(5000);
      await settle();
      const third = aRelay(stores.other, 'c:1', () => [next]);
      expect(await third.claim()).toMatchObject({ owner: { address: 'a:1' } });
    });
  });
}
