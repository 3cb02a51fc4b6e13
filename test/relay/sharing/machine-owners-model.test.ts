import fc from 'fast-check';
import { createMachineOwners } from '@porthole/relay/sharing/machine-owners';
import type { ForeignOwner, OwnedMachine } from '@porthole/relay/sharing/contracts';
import { systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { RecordStore } from '@porthole/shared/store/ports';
import { createFakeClock } from '../../fakes/clock.ts';

const count = 3;

type Step =
  | {
      readonly do: 'claim' | 'take over' | 'release' | 'outage' | 'lost answers' | 'recovery';
      readonly relay: number;
    }
  /** Time passes for the store and for the relays that are not frozen. */
  | { readonly do: 'wait'; readonly ms: number; readonly frozen: readonly boolean[] }
  | { readonly do: 'lose the records' };

const relay = fc.nat(count - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('claim', 'take over', 'release', 'outage', 'lost answers', 'recovery'),
    relay,
  }),
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.constantFrom(1000, 5000, 16_000),
    frozen: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
  }),
  fc.record({ do: fc.constant('lose the records' as const) }),
);

async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve();
}

/** A relay that claims one machine at most once at a time, as relays do, with its own clock and way to the store. */
class RelayModel {
  readonly clock = createFakeClock();
  store: 'available' | 'outage' | 'lost answers' = 'available';
  owned: OwnedMachine | undefined;
  found: ForeignOwner | undefined;
  #owners;

  constructor(name: string, records: RecordStore) {
    const guard =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A) => {
        if (this.store === 'outage') throw new PortholeError('store_unavailable');
        const result = await call(...args);
        if (this.store === 'lost answers') throw new PortholeError('store_unavailable');
        return result;
      };
    this.#owners = createMachineOwners({
      records: {
        add: guard(records.add),
        get: guard(records.get),
        replace: guard(records.replace),
        remove: guard(records.remove),
      },
      keys: () => ['k'.repeat(40)],
      random: systemRandom,
      clock: this.clock,
      address: `${name}:1`,
      metrics: { ownerChanged: () => {} },
    });
  }

  async claim(instead?: ForeignOwner): Promise<void> {
    if (this.owned) return;
    const { signal } = new AbortController();
    try {
      const options = instead ? { signal, instead } : { signal };
      const claimed = await this.#owners.claim({ cluster: 'lab', vmid: 100 }, options);
      if ('owner' in claimed) {
        this.found = claimed.owner;
        return;
      }
      const { owned } = claimed;
      this.owned = owned;
      let calls = 0;
      owned.onLost(() => {
        expect(++calls).toBe(1);
        if (this.owned === owned) this.owned = undefined;
      });
    } catch (error) {
      expect(error).toMatchObject({ code: 'store_unavailable' });
    }
  }

  async release(): Promise<void> {
    const { owned } = this;
    this.owned = undefined;
    await owned?.release();
  }
}

test('whatever happens, after a renewal at most one relay believes that it owns a machine, and the store says so, too', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const storeClock = createFakeClock();
      const store = createMemoryStore({ clock: storeClock });
      const relays = Array.from({ length: count }, (_, i) => new RelayModel(`relay-${i}`, store.records));
      for (const each of steps) {
        if (each.do === 'wait') {
          storeClock.advance(each.ms);
          for (const [i, { clock }] of relays.entries()) if (!each.frozen[i]) clock.advance(each.ms);
        } else if (each.do === 'lose the records') {
          // As if all had expired, without time for the relays.
          storeClock.advance(15_000);
        } else {
          const chosen = relays[each.relay]!;
          if (each.do === 'claim') await chosen.claim();
          else if (each.do === 'take over') await chosen.claim(chosen.found);
          else if (each.do === 'release') await chosen.release();
          else chosen.store = each.do === 'recovery' ? 'available' : each.do;
        }
        await settle();
      }
      for (const each of relays) each.store = 'available';
      await settle();
      for (const { clock } of relays) {
        clock.advance(5000);
        await settle();
      }
      const believers = relays.filter(({ owned }) => owned);
      expect(believers.length).toBeLessThanOrEqual(1);
      const observer = new RelayModel('observer', store.records);
      await observer.claim();
      const [believer] = believers;
      if (believer) expect(observer.found?.address).toBe(`relay-${relays.indexOf(believer)}:1`);
      for (const each of [...relays, observer]) {
        await each.release();
        expect(each.clock.pending()).toBe(0);
      }
    }),
    { numRuns: 300 },
  );
});
