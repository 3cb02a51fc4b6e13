import { once } from 'node:events';
import { errorKinds } from '@porthole/shared/errors';
import { leaseNames } from '@porthole/shared/store/keys';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { useRelayRigs } from '../rig.ts';
import {
  latestResumeToken,
  openWithToken,
  resumeTokens,
  sessionRecordsIn,
  startTwoRelays,
} from './resume-rig.ts';

const start = useRelayRigs();

test('a console whose connection broke resumes at another relay as the same session, and is counted once', async () => {
  const [one, two] = await startTwoRelays(start);
  const limits = { sessionSeconds: 3600, idleSeconds: 3600, perUser: 1, perMachine: 1 };
  const { client, token } = await openWithToken(one, { limits });
  const [before] = await sessionRecordsIn(one.store).list(leaseNames.allSessions);
  const lostAt = Date.now();
  client.socket.terminate();
  const resumed = two.connect({ token });
  expect((await resumed.rfb()).name).toBe('QEMU (lab-100)');
  await eventually('the old connection to Proxmox is closed', () => one.proxmox.openConsoles() === 1);
  await eventually('the record is of the new connection', async () => {
    const [after] = await sessionRecordsIn(two.store).list(leaseNames.user('student'));
    return after !== undefined && after.connection !== before?.connection;
  });
  const [after] = await sessionRecordsIn(two.store).list(leaseNames.machine('lab', 100));
  expect(after).toMatchObject({ sessionId: 'session-1', node: 'pve1' });
  // The session counts from its first opening.
  expect(after?.since).toBeLessThanOrEqual(lostAt);
  expect(after?.relay).not.toBe(before?.relay);
  expect(await one.store.leases.count(leaseNames.user('student'))).toBe(1);
  expect(await two.metrics()).toContain('porthole_relay_resumes_total 1');
  resumed.close();
});

test('a resume token opens one console once, and none after the viewer has closed the console', async () => {
  const [one, two] = await startTwoRelays(start);
  const { client, token } = await openWithToken(one);
  client.socket.terminate();
  const resumed = two.connect({ token });
  await resumed.rfb();
  expect((await one.connect({ token }).closed).code).toBe(4401);
  const newer = await latestResumeToken(resumed);
  resumed.close();
  await resumed.closed;
  await eventually('the session is over', async () => {
    const sessions = await sessionRecordsIn(one.store).list(leaseNames.allSessions);
    return sessions.length === 0;
  });
  expect((await one.connect({ token: newer }).closed).code).toBe(4401);
});

test('of two connections of a session, the newer one stays, and the older one closes as taken over', async () => {
  const [one, two] = await startTwoRelays(start);
  const { client, token } = await openWithToken(one);
  const newer = two.connect({ token });
  await newer.rfb();
  expect(await client.closed).toEqual({ code: 4423, reason: errorKinds.taken_over.text });
  await eventually('Proxmox has one open console', () => one.proxmox.openConsoles() === 1);
  await eventually('the newer connection has the record and the lease', async () => {
    const [record] = await sessionRecordsIn(two.store).list(leaseNames.allSessions);
    return record !== undefined && (await one.store.leases.count(leaseNames.user('student'))) === 1;
  });
  expect(newer.socket.readyState).toBe(newer.socket.OPEN);
  newer.close();
});

test('“the busiest relay was scaled down first”: a relay still counts a session that resumed at the same relay', async () => {
  const one = await start();
  const ended = () => one.logged.filter((line) => line.includes('console ended')).length;
  const relayId = async () => (await sessionRecordsIn(one.store).find('session-1'))?.relay ?? '';
  for (const loss of ['noticed', 'unnoticed'] as const) {
    const before = ended();
    const { client, token } = await openWithToken(one);
    if (loss === 'noticed') client.socket.terminate();
    const resumed = one.connect({ token });
    await resumed.rfb();
    await client.closed;
    await eventually('the old connection has released what it had', () => ended() === before + 1);
    expect(await one.store.leases.count(leaseNames.relay(await relayId()))).toBe(1);
    resumed.close();
    await eventually('the session is over', () => ended() === before + 2);
    expect(await relayId()).toBe('');
  }
});

test('“continues in another window”: a late signal of an earlier connection does not end the newest one', async () => {
  const one = await start();
  const late: string[] = [];
  const publish = async (message: string) => void late.push(message);
  const store = { ...one.store, signals: { ...one.store.signals, publish } };
  const two = await start({ sharedWith: one, store });
  const first = await openWithToken(one);
  first.client.socket.terminate();
  const second = await openWithToken(two, {}, first.token);
  second.client.socket.terminate();
  const third = await openWithToken(one, {}, second.token);
  expect(late).toHaveLength(1);
  for (const message of late) await one.store.signals.publish(message);
  // Handled in order, so the signal was handled before this answer.
  third.client.socket.send('{"type":"ping"}');
  await eventually('the relay answers', () => third.client.messages.some(({ type }) => type === 'pong'));
  expect(third.client.socket.readyState).toBe(third.client.socket.OPEN);
  third.client.close();
});

test('“the console closed although it was extended”: a session that resumes right after an extension keeps it', async () => {
  const clock = createFakeClock(Date.now());
  const one = await start({ clock });
  const two = await start({ sharedWith: one, clock });
  const limits = {
    sessionSeconds: 120,
    extendSeconds: 600,
    maxSessionSeconds: 3600,
    idleSeconds: 3600,
    perUser: 1,
    perMachine: 1,
  };
  const { client, rfb } = await openWithToken(one, { limits });
  const notices = () => client.messages.filter(({ type }) => type === 'notice');
  for (let seconds = 0; seconds < 60; seconds += 20) {
    clock.advance(20_000);
    // Whatever the relay sent before, to the viewer and to Proxmox, is answered before this.
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    const answered = once(client.socket, 'pong');
    client.socket.ping();
    await answered;
  }
  await eventually('the end is announced', () => notices().length === 1);
  const before = resumeTokens(client).length;
  client.socket.send('{"type":"extend"}');
  await eventually('there is a new token', () => resumeTokens(client).length > before);
  client.socket.terminate();
  const resumed = two.connect({ token: await latestResumeToken(client) });
  const after = await resumed.rfb();
  for (let seconds = 0; seconds < 120; seconds += 20) {
    clock.advance(20_000);
    after.requestUpdate(false);
    await after.nextUpdate();
  }
  expect(resumed.socket.readyState).toBe(resumed.socket.OPEN);
  // A drain would wait for the clock, which stands still.
  resumed.close();
  await eventually('no console is open', () => one.proxmox.openConsoles() === 0);
});

test('resume tokens are not logged, and a plain viewer gets none', async () => {
  const rig = await start();
  const { client, token } = await openWithToken(rig);
  const plain = rig.connect({ token: await rig.mint(), protocols: ['binary'] });
  await plain.rfb();
  expect(plain.messages).toEqual([]);
  expect(rig.logged.join('')).not.toContain(token);
  plain.close();
  client.close();
});

test('a session whose viewer closes it leaves no record and no lease', async () => {
  const rig = await start();
  const { client } = await openWithToken(rig);
  expect(await sessionRecordsIn(rig.store).find('session-1')).toMatchObject({
    user: { id: 'student' },
    machineName: 'lab-100',
    mode: 'control',
    kind: 'screen',
  });
  client.close();
  await eventually('nothing is left in the store', async () => {
    const counts = await Promise.all(
      [leaseNames.user('student'), leaseNames.machine('lab', 100), leaseNames.allSessions].map((name) =>
        rig.store.leases.count(name),
      ),
    );
    return !(await sessionRecordsIn(rig.store).find('session-1')) && counts.every((count) => count === 0);
  });
});
