import { errorKinds, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { createReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import { lifetimes } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { keepReopenable } from '@porthole/relay/session/reopenable-session';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { aGrant, useRelayRigs, type RelayRig } from '../rig.ts';

const start = useRelayRigs();

const sessionOf = (sessionId: string) => ({
  userId: 'student',
  sessionId,
  cluster: 'lab',
  vmid: 100,
  kind: 'screen' as const,
});

/** Advances the clock in steps, and lets the calls to the store settle after each. */
async function advance(clock: ReturnType<typeof createFakeClock>, ms: number): Promise<void> {
  for (let elapsed = 0; elapsed < ms; elapsed += 60_000) {
    clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a session', () => {
  function aSession(overrides: Parameters<typeof aGrant>[1] = {}) {
    const clock = createFakeClock();
    const sessions = createReopenableSessions(createMemoryStore({ clock }).leases);
    const claims = aGrant(clock, { sessionId: 's1', ...overrides });
    return { clock, sessions, end: keepReopenable({ sessions, clock }, claims) };
  }

  test('can be reopened as long as it lives, and for fifteen minutes after its viewer was lost', async () => {
    const { clock, sessions, end } = aSession();
    await advance(clock, 10 * lifetimes.reopenable);
    expect(await sessions.has(sessionOf('s1'))).toBe(true);
    await end({ error: undefined, viewerLost: true });
    expect(clock.pending()).toBe(0);
    clock.advance(lifetimes.reopenable - 1);
    expect(await sessions.has(sessionOf('s1'))).toBe(true);
    clock.advance(1);
    expect(await sessions.has(sessionOf('s1'))).toBe(false);
  });

  test('cannot be reopened after its viewer left', async () => {
    const { sessions, end } = aSession();
    await end({ error: undefined, viewerLost: false });
    expect(await sessions.has(sessionOf('s1'))).toBe(false);
  });

  const recovering: readonly ErrorCode[] = ['console_lost', 'machine_ended', 'draining', 'store_unavailable'];
  const final: readonly ErrorCode[] = ['idle', 'time_limit', 'ended_by_operator', 'signed_out', 'user_limit'];

  test.each(recovering)('can be reopened after %s', async (code) => {
    const { sessions, end } = aSession();
    await end({ error: new PortholeError(code), viewerLost: false });
    expect(await sessions.has(sessionOf('s1'))).toBe(true);
  });

  test.each(final)('cannot be reopened after %s', async (code) => {
    expect(errorKinds[code]).toBeDefined();
    const { sessions, end } = aSession();
    await end({ error: new PortholeError(code), viewerLost: true });
    expect(await sessions.has(sessionOf('s1'))).toBe(false);
  });

  test('stays reopenable for the connection that took it over', async () => {
    const { sessions, end } = aSession();
    await end({ error: new PortholeError('taken_over'), viewerLost: false });
    expect(await sessions.has(sessionOf('s1'))).toBe(true);
  });

  test('replaces the one that it reopened, and counts twice its quota at most', async () => {
    const limits = { sessionSeconds: 60, idleSeconds: 60, perUser: 1, perMachine: 9 };
    const { clock, sessions } = aSession({ limits });
    const others = ['s2', 's3', 's4'].map((sessionId) => aGrant(clock, { sessionId, limits }));
    for (const claims of others) keepReopenable({ sessions, clock }, claims);
    await new Promise((resolve) => setImmediate(resolve));
    const reopenable = () =>
      Promise.all(['s1', 's2', 's3', 's4', 's5'].map((sessionId) => sessions.has(sessionOf(sessionId))));
    expect(await reopenable()).toEqual([true, true, false, false, false]);
    keepReopenable({ sessions, clock }, aGrant(clock, { sessionId: 's5', reopens: 's1', limits }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await reopenable()).toEqual([false, true, false, false, true]);
  });
});

const reopenableIn = (rig: RelayRig) => createReopenableSessions(rig.store.leases);

test('a console that Proxmox ended can be reopened; one that never opened cannot', async () => {
  const rig = await start();
  const client = await rig.open({ sessionId: 's1' });
  await client.rfb();
  await eventually('the session is reopenable', () => reopenableIn(rig).has(sessionOf('s1')));
  rig.proxmox.dropConsoles(100);
  expect((await client.closed).code).toBe(4504);
  expect(await reopenableIn(rig).has(sessionOf('s1'))).toBe(true);
  const failed = await rig.open({ sessionId: 's2', vmid: 999 });
  await failed.closed;
  expect(await reopenableIn(rig).has({ ...sessionOf('s2'), vmid: 999 })).toBe(false);
});

test('a console that its page closed cannot be reopened', async () => {
  const rig = await start();
  const client = await rig.open({ sessionId: 's1' });
  await client.rfb();
  await eventually('the session is reopenable', () => reopenableIn(rig).has(sessionOf('s1')));
  client.close();
  await eventually('the session is not', async () => !(await reopenableIn(rig).has(sessionOf('s1'))));
});
