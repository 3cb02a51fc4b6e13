import { createClassStates } from '@porthole/shared/class/class-states';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { leaseNames } from '@porthole/shared/store/keys';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import { keys, openWithToken, startTwoRelays } from './resume-rig.ts';

const start = useRelayRigs();

const asMember = { classes: [{ name: 'lab', role: 'member' }] } satisfies Partial<GrantClaims>;
const asFollower = {
  mode: 'view',
  clipboard: 'none',
  follows: { class: 'lab', showing: 'first' },
  user: { id: 'ben', name: 'Ben', groups: [] },
} satisfies Partial<GrantClaims>;

/** What an instructor does at a broker of the same installation. */
function instructorOf({ store }: RelayRig) {
  const common = { keys, random: systemRandom };
  const signals = createConsoleSignals({ bus: store.signals, ...common, clock: systemClock });
  const states = createClassStates({ ...common, records: store.records, leases: store.leases, signals });
  return {
    states,
    async show(id = 'first', vmid = 100) {
      const since = Date.now();
      const shown = {
        version: 1 as const,
        id,
        cluster: 'lab',
        vmid,
        name: 'ada',
        by: 'Ina',
        since,
        until: since + 600_000,
      };
      await states.showings.write('lab', shown, 600_000);
      await states.announce('lab');
    },
    async stop() {
      await states.showings.clear('lab');
      await states.announce('lab');
    },
  };
}

test('a follower sees the machine, and the console ends when it is not shown any more', async () => {
  const rig = await start();
  const instructor = instructorOf(rig);
  await instructor.show();
  const follower = await rig.open({ ...asFollower });
  const rfb = await follower.rfb();
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  rfb.type('x');
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(rig.guest.keys()).toBe('');
  expect(await rig.metrics()).toContain('porthole_relay_following_sessions 1');
  await instructor.stop();
  expect((await follower.closed).code).toBe(4423);
  await eventually('it is not counted any more', async () =>
    expect(await rig.metrics()).toContain('porthole_relay_following_sessions 0'),
  );
});

test('a grant that was made for an earlier showing opens no lasting console', async () => {
  const rig = await start();
  await instructorOf(rig).show('second');
  const follower = await rig.open({ ...asFollower });
  // It can end before or after the handshake.
  await follower.rfb().catch(() => {});
  expect((await follower.closed).code).toBe(4423);
});

test('followers take no place of the machine or of their user', async () => {
  const rig = await start();
  await instructorOf(rig).show();
  const limits = { sessionSeconds: 600, idleSeconds: 600, perUser: 1, perMachine: 1 };
  const followers = [];
  for (let index = 0; index < 3; index++) {
    const follower = await rig.open({ ...asFollower, limits });
    await follower.rfb();
    followers.push(follower);
  }
  expect(await rig.store.leases.count(leaseNames.user('ben'))).toBe(0);
  const own = await rig.open({ user: asFollower.user, limits });
  await own.rfb();
  for (const client of [own, ...followers]) client.close();
});

test('a follower that loses its relay resumes at another one, and ends there when the showing does', async () => {
  const [one, two] = await startTwoRelays(start);
  const instructor = instructorOf(one);
  await instructor.show();
  const { client, token } = await openWithToken(one, { ...asFollower });
  client.socket.terminate();
  const { client: again } = await openWithToken(two, {}, token);
  await instructor.stop();
  expect((await again.closed).code).toBe(4423);
});

test('members learn what is shown, that it is their own machine, and that it is over', async () => {
  const rig = await start();
  const instructor = instructorOf(rig);
  const member = await rig.open({ ...asMember });
  await member.rfb();
  const about = () => member.messages.filter(({ type }) => type === 'shown' || type === 'not_shown');
  await instructor.show('first', 222);
  await eventually('the page learns it', () => about().length === 1);
  await instructor.show('second', 100);
  await eventually('the page learns it', () => about().length === 2);
  await instructor.stop();
  await eventually('the page learns it', () => about().length === 3);
  expect(about()).toEqual([
    { type: 'shown', cluster: 'lab', vmid: 222, name: 'ada', by: 'Ina', mine: false },
    { type: 'shown', cluster: 'lab', vmid: 100, name: 'ada', by: 'Ina', mine: true },
    { type: 'not_shown' },
  ]);
  member.close();
});
