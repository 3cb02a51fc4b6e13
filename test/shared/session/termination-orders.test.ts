import {
  createTerminationOrders,
  appliesTo,
  type TerminationSubject,
} from '@porthole/shared/session/termination-orders';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock } from '../../fakes/clock.ts';

const [oldKey, newKey] = ['o'.repeat(40), 'n'.repeat(40)];

function aWorld() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const ordersWith = (...keys: string[]) =>
    createTerminationOrders({
      records: store.records,
      signals: { publish: async () => {} },
      keys: () => keys,
      random: systemRandom,
      clock,
    });
  const console: TerminationSubject = {
    sessionId: 'session-1',
    loginRef: 'login-1',
    user: { id: 'local:anna', name: 'Anna', groups: [] },
    cluster: 'lab',
    vmid: 100,
    issuedAt: clock.now(),
  };
  return { clock, ordersWith, console };
}

describe('a termination order', () => {
  test('is found while the grant keys rotate, in any order of the keys', async () => {
    const { ordersWith, console } = aWorld();
    await ordersWith(oldKey, newKey).issue({ kind: 'user', ref: 'local:anna' }, 'ended_by_operator');
    for (const keys of [[oldKey], [oldKey, newKey], [newKey, oldKey]])
      expect(await ordersWith(...keys).findFor(console)).toEqual({
        cause: 'ended_by_operator',
        by: undefined,
      });
    expect(await ordersWith(newKey).findFor(console)).toBeUndefined();
  });

  test('applies to consoles from before it, so that a repeated signal ends no later ones', () => {
    const { clock, console } = aWorld();
    const order = { target: { kind: 'user', ref: 'local:anna' }, at: clock.now() } as const;
    expect(appliesTo(order, console)).toBe(true);
    expect(appliesTo(order, { ...console, issuedAt: clock.now() + 1 })).toBe(false);
    expect(appliesTo({ ...order, target: { kind: 'user', ref: 'local:ben' } }, console)).toBe(false);
  });

  test.each([
    { kind: 'session', ref: 'session-1' },
    { kind: 'login', ref: 'login-1' },
  ] as const)('of a $kind applies to all consoles, also later ones', (target) => {
    const { clock, console } = aWorld();
    expect(appliesTo({ target, at: clock.now() }, { ...console, issuedAt: clock.now() + 1 })).toBe(true);
  });
});
