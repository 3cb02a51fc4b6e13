import { createReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import { lifetimes } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock } from '../../fakes/clock.ts';

function setUp() {
  const clock = createFakeClock();
  return { clock, sessions: createReopenableSessions(createMemoryStore({ clock }).leases) };
}

const session = {
  userId: 'anna',
  sessionId: 's1',
  cluster: 'lab',
  vmid: 100,
  kind: 'screen',
} as const;

describe('a reopenable session', () => {
  test('belongs to its user and its console', async () => {
    const { sessions } = setUp();
    await sessions.add(session, 2);
    expect(await sessions.has(session)).toBe(true);
    for (const other of [
      { userId: 'ben' },
      { sessionId: 's2' },
      { cluster: 'office' },
      { vmid: 101 },
      { kind: 'terminal' as const },
    ])
      expect(await sessions.has({ ...session, ...other })).toBe(false);
  });

  test('expires unless it is renewed, and can be removed', async () => {
    const { clock, sessions } = setUp();
    await sessions.add(session, 2);
    clock.advance(lifetimes.reopenable - 1);
    await sessions.add(session, 2);
    clock.advance(lifetimes.reopenable - 1);
    expect(await sessions.has(session)).toBe(true);
    clock.advance(1);
    expect(await sessions.has(session)).toBe(false);
    await sessions.add(session, 2);
    await sessions.remove(session);
    expect(await sessions.has(session)).toBe(false);
  });

  test('is not added above the limit of its user', async () => {
    const { sessions } = setUp();
    for (const sessionId of ['s1', 's2', 's3']) await sessions.add({ ...session, sessionId }, 2);
    expect(await sessions.has({ ...session, sessionId: 's2' })).toBe(true);
    expect(await sessions.has({ ...session, sessionId: 's3' })).toBe(false);
    await sessions.add({ ...session, userId: 'ben', sessionId: 's3' }, 2);
    expect(await sessions.has({ ...session, userId: 'ben', sessionId: 's3' })).toBe(true);
  });
});
