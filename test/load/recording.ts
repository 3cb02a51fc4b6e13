import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './child.ts';
import {
  startPorthole,
  startRecordingPorthole,
  type ComparedRelay,
  type Upstream,
} from './compared-relays.ts';
import { closeAll, measureFlow, measureIdle, open, type Bench, type Flow, type Idle } from './measure.ts';
import { median } from './median.ts';
import { recordedWorkload, type Plan, type Workload } from './plan.ts';
import { mainThreadSeconds, usageOf } from './process-usage.ts';
import { measureFloor, reportFloor, type RecordingFloor } from './recording-floor.ts';

type Side = 'plain' | 'recorded' | 'before';
/** `before` is a relay of another checkout that records, if there is one. */
const allSides: readonly Side[] = ['plain', 'recorded', 'before'];
type BySide<T> = ReadonlyMap<Side, T>;

interface MeasuredWorkload {
  readonly workload: Workload;
  readonly flows: BySide<Flow[]>;
}

export interface RecordingResults {
  readonly plan: Plan;
  readonly workloads: readonly MeasuredWorkload[];
  readonly idle: BySide<Idle[]>;
  readonly floor: RecordingFloor;
}

/**
 * Compares a relay that records all consoles into a directory with one that records none, in interleaved rounds, and with
 * the one of the checkout `before`.
 */
export async function measureRecording(given: Plan, before?: string): Promise<RecordingResults> {
  const plan = { ...given, idleSessions: Math.min(given.idleSessions, 500) };
  const folder = await mkdtemp(join(tmpdir(), 'porthole-bench-recordings-'));
  const upstream = await startChild('upstream-main.ts');
  const viewers = await startChild('viewers-main.ts');
  const bench: Bench = { upstream, viewers, plan };
  const listening = upstream.ready as Upstream;
  let directories = 0;
  const directory = async () => {
    const path = join(folder, String(directories++));
    await mkdir(path);
    return path;
  };
  const start = async (): Promise<BySide<ComparedRelay>> => {
    const relays = new Map<Side, ComparedRelay>();
    relays.set('plain', await startPorthole(listening));
    relays.set('recorded', await startRecordingPorthole(await directory())(listening));
    if (before !== undefined)
      relays.set('before', await startRecordingPorthole(await directory(), before)(listening));
    return relays;
  };
  try {
    const workloads: MeasuredWorkload[] = [];
    for (const workload of plan.workloads)
      workloads.push(await measureWorkload(bench, await start(), workload));
    const idle = bySide<Idle>();
    for (let round = 0; round < plan.idleRounds; round++)
      for (const [side, relay] of await start()) {
        idle.get(side)?.push(await measureIdle(bench, relay));
        await relay.stop();
      }
    return { plan, workloads, idle, floor: measureFloor(folder, plan.floorBytes) };
  } finally {
    await Promise.all([upstream.stop(), viewers.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

const bySide = <T>() => new Map<Side, T[]>(allSides.map((side) => [side, []]));

async function measureWorkload(
  bench: Bench,
  relays: BySide<ComparedRelay>,
  workload: Workload,
): Promise<MeasuredWorkload> {
  const { plan } = bench;
  const flows = bySide<Flow>();
  const recorded = recordedWorkload(plan, workload);
  // Round 0 is the warm-up.
  for (let round = 0; round <= plan.rounds; round++)
    for (const [side, relay] of relays) {
      const flow = await measureUntilStored(bench, relay, round > 0 ? recorded : workload);
      if (round > 0) flows.get(side)?.push(flow);
      console.error(
        `${round}/${plan.rounds} recording ${workload.name} ${side}: ${flow.cpuPerGib.toFixed(2)} s/GiB, main thread ${flow.mainCpuPerGib.toFixed(2)}`,
      );
    }
  for (const relay of relays.values()) await relay.stop();
  return { workload: recorded, flows };
}

/**
 * With what the relay does after the last byte was forwarded: the sessions end, and it works until the storage has all of their
 * recordings. The same time for each relay.
 */
async function measureUntilStored(bench: Bench, relay: ComparedRelay, workload: Workload): Promise<Flow> {
  await open(bench, relay, workload.sessions);
  await sleep(bench.plan.settleMs);
  const flow = await measureFlow(bench, relay, workload);
  const [before, mainBefore] = [usageOf(relay.pid).cpuSeconds, mainThreadSeconds(relay.pid)];
  await closeAll(bench);
  await sleep(bench.plan.storedMs);
  const frames = workload.sessions * workload.framesPerSession;
  const gibibytes = (frames * workload.frameBytes) / 2 ** 30;
  const cpu = usageOf(relay.pid).cpuSeconds - before;
  return {
    ...flow,
    cpuPerGib: flow.cpuPerGib + cpu / gibibytes,
    mainCpuPerGib: flow.mainCpuPerGib + (mainThreadSeconds(relay.pid) - mainBefore) / gibibytes,
    cpuPerFrame: flow.cpuPerFrame + cpu / frames,
  };
}

export function reportRecording({ plan, workloads, idle, floor }: RecordingResults): string {
  const medianOf = (flows: readonly Flow[] = [], key: 'cpuPerGib' | 'mainCpuPerGib') =>
    median(flows.map((flow) => flow[key]));
  const ratio = (flows: BySide<Flow[]>, side: Side, key: 'cpuPerGib' | 'mainCpuPerGib') => {
    const [plain, recorded] = [medianOf(flows.get('plain'), key), medianOf(flows.get(side), key)];
    return `${(recorded / plain).toFixed(2)} (${plain.toFixed(2)}, ${recorded.toFixed(2)} s/GiB)`;
  };
  const rows = workloads.flatMap(({ workload, flows }) =>
    allSides
      .filter((side) => side !== 'plain' && (flows.get(side)?.length ?? 0) > 0)
      .map(
        (side) =>
          `| ${workload.name}: ${workload.text}${side === 'before' ? ' (before)' : ''} | ${ratio(flows, side, 'mainCpuPerGib')} | ${ratio(flows, side, 'cpuPerGib')} |`,
      ),
  );
  return [
    `Measured on ${cpus().length} cores (${cpus()[0]?.model.trim()}), with a directory as storage. Medians of ${plan.rounds} interleaved rounds (${plan.idleRounds} for ${plan.idleSessions} idle sessions).`,
    '',
    '| Workload | CPU of the forwarding thread, recorded to plain | CPU of all threads, recorded to plain |',
    '|---|--:|--:|',
    ...rows,
    '',
    ...reportFloor(
      floor,
      workloads.map(({ workload: { name }, flows }) => ({
        name,
        plain: medianOf(flows.get('plain'), 'cpuPerGib'),
        recorded: medianOf(flows.get('recorded'), 'cpuPerGib'),
      })),
    ),
    ...(plan.idleRounds === 0 ? [] : reportIdle(plan, idle)),
  ].join('\n');
}

function reportIdle(plan: Plan, idle: BySide<Idle[]>): readonly string[] {
  const of = (measured: readonly Idle[], key: keyof Idle, digits: number) =>
    median(measured.map((one) => one[key])).toFixed(digits);
  return [
    `| ${plan.idleSessions} sessions | KiB RSS per session | echo p50 ms | p99 ms |`,
    '|---|--:|--:|--:|',
    ...Array.from(idle)
      .filter(([, measured]) => measured.length > 0)
      .map(
        ([side, measured]) =>
          `| ${side} | ${of(measured, 'kibPerSession', 0)} | ${of(measured, 'p50', 2)} | ${of(measured, 'p99', 1)} |`,
      ),
    '',
  ];
}
