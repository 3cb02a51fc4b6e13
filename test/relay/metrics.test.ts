import { eventually } from '../eventually.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createRelayRig, type RelayRig } from './rig.ts';

const clock = createFakeClock(Date.now());
let rig: RelayRig;
beforeEach(async () => {
  rig = await createRelayRig({ clock });
});
afterEach(async () => {
  // A drain would wait for the clock, which stands still.
  await eventually(
    'all connections are closed',
    async () => (await value('porthole_relay_sockets{state="session"}')) === 0,
  );
  await rig.stop();
});

/** The value of a series; undefined if there is none. */
async function value(series: string): Promise<number | undefined> {
  const line = (await rig.metrics()).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
const waitFor = (series: string, atLeast: number) =>
  eventually(`${series} is at least ${atLeast}`, async () => ((await value(series)) ?? 0) >= atLeast);

test('every series with a closed set of labels exists from the start', async () => {
  for (const series of [
    'porthole_relay_bytes_total{direction="to_viewer"}',
    'porthole_relay_frames_total{direction="to_machine"}',
    'porthole_relay_buffered_bytes{direction="to_viewer"}',
    'porthole_relay_stalls_total{direction="to_machine"}',
    'porthole_relay_terminals_unanswered_total',
    'porthole_relay_parked_sessions',
    'porthole_relay_parkings_total',
    'porthole_relay_parking_returns_total',
    'porthole_relay_ping_rtt_seconds_count{side="machine"}',
    'porthole_relay_open_duration_seconds_count{phase="picture"}',
    'porthole_relay_queued_sessions{cluster="lab"}',
    'porthole_relay_node_slots{cluster="lab"}',
  ])
    expect([series, await value(series)]).toEqual([series, 0]);
});

test('an open console counts its first picture, its frames in both directions and the round-trip times of both sides', async () => {
  const client = await rig.open();
  const rfb = await client.rfb();
  expect(await value('porthole_relay_open_duration_seconds_count{phase="total"}')).toBe(1);
  expect(await value('porthole_relay_open_duration_seconds_count{phase="picture"}')).toBe(0);
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(await value('porthole_relay_open_duration_seconds_count{phase="picture"}')).toBe(1);
  await waitFor('porthole_relay_frames_total{direction="to_viewer"}', 1);
  await waitFor('porthole_relay_frames_total{direction="to_machine"}', 1);
  const before = await value('porthole_relay_frames_total{direction="to_machine"}');
  clock.advance(20_000);
  await waitFor('porthole_relay_ping_rtt_seconds_count{side="viewer"}', 1);
  await waitFor('porthole_relay_ping_rtt_seconds_count{side="machine"}', 1);
  client.close();
  await eventually(
    'the session is over',
    async () => (await value('porthole_relay_sockets{state="session"}')) === 0,
  );
  // The counters keep their values, and pings do not count as frames.
  expect(await value('porthole_relay_frames_total{direction="to_machine"}')).toBe(before);
  expect(rig.proxmox.violations).toEqual([]);
});

test('an unsolicited pong is not measured', async () => {
  const client = await rig.open();
  const rfb = await client.rfb();
  client.socket.pong();
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(await value('porthole_relay_ping_rtt_seconds_count{side="viewer"}')).toBe(0);
  client.close();
});

test('a viewer that does not read shows as buffered bytes and as a stall', async () => {
  const client = await rig.open();
  const rfb = await client.rfb();
  client.socket.pause();
  await eventually('bytes are buffered', async () => {
    rfb.requestUpdate(false);
    return ((await value('porthole_relay_buffered_bytes{direction="to_viewer"}')) ?? 0) > 100_000;
  });
  await eventually('the stall is counted', async () => {
    rfb.requestUpdate(false);
    return ((await value('porthole_relay_stalls_total{direction="to_viewer"}')) ?? 0) > 0;
  });
  client.socket.terminate();
  await eventually('no bytes are buffered', async () => {
    return (await value('porthole_relay_buffered_bytes{direction="to_viewer"}')) === 0;
  });
});

test('queued sessions and used node slots are counted by cluster', async () => {
  const holder = 'another-session';
  await rig.store.leases.join('node/lab/pve1', holder, 1, 60_000);
  await rig.store.leases.join('node/lab/pve1', `${holder}-2`, 1, 60_000);
  await rig.store.leases.join('node/lab/pve1', `${holder}-3`, 1, 60_000);
  const client = await rig.open();
  await waitFor('porthole_relay_queued_sessions{cluster="lab"}', 1);
  expect(await value('porthole_relay_node_slots{cluster="lab"}')).toBe(0);
  client.close();
  await eventually(
    'no session is queued',
    async () => (await value('porthole_relay_queued_sessions{cluster="lab"}')) === 0,
  );
  // A slot is used while Proxmox opens a console.
  for (const each of [holder, `${holder}-2`, `${holder}-3`])
    await rig.store.leases.release('node/lab/pve1', each);
  rig.proxmox.stallConsole(100);
  const next = await rig.open();
  await waitFor('porthole_relay_node_slots{cluster="lab"}', 1);
  next.close();
  await eventually(
    'the slot is free',
    async () => (await value('porthole_relay_node_slots{cluster="lab"}')) === 0,
  );
});
