import { errorKinds } from '@porthole/shared/errors';
import { leaseNames } from '@porthole/shared/store/keys';
import { eventually } from '../../eventually.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import { openWithToken, resumeTokens, sessionRecordsIn, startTwoRelays } from './resume-rig.ts';

const start = useRelayRigs();

/** Stops the component that a process stops first. */
const drain = async ({ relay }: RelayRig) => relay.components.at(-1)?.stop?.();

describe('a relay that drains', () => {
  test('tells its viewers to reconnect, which resume at another relay, and stops in time', async () => {
    const [one, two] = await startTwoRelays(start);
    const clients = await Promise.all(
      Array.from({ length: 4 }, (_, i) => openWithToken(one, { sessionId: `session-${i}` })),
    );
    const drained = drain(one);
    expect(await one.relay.readiness()).toEqual(['draining']);
    await Promise.all(
      clients.map(async ({ client }) => {
        expect(await client.closed).toEqual({ code: 1012, reason: errorKinds.draining.text });
        expect(client.messages.some(({ type }) => type === 'moving')).toBe(true);
        const resumed = two.connect({ token: resumeTokens(client).at(-1) ?? '' });
        await resumed.rfb();
      }),
    );
    await drained;
    const sessions = await sessionRecordsIn(two.store).list(leaseNames.allSessions);
    expect(sessions.map(({ sessionId }) => sessionId).toSorted()).toEqual(
      clients.map((_, i) => `session-${i}`),
    );
    expect(new Set(sessions.map(({ relay }) => relay)).size).toBe(1);
  });

  test('also closes consoles that are still being opened', async () => {
    const rig = await start();
    rig.proxmox.stallConsole(100);
    const client = await rig.open();
    await eventually('the console is being opened', () =>
      client.messages.some(({ type }) => type === 'opening'),
    );
    const drained = drain(rig);
    expect((await client.closed).code).toBe(1012);
    await drained;
  });
});
