import { systemRandom } from '@porthole/shared/crypto/random';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { leaseNames } from '@porthole/shared/store/keys';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { closeOf } from '../close-codes/expect-close.ts';
import type { ConsoleClient } from '../console-client.ts';
import { grantKey, useRelayRigs, type RelayRig, type RigOptions } from '../rig.ts';
import { latestResumeToken, sessionRecordsIn } from '../session/resume-rig.ts';
import { startSharingRelays, vncproxyCalls } from './sharing-rig.ts';

const start = useRelayRigs();

interface SharedSessions {
  readonly one: RelayRig;
  readonly two: RelayRig;
  /** A viewer of the relay that owns the console, and one that another relay forwards to it. */
  readonly local: ConsoleClient;
  readonly remote: ConsoleClient;
}

const aUser = (name: string): GrantClaims['user'] => ({ id: name, name, groups: [] });

/** Two relays with one machine, whose console both viewers share. */
async function share(
  options: RigOptions = {},
  {
    local: localClaims,
    remote: remoteClaims,
  }: { local?: Partial<GrantClaims>; remote?: Partial<GrantClaims> } = {},
): Promise<SharedSessions> {
  const [one, two] = (await startSharingRelays(start, 2, options)) as [RelayRig, RelayRig];
  const first = await one.open({ user: aUser('local'), sessionId: 'local', ...localClaims });
  const firstRfb = await first.rfb();
  firstRfb.requestUpdate(false);
  const token = await latestResumeToken(first);
  const remote = await two.open({ user: aUser('remote'), sessionId: 'remote', ...remoteClaims });
  expect(await first.closed).toEqual(closeOf('screen_shared'));
  const local = one.connect({ token });
  for (const client of [local, remote]) {
    const rfb = await client.rfb();
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
  }
  expect(vncproxyCalls(one)).toBe(1);
  return { one, two, local, remote };
}

const notices = ({ messages }: ConsoleClient) =>
  messages.flatMap((message) => (message.type === 'screen' ? [message.state] : []));

describe('shared and forwarded viewers', () => {
  test('end like today when their machine is turned off and stays off', async () => {
    const { one, local, remote } = await share({ sharing: { healSeconds: 2 } });
    await one.guest.stop();
    expect([await local.closed, await remote.closed]).toEqual([
      closeOf('machine_ended'),
      closeOf('machine_ended'),
    ]);
    expect([notices(local), notices(remote)]).toEqual([['reconnecting'], ['reconnecting']]);
  });

  test('end like today when their machine is deleted', async () => {
    const { one, local, remote } = await share();
    one.proxmox.removeGuest(100);
    expect([await local.closed, await remote.closed]).toEqual([
      closeOf('machine_not_found'),
      closeOf('machine_not_found'),
    ]);
  });

  test('keep their sockets when Proxmox drops the console, are told, and can type again', async () => {
    const { one, local, remote } = await share();
    one.proxmox.dropConsoles(100);
    await eventually('both are told that the screen is live again', () =>
      [local, remote].every((client) => notices(client).join() === 'reconnecting,live'),
    );
    expect(vncproxyCalls(one)).toBe(2);
    expect(await one.metrics()).toMatch(/porthole_relay_screen_heals_total\{result="ok"\} 1/);
    expect([local.socket.readyState, remote.socket.readyState]).toEqual([1, 1]);
  });

  test('are ended one by one by an order, and the others stay', async () => {
    const { one, local, remote } = await share();
    const { store } = one;
    const keys = () => [grantKey];
    const common = { keys, random: systemRandom, clock: systemClock };
    const signals = createConsoleSignals({ bus: store.signals, ...common });
    const orders = createTerminationOrders({ records: store.records, signals, ...common });
    await orders.issue({ kind: 'user', ref: 'remote' }, 'ended_by_operator');
    expect(await remote.closed).toEqual(closeOf('ended_by_operator'));
    expect(local.socket.readyState).toBe(1);
    await orders.issue({ kind: 'session', ref: 'local' }, 'ended_by_operator');
    expect(await local.closed).toEqual(closeOf('ended_by_operator'));
  });

  test('end at their own time limits', async () => {
    const limits = { sessionSeconds: 3, idleSeconds: 60, perUser: 9, perMachine: 9 };
    const { local, remote } = await share({}, { remote: { limits } });
    expect(await remote.closed).toEqual(closeOf('time_limit'));
    expect(local.socket.readyState).toBe(1);
  });

  test('count for the limits of their user and machine, and are listed with their own relay', async () => {
    const { one, two, local } = await share();
    const limits = { sessionSeconds: 60, idleSeconds: 60, perUser: 9, perMachine: 2 };
    expect(await (await two.open({ limits, user: aUser('third') })).closed).toEqual(closeOf('machine_limit'));
    const records = await sessionRecordsIn(one.store).list(leaseNames.machine('lab', 100));
    expect(records.map(({ sessionId }) => sessionId).toSorted()).toEqual(['local', 'remote']);
    expect(new Set(records.map(({ relay }) => relay)).size).toBe(2);
    expect(records.map(({ node }) => node)).toEqual(['pve1', 'pve1']);
    expect(local.socket.readyState).toBe(1);
  });

  test('are listed as shared, wherever the screen is, and a session with a console of its own is not', async () => {
    const { one, local, remote } = await share();
    const other = await start();
    const alone = await other.open({ sessionId: 'alone' });
    const rfb = await alone.rfb();
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    // A relay writes the record with its heartbeat, and when a viewer is lost.
    for (const client of [local, remote, alone]) client.socket.terminate();
    const find = ({ store }: RelayRig, id: string) => sessionRecordsIn(store).find(id);
    for (const id of ['local', 'remote'])
      await eventually(`${id} is listed as shared`, async () => (await find(one, id))?.shared === true);
    await eventually('the session has ended', () => other.audited.at(-1)?.event === 'console_ended');
    expect(await find(other, 'alone')).toMatchObject({ mode: 'control' });
    expect((await find(other, 'alone'))?.shared).toBeUndefined();
  });

  test('learn who observes them, wherever the observer is', async () => {
    const { two, local } = await share({}, { remote: { observer: true, mode: 'view', user: aUser('Ina') } });
    await eventually('the local viewer is told', () =>
      local.messages.some((message) => message.type === 'observers' && message.by.includes('Ina')),
    );
    expect(two.audited.map(({ event }) => event)).toContain('console_opened');
  });

  test('that may only view send the machine nothing', async () => {
    const { one, local, remote } = await share({}, { remote: { mode: 'view' } });
    const key = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x78]);
    remote.socket.send(key, { binary: true });
    const typed = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x79]);
    await eventually('the remote key was read', () => remote.socket.bufferedAmount === 0);
    local.socket.send(typed, { binary: true });
    await eventually('the machine has the key of the local viewer', () => one.guest.keys().includes('y'));
    expect(one.guest.keys()).toBe('y');
  });

  test('are audited, counted and logged at their own relays', async () => {
    const { one, two, local, remote } = await share();
    expect(await one.metrics()).toMatch(/porthole_relay_screen_sessions\{way="shared"\} 1/);
    expect(await two.metrics()).toMatch(/porthole_relay_screen_sessions\{way="forwarded"\} 1/);
    local.close();
    remote.close();
    await eventually('both relays have audited the end', () =>
      [one, two].every(({ audited }) => audited.at(-1)?.event === 'console_ended'),
    );
    expect(two.audited.map(({ event }) => event)).toEqual(['console_opened', 'console_ended']);
    expect(one.audited.map((entry) => [entry.event, 'end' in entry ? entry.end : undefined])).toEqual([
      ['console_opened', undefined],
      ['console_ended', 'screen_shared'],
      ['console_opened', undefined],
      ['console_ended', 'by_viewer'],
    ]);
    await eventually('no session is counted', async () =>
      /screen_sessions\{way="forwarded"\} 0/.test(await two.metrics()),
    );
  });
});
