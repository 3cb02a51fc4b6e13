import { eventually } from '../eventually.ts';
import type { RelayRig } from '../relay/rig.ts';

/** One sample of the relay's metrics. */
export async function readMetric(rig: RelayRig, sample: string): Promise<number> {
  const line = (await rig.metrics()).split('\n').find((each) => each.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1));
}

/** Connections of viewers, in whatever state. */
export async function countConnections(rig: RelayRig): Promise<number> {
  const states = ['upgrading', 'session', 'closing'];
  const counts = await Promise.all(
    states.map((state) => readMetric(rig, `porthole_relay_sockets{state="${state}"}`)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

export async function expectNoConnections(rig: RelayRig): Promise<void> {
  await eventually('no connection is left', async () => (await countConnections(rig)) === 0);
}
