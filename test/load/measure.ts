import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import type { ComparedRelay } from './compared-relays.ts';
import type { Plan, Workload } from './plan.ts';
import { mainThreadSeconds, usageOf } from './process-usage.ts';

export interface Flow {
  readonly cpuPerGib: number;
  /** Of the thread that forwards alone. */
  readonly mainCpuPerGib: number;
  readonly cpuPerFrame: number;
  readonly mibPerSecond: number;
}

export interface Idle {
  readonly sessions: number;
  readonly kibPerSession: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly lost: number;
  readonly opensPerSecond: number;
  readonly cpuMsPerOpen: number;
}

export interface Bench {
  readonly upstream: Child;
  readonly viewers: Child;
  readonly plan: Plan;
}

/**
 * Runs one workload through all relays, in interleaved rounds. Opens the sessions before, and waits until the
 * aftereffects of opening (compilation, garbage collection, kept connections) have ended, because only forwarding is
 * measured.
 */
export async function measureFlows(
  bench: Bench,
  relays: readonly ComparedRelay[],
  workload: Workload,
  onFlow: (round: number, relay: string, flow: Flow) => void,
): Promise<void> {
  for (const relay of relays) await open(bench, relay, workload.sessions);
  await sleep(bench.plan.settleMs);
  // Round 0 is the warm-up.
  for (let round = 0; round <= bench.plan.rounds; round++)
    for (const relay of relays) onFlow(round, relay.name, await measureFlow(bench, relay, workload));
  await closeAll(bench);
}

/** Measures the CPU time of one relay per gibibyte. */
export async function measureFlow(bench: Bench, relay: ComparedRelay, workload: Workload): Promise<Flow> {
  const bytes = workload.sessions * workload.framesPerSession * workload.frameBytes;
  const before = usageOf(relay.pid).cpuSeconds;
  const mainBefore = mainThreadSeconds(relay.pid);
  const received = bench.viewers.request<{ seconds: number }>({ receive: bytes });
  await bench.upstream.request({ flood: workload, relay: relay.name });
  const { seconds } = await received;
  const cpu = usageOf(relay.pid).cpuSeconds - before;
  const mainCpu = mainThreadSeconds(relay.pid) - mainBefore;
  return {
    cpuPerGib: (cpu / bytes) * 2 ** 30,
    mainCpuPerGib: (mainCpu / bytes) * 2 ** 30,
    cpuPerFrame: cpu / (workload.sessions * workload.framesPerSession),
    mibPerSecond: bytes / 2 ** 20 / seconds,
  };
}

/** Measures idle sessions: the cost of opening and keeping them, and the latency of an echo. */
export async function measureIdle(bench: Bench, relay: ComparedRelay): Promise<Idle> {
  const { plan, viewers } = bench;
  // The first sessions have one-time costs.
  await open(bench, relay, 20);
  await closeAll(bench);
  await sleep(plan.settleMs);
  const before = usageOf(relay.pid);
  const sessions = Math.min(plan.idleSessions, relay.maxSessions ?? plan.idleSessions);
  const { seconds } = await open(bench, relay, sessions);
  const opened = usageOf(relay.pid);
  const { p50, p99, p999, lost } = await viewers.request<Pick<Idle, 'p50' | 'p99' | 'p999' | 'lost'>>({
    echoSeconds: plan.echoSeconds,
  });
  await sleep(plan.settleMs);
  const settled = usageOf(relay.pid);
  await closeAll(bench);
  return {
    sessions,
    kibPerSession: (settled.rssBytes - before.rssBytes) / 1024 / sessions,
    p50,
    p99,
    p999,
    lost,
    opensPerSecond: sessions / seconds,
    cpuMsPerOpen: ((opened.cpuSeconds - before.cpuSeconds) / sessions) * 1000,
  };
}

export async function open(
  { viewers, plan }: Bench,
  relay: ComparedRelay,
  count: number,
): Promise<{ seconds: number }> {
  const protocols = await relay.protocols(count);
  return viewers.request({ open: { port: relay.port, path: relay.path, protocols, opening: plan.opening } });
}

export async function closeAll({ viewers, upstream }: Bench): Promise<void> {
  await viewers.request({ close: true });
  for (let tries = 0; tries < 200; tries++) {
    const { consoles } = await upstream.request<{ consoles: number }>({});
    if (consoles === 0) return;
    await sleep(25);
  }
  throw new Error('A relay keeps consoles open whose viewers have left.');
}
