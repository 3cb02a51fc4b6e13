import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import {
  startPorthole,
  startRecordingPorthole,
  type ComparedRelay,
  type Upstream,
} from './compared-relays.ts';
import { closeAll, measureFlow, measureIdle, open, type Bench, type Flow, type Idle } from './measure.ts';
import { median } from './median.ts';
import type { Plan, Workload } from './plan.ts';

type Side = 'plain' | 'recorded';
const sides = ['plain', 'recorded'] as const;

interface MeasuredWorkload {
  readonly workload: Workload;
  readonly flows: Readonly<Record<Side, readonly Flow[]>>;
}

export interface RecordingResults {
  readonly plan: Plan;
  readonly workloads: readonly MeasuredWorkload[];
  readonly idle: Readonly<Record<Side, readonly Idle[]>>;
}

/** Compares a relay that records all consoles into a directory with one that records none, in interleaved rounds. */
export async function measureRecording(given: Plan): Promise<RecordingResults> {
  const plan = { ...given, idleSessions: Math.min(given.idleSessions, 500) };
  const folder = await mkdtemp(join(tmpdir(), 'porthole-bench-recordings-'));
  const upstream = await startChild('upstream-main.ts');
  const viewers = await startChild('viewers-main.ts');
  const bench: Bench = { upstream, viewers, plan };
  let directories = 0;
  const start = async (): Promise<Record<Side, ComparedRelay>> => {
    const directory = join(folder, String(directories++));
    await mkdir(directory);
    const listening = upstream.ready as Upstream;
    return {
      plain: await startPorthole(listening),
      recorded: await startRecordingPorthole(directory)(listening),
    };
  };
  try {
    const workloads: MeasuredWorkload[] = [];
    for (const workload of plan.workloads)
      workloads.push(await measureWorkload(bench, await start(), workload));
    const idle: Record<Side, Idle[]> = { plain: [], recorded: [] };
    for (let round = 0; round < plan.idleRounds; round++) {
      const relays = await start();
      for (const side of sides) {
        idle[side].push(await measureIdle(bench, relays[side]));
        await relays[side].stop();
      }
    }
    return { plan, workloads, idle };
  } finally {
    await Promise.all([upstream.stop(), viewers.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureWorkload(
  bench: Bench,
  relays: Record<Side, ComparedRelay>,
  workload: Workload,
): Promise<MeasuredWorkload> {
  const { plan } = bench;
  const flows: Record<Side, Flow[]> = { plain: [], recorded: [] };
  for (const side of sides) await open(bench, relays[side], workload.sessions);
  // Round 0 is the warm-up.
  for (let round = 0; round <= plan.rounds; round++)
    for (const side of sides) {
      const flow = await measureFlow(bench, relays[side], workload);
      if (round > 0) flows[side].push(flow);
      console.error(
        `${round}/${plan.rounds} recording ${workload.name} ${side}: ${flow.cpuPerGib.toFixed(2)} s/GiB, main thread ${flow.mainCpuPerGib.toFixed(2)}`,
      );
    }
  await closeAll(bench);
  for (const side of sides) await relays[side].stop();
  return { workload, flows };
}

export function reportRecording({ plan, workloads, idle }: RecordingResults): string {
  const ratio = (flows: MeasuredWorkload['flows'], key: 'cpuPerGib' | 'mainCpuPerGib') => {
    const [plain, recorded] = sides.map((side) => median(flows[side].map((flow) => flow[key])));
    return `${((recorded ?? 0) / (plain ?? 1)).toFixed(2)} (${(plain ?? 0).toFixed(2)}, ${(recorded ?? 0).toFixed(2)} s/GiB)`;
  };
  const of = (side: Side, key: keyof Idle, digits: number) =>
    median(idle[side].map((one) => one[key])).toFixed(digits);
  return [
    `Measured on ${cpus().length} cores (${cpus()[0]?.model.trim()}), with a directory as storage. Medians of ${plan.rounds} interleaved rounds (${plan.idleRounds} for ${plan.idleSessions} idle sessions).`,
    '',
    '| Workload | CPU of the forwarding thread, recorded to plain | CPU of all threads, recorded to plain |',
    '|---|--:|--:|',
    ...workloads.map(
      ({ workload, flows }) =>
        `| ${workload.name}: ${workload.text} | ${ratio(flows, 'mainCpuPerGib')} | ${ratio(flows, 'cpuPerGib')} |`,
    ),
    '',
    ...(plan.idleRounds === 0 ? [] : reportIdle(plan, of)),
  ].join('\n');
}

function reportIdle(
  plan: Plan,
  of: (side: Side, key: keyof Idle, digits: number) => string,
): readonly string[] {
  return [
    `| ${plan.idleSessions} sessions | KiB RSS per session | echo p50 ms | p99 ms |`,
    '|---|--:|--:|--:|',
    ...sides.map(
      (side) =>
        `| ${side} | ${of(side, 'kibPerSession', 0)} | ${of(side, 'p50', 2)} | ${of(side, 'p99', 1)} |`,
    ),
    '',
  ];
}
