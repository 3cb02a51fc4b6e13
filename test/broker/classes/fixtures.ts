import { constantSecret } from '@porthole/shared/config/secret';
import { createClassStates, type ClassStates } from '@porthole/shared/class/class-states';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import type { Store } from '@porthole/shared/store/ports';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import type { FakeProxmox, GuestOptions } from '../../fakes/proxmox/fake-proxmox.ts';
import { keys } from '../sessions/fixtures.ts';
import { aCluster, aUser, startBroker, usersFile, type Rig, type RigOptions } from '../rig.ts';

export const guests: readonly GuestOptions[] = [
  { vmid: 101, node: 'pve1', name: 'lab-anna', tags: ['lab'] },
  { vmid: 102, node: 'pve2', name: 'lab-ben', tags: ['lab'] },
  { vmid: 103, node: 'pve1', name: 'lab-carl', tags: ['lab'], running: false },
  { vmid: 201, node: 'pve1', name: 'other-dora', tags: ['other'] },
];

/**
 * Two classes. ina instructs lab, olga other. anna and ben are members of lab, dora of other. ada may watch, control and
 * end everything, wes may watch everything, eve controls everything.
 */
export const config: RigOptions['config'] = {
  access: [
    { who: { users: ['ada'] }, which: { all: true }, allow: ['control', 'watch', 'end'] },
    { who: { users: ['wes'] }, which: { all: true }, allow: ['watch'] },
    { who: { users: ['eve', 'anna'] }, which: { all: true }, allow: ['control'] },
  ],
  classes: [
    {
      name: 'lab',
      title: 'The lab',
      members: { groups: ['lab'] },
      instructors: { users: ['ina'] },
      machines: { tags: ['lab'] },
      own: ['lab-{user}'],
      allow: ['control', 'power'],
    },
    {
      name: 'other',
      members: { users: ['dora'] },
      instructors: { users: ['olga'] },
      machines: { tags: ['other'] },
      own: ['other-{user}'],
    },
  ],
};

const users = constantSecret(
  usersFile(
    aUser('anna', 'lab'),
    aUser('ben', 'lab'),
    ...['ina', 'olga', 'dora', 'ada', 'wes', 'eve', 'carl'].map((name) => aUser(name)),
  ),
);

export interface ClassSchool {
  readonly rig: Rig;
  readonly clock: FakeClock;
  readonly fake: FakeProxmox;
  readonly states: ClassStates;
  readonly signals: readonly ConsoleSignal[];
}

export async function aClassSchool(options: RigOptions = {}): Promise<ClassSchool> {
  const clock = createFakeClock();
  const fake = await aCluster(guests, ['VM.PowerMgmt']);
  const rig = await startBroker({
    clock,
    proxmox: [{ name: 'school', fake }],
    users,
    ...options,
    config: { ...config, ...options.config },
  });
  const signals: ConsoleSignal[] = [];
  createConsoleSignals({ bus: rig.store.signals, keys, random: systemRandom, clock }).subscribe((signal) =>
    signals.push(signal),
  );
  return { rig, clock, fake, signals, states: statesIn(rig.store, clock) };
}

export function statesIn({ records, leases, signals }: Store, clock: FakeClock): ClassStates {
  const common = { keys, random: systemRandom };
  return createClassStates({
    ...common,
    records,
    leases,
    signals: createConsoleSignals({ bus: signals, ...common, clock }),
  });
}

/** Users who may do nothing for the class, and the status that they get. */
export const notInstructors: readonly (readonly [who: string, name: string, status: number])[] = [
  ['a member', 'ben', 403],
  ['a member who controls all machines by another rule', 'anna', 403],
  ['a member of another class', 'dora', 404],
  ['an instructor of another class', 'olga', 404],
  ['a user who controls all machines but may not watch', 'eve', 404],
  ['a user without rights', 'carl', 404],
];
