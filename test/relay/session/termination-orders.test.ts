import { systemRandom } from '@porthole/shared/crypto/random';
import { errorKinds } from '@porthole/shared/errors';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import type { Store } from '@porthole/shared/store/ports';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { inTime, timed } from '../../in-time.ts';
import { useRelayRigs } from '../rig.ts';
import { keys, openWithToken, startTwoRelays } from './resume-rig.ts';

const start = useRelayRigs();

const lostSignals = { publish: async () => {} };
const ordersIn = (store: Store, signals?: { publish: () => Promise<void> }) =>
  createTerminationOrders({
    records: store.records,
    signals:
      signals ?? createConsoleSignals({ bus: store.signals, keys, random: systemRandom, clock: systemClock }),
    keys,
    random: systemRandom,
    clock: systemClock,
  });
const targets = [
  { kind: 'session', ref: 'session-1' },
  { kind: 'user', ref: 'student' },
  { kind: 'machine', ref: 'lab/100' },
  { kind: 'login', ref: 'login-1' },
] as const;

describe('a termination order', () => {
  test.each(targets)('for a $kind closes its consoles on any relay within a second', async (target) => {
    await inTime(1000, async () => {
      const [one, two] = await startTwoRelays(start);
      const { client } = await openWithToken(one);
      return timed(async () => {
        await ordersIn(two.store).issue(target, 'ended_by_operator');
        expect((await client.closed).code).toBe(4423);
      });
    });
  });

  test.each(targets)('for a $kind closes its consoles also if its signal is lost', async (target) => {
    await inTime(4000, async () => {
      const rig = await start();
      const { client, token } = await openWithToken(rig);
      const measured = await timed(async () => {
        await ordersIn(rig.store, lostSignals).issue(target, 'ended_by_operator');
        expect((await client.closed).code).toBe(4423);
      });
      expect((await rig.connect({ token }).closed).code).toBe(4401);
      return measured;
    });
  });

  test.each(targets)('for a $kind applies to grants that were minted before it', async (target) => {
    const rig = await start();
    const grant = await rig.mint({ sessionId: 'session-1', issuedAt: Date.now() - 10 });
    await ordersIn(rig.store, lostSignals).issue(target, 'ended_by_operator');
    expect(await rig.connect({ token: grant }).closed).toEqual({
      code: 4423,
      reason: errorKinds.ended_by_operator.text,
    });
  });

  test('applies to a lost viewer that resumes with its token', async () => {
    const [one, two] = await startTwoRelays(start);
    const { client, token } = await openWithToken(one);
    client.socket.terminate();
    await eventually('Proxmox has no open console', () => one.proxmox.openConsoles() === 0);
    await ordersIn(one.store, lostSignals).issue({ kind: 'user', ref: 'student' }, 'ended_by_operator');
    expect((await two.connect({ token }).closed).code).toBe(4423);
  });

  test.each(['user', 'machine'] as const)('for a %s does not apply to later grants', async (kind) => {
    const rig = await start();
    const ref = kind === 'user' ? 'student' : 'lab/100';
    await ordersIn(rig.store).issue({ kind, ref }, 'ended_by_operator');
    const { client } = await openWithToken(rig, { issuedAt: Date.now() + 1 });
    client.close();
  });

  test('for a login applies also to grants that are minted after it', async () => {
    const rig = await start();
    await ordersIn(rig.store).issue({ kind: 'login', ref: 'login-1' }, 'signed_out');
    const late = await rig.open({ issuedAt: Date.now() + 1000 });
    expect(await late.closed).toEqual({ code: 4423, reason: errorKinds.signed_out.text });
  });
});
