import { grantKeysOf } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createSessionRecords, type SessionRecord } from '@porthole/shared/session/records';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { aCluster, aUser, grantKey, startBroker, usersFile, type Rig, type RigOptions } from '../rig.ts';

export const users = constantSecret(
  usersFile(aUser('anna', 'class-a'), aUser('ben', 'class-a'), aUser('ina'), aUser('ada'), aUser('eve')),
);
export const config: RigOptions['config'] = {
  access: [
    { who: { users: ['ada'] }, which: { all: true }, allow: ['watch', 'end'] },
    { who: { users: ['eve'] }, which: { all: true }, allow: ['control'] },
  ],
  classes: [
    {
      name: 'networks',
      title: 'Networks',
      members: { groups: ['class-a'] },
      instructors: { users: ['ina'] },
      machines: { tags: ['lab'] },
      own: ['lab-{user}'],
    },
  ],
};
export const keys = grantKeysOf(constantSecret(grantKey));

export const recordsOf = (store: Store) =>
  createSessionRecords({ records: store.records, leases: store.leases, keys, random: systemRandom });

/** Stores the record of an open console. */
export async function live(
  store: Store,
  over: Partial<SessionRecord> & { sessionId: string },
): Promise<void> {
  const record: SessionRecord = {
    version: 1,
    connection: 'c1',
    relay: 'relay-1',
    loginRef: 'l1',
    user: { id: 'local:anna', name: 'anna' },
    cluster: 'school',
    node: 'pve1',
    type: 'qemu',
    vmid: 101,
    machineName: 'lab-anna',
    mode: 'control',
    kind: 'screen',
    since: Date.UTC(2026, 0, 1),
    bytes: { toViewer: 1000, toMachine: 10 },
    ...over,
  };
  await recordsOf(store).claim(record, 0);
  await store.leases.join(leaseNames.allSessions, record.sessionId, Number.MAX_SAFE_INTEGER, 90_000);
}

export const ben = {
  user: { id: 'local:ben', name: 'ben' },
  vmid: 102,
  machineName: 'lab-ben',
  node: 'pve2',
};
export const teacher = {
  user: { id: 'local:eve', name: 'eve' },
  vmid: 200,
  machineName: 'teacher',
  type: 'lxc' as const,
};

export async function aSchool(options: RigOptions = {}) {
  const clock = createFakeClock();
  const fake = await aCluster();
  const rig = await startBroker({
    clock,
    proxmox: [{ name: 'school', fake }],
    users,
    ...options,
    config: { ...config, ...options.config },
  });
  await live(rig.store, { sessionId: 'anna-1' });
  await live(rig.store, { sessionId: 'ben-1', ...ben, since: Date.UTC(2026, 0, 1, 0, 1) });
  await live(rig.store, { sessionId: 'eve-1', ...teacher, since: Date.UTC(2026, 0, 1, 0, 2) });
  const orders: ConsoleSignal[] = [];
  createConsoleSignals({ bus: rig.store.signals, keys, random: systemRandom, clock }).subscribe((signal) =>
    orders.push(signal),
  );
  return { rig, clock, fake, orders };
}

export async function idsFor(
  rig: Rig,
  clock: FakeClock,
  name: string,
  query = '?scope=all',
): Promise<string[]> {
  clock.advance(1000);
  const answer = await (await rig.signedIn(name)).get(`/api/v1/sessions${query}`);
  return answer.json.sessions.map(({ id }: { id: string }) => id);
}
