import { takeGrant } from '@porthole/shared/grant/grant';
import { createReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import { createFakeClock } from '../../fakes/clock.ts';
import type { Browser } from '../browser.ts';
import { closeBrokers, everyoneControlsAll, type Rig } from '../rig.ts';
import { aSchool, path, taking } from './fixtures.ts';

afterEach(closeBrokers);

const grantsPerMinute = 5;

/** Anna, who has spent her grant requests of this minute. */
async function aBusyUser() {
  const clock = createFakeClock();
  const { rig } = await aSchool({
    clock,
    config: { access: everyoneControlsAll, limits: { grantsPerMinute } },
  });
  const anna = await rig.signedIn('anna');
  for (let i = 0; i < grantsPerMinute; i++) expect(await statusOf(anna)).toBe(201);
  expect(await statusOf(anna)).toBe(429);
  return { rig, clock, anna };
}

async function statusOf(user: Browser, reopens?: string, vmid = 101, kind = 'screen'): Promise<number> {
  const { status } = await user.post(path(vmid), { mode: 'control', kind, reopens });
  return status;
}

/** What the relay does when a console is open. */
function opened(rig: Rig, sessionId: string, vmid = 101): Promise<void> {
  const session = { userId: 'local:anna', sessionId, cluster: 'school', vmid, kind: 'screen' as const };
  return createReopenableSessions(rig.store.leases).add(session, 100);
}

test('48 consoles of one user that come back after an outage are not throttled', async () => {
  const { rig, anna } = await aBusyUser();
  const sessions = Array.from({ length: 48 }, (_, index) => `session-${index}`);
  for (const session of sessions) await opened(rig, session);
  const statuses = await Promise.all(sessions.map((session) => statusOf(anna, session)));
  expect(new Set(statuses)).toEqual(new Set([201]));
});

test('a grant that returns to a session names it, so that the relay replaces it', async () => {
  const { rig, clock, anna } = await aBusyUser();
  await opened(rig, 'session-1');
  const answer = await anna.post(path(101), { mode: 'view', reopens: 'session-1' });
  const token = answer.json.protocols[1].slice('porthole.grant.'.length);
  expect(await takeGrant(taking(rig, clock), token)).toMatchObject({
    sessionId: answer.json.id,
    reopens: 'session-1',
  });
  expect(answer.json.id).not.toBe('session-1');
});

describe('a request does not return to a session, and counts as new,', () => {
  test('if the session is unknown', async () => {
    const { anna } = await aBusyUser();
    expect(await statusOf(anna, 'session-1')).toBe(429);
  });

  test('if the grant was issued but the console never opened', async () => {
    const { rig, anna } = await aBusyUser();
    await opened(rig, 'session-1');
    const { json } = await anna.post(path(101), { mode: 'view', reopens: 'session-1' });
    expect(await statusOf(anna, json.id)).toBe(429);
  });

  test('if the session was that of another user', async () => {
    const { rig, anna } = await aBusyUser();
    await opened(rig, 'session-1');
    const ben = await rig.signedIn('ben');
    for (let i = 0; i < grantsPerMinute; i++) expect(await statusOf(ben, 'session-1')).toBe(201);
    expect(await statusOf(ben, 'session-1')).toBe(429);
    expect(await statusOf(anna, 'session-1')).toBe(201);
  });

  test('if it is for another machine or another kind of console', async () => {
    const { rig, anna } = await aBusyUser();
    await opened(rig, 'session-1');
    expect(await statusOf(anna, 'session-1', 102)).toBe(429);
    expect(await statusOf(anna, 'session-1', 101, 'terminal')).toBe(429);
  });
});

test('a session can be reopened ten times a minute, and this does not limit other sessions', async () => {
  const { rig, clock, anna } = await aBusyUser();
  await opened(rig, 'session-1');
  await opened(rig, 'session-2');
  for (let i = 0; i < 10; i++) expect(await statusOf(anna, 'session-1')).toBe(201);
  const refused = await anna.post(path(101), { mode: 'control', reopens: 'session-1' });
  expect([refused.status, refused.json.code]).toEqual([429, 'rate_limited']);
  expect(await statusOf(anna, 'session-2')).toBe(201);
  clock.advance(60_000);
  expect(await statusOf(anna, 'session-1')).toBe(201);
});

test('a request that returns to a session passes all other checks', async () => {
  const { rig, anna } = await aBusyUser();
  await opened(rig, 'session-1', 999);
  expect(await statusOf(anna, 'session-1', 999)).toBe(404);
});
