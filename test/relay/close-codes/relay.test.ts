import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { systemClock } from '@porthole/shared/time/clock';
import { grantKey, useRelayRigs } from '../rig.ts';
import { closeOf, expectClose } from './expect-close.ts';

const start = useRelayRigs();

test.each([
  ['ended_by_operator', { kind: 'session', ref: 'session-1' }],
  ['ended_by_operator', { kind: 'user', ref: 'student' }],
  ['ended_by_operator', { kind: 'machine', ref: 'lab/100' }],
  ['signed_out', { kind: 'login', ref: 'login-1' }],
] as const)(
  '4423: a termination order (%s) closes the consoles of a %s, and no others',
  async (cause, target) => {
    const rig = await start();
    const client = await rig.open({ sessionId: 'session-1' });
    await client.rfb();
    const other = await rig.open({
      sessionId: 'session-2',
      loginRef: 'login-2',
      user: { id: 'other', name: 'Other', groups: [] },
    });
    await other.rfb();
    const signals = createConsoleSignals({
      bus: rig.store.signals,
      keys: () => [grantKey],
      random: systemRandom,
      clock: systemClock,
    });
    await signals.publish({ type: 'terminate', target, cause, at: systemClock.now() });
    expect(await client.closed).toEqual(closeOf(cause));
    if (target.kind !== 'machine') expect(other.socket.readyState).toBe(other.socket.OPEN);
    other.socket.terminate();
  },
);

test('1013: a console closes if the store is unavailable', async () => {
  const store = createMemoryStore({ clock: systemClock });
  const rig = await start({ store });
  const token = await rig.mint();
  await store.stop();
  expect(await rig.connect({ token }).closed).toEqual(closeOf('store_unavailable'));
});

test('1012: a relay that drains closes its consoles, and refuses new connections', async () => {
  const rig = await start();
  const client = await rig.open();
  await client.rfb();
  const token = await rig.mint();
  const stopped = Promise.all(rig.relay.components.map(async (component) => component.stop?.()));
  await expectClose(rig, client, 'draining');
  await stopped;
  expect(await rig.relay.readiness()).toEqual(['draining']);
  await rig.connect({ token }).closed;
  expect(await rig.metrics()).toContain('porthole_relay_upgrades_refused_total{reason="draining"} 1');
});
