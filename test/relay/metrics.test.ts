import { eventually } from '../eventually.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createRelayRig, type RelayRig } from './rig.ts';

const clock = createFakeClock(Date.now());
let rig: RelayRig;
beforeEach(async () => {
  rig = await createRelayRig({ clock });
});
afterEach(async () => {
  // Time stands still here: nobody is told to move in his turn.
  await eventually(
    'all are gone',
    async () => (await value('porthole_relay_sockets{state="session"}')) === 0,
  );
  await rig.stop();
});

/** The value of one series; undefined when there is none. */
async function value(series: string): Promise<number | undefined> {
  const line = (await rig.metrics()).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
const counted = (series: string, atLeast: number) =>
  eventually(`${series} is ${atLeast} at least`, async () => ((await value(series)) ?? 0) >= atLeast);

test('every series with a closed set of labels is there from the start', async () => {
  for (const series of [
    'porthole_relay_bytes_total{direction="to_viewer"}',
    'porthole_relay_frames_total{direction="to_machine"}',
    'porthole_relay_buffered_bytes{direction="to_viewer"}',
    'porthole_relay_stalls_total{direction="to_machine"}',
    'porthole_relay_ping_rtt_seconds_count{side="machine"}',
    'porthole_relay_open_duration_seconds_count{phase="picture"}',
    'porthole_relay_queued_sessions{cluster="lab"}',
    'porthole_relay_node_slots{cluster="lab"}',
  ])
    expect([series, await value(series)]).toEqual([series, 0]);
});

test('an open console counts its first picture, its frames both ways, and how fast both sides answer', async () => {
  const client = await rig.open();
  const rfb = await client.rfb();
  expect(await value('porthole_relay_open_duration_seconds_count{phase="total"}')).toBe(1);
  expect(await value('porthole_relay_open_duration_seconds_count{phase="picture"}')).toBe(0);
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(await value('porthole_relay_open_duration_seconds_count{phase="picture"}')).toBe(1);
  await counted('porthole_relay_frames_total{direction="to_viewer"}', 1);
  await counted('porthole_relay_frames_total{direction="to_machine"}', 1);
  const before = await value('porthole_relay_frames_total{direction="to_machine"}');
  clock.advance(20_000);
  await counted('porthole_relay_ping_rtt_seconds_count{side="viewer"}', 1);
  await counted('porthole_relay_ping_rtt_seconds_count{side="machine"}', 1);
  client.close();
  await eventually('it is over', async () => (await value('porthole_relay_sockets{state="session"}')) === 0);
  // What has been counted stays counted, and pings are no console bytes.
  expect(await value('porthole_relay_frames_total{direction="to_machine"}')).toBe(before);
  expect(rig.proxmox.violations).toEqual([]);
});

test('a pong that nobody asked for measures nothing', async () => {
  const client = await rig.open();
  const rfb = await client.rfb();
  client.socket.pong();
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(await value('porthole_relay_ping_rtt_seconds_count{side="viewer"}')).toBe(0);
  client.close();
});

test('a viewer that does not read is seen in what waits for it, and as a stall', async () => {
  const client = await rig.open();
  const rfb = await client.rfb();
  client.socket.pause();
  await eventually(
    'bytes wait',
    async () => {
      for (let ask = 0; ask < 10; ask++) rfb.requestUpdate(false);
      return ((await value('porthole_relay_buffered_bytes{direction="to_viewer"}')) ?? 0) > 100_000;
    },
    { withinMs: 50_000 },
  );
  await eventually(
    'it stalls',
    async () => {
      for (let ask = 0; ask < 10; ask++) rfb.requestUpdate(false);
      return ((await value('porthole_relay_stalls_total{direction="to_viewer"}')) ?? 0) > 0;
    },
    { withinMs: 50_000 },
  );
  client.socket.terminate();
  await eventually('nothing waits', async () => {
    return (await value('porthole_relay_buffered_bytes{direction="to_viewer"}')) === 0;
  });
}, 120_000);

test('who waits in line, and which slots are held, is counted for the cluster', async () => {
  const blocked = 'somebody-else';
  await rig.store.leases.join('node/lab/pve1', blocked, 1, 60_000);
  await rig.store.leases.join('node/lab/pve1', `${blocked}-2`, 1, 60_000);
  await rig.store.leases.join('node/lab/pve1', `${blocked}-3`, 1, 60_000);
  const client = await rig.open();
  await counted('porthole_relay_queued_sessions{cluster="lab"}', 1);
  expect(await value('porthole_relay_node_slots{cluster="lab"}')).toBe(0);
  client.close();
  await eventually(
    'nobody waits',
    async () => (await value('porthole_relay_queued_sessions{cluster="lab"}')) === 0,
  );
  // And while Proxmox opens one.
  for (const holder of [blocked, `${blocked}-2`, `${blocked}-3`])
    await rig.store.leases.release('node/lab/pve1', holder);
  rig.proxmox.stallConsole(100);
  const next = await rig.open();
  await counted('porthole_relay_node_slots{cluster="lab"}', 1);
  next.close();
  await eventually(
    'the slot is free',
    async () => (await value('porthole_relay_node_slots{cluster="lab"}')) === 0,
  );
});
