import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import type { Contender } from './contenders.ts';
import type { Plan, Workload } from './plan.ts';
import { usageOf } from './process-usage.ts';

export interface Flow {
  readonly cpuPerGib: number;
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

export interface Rig {
  readonly upstream: Child;
  readonly viewers: Child;
  readonly plan: Plan;
}

/**
 * Runs one workload through all relays, in interleaved rounds. Opens the sessions before, and waits until the aftereffects of
 * opening (compilation, garbage collection, kept connections) have ended, because only forwarding is measured.
 */
export async function measureFlows(
  rig: Rig,
  relays: readonly Contender[],
  workload: Workload,
  onFlow: (round: number, relay: string, flow: Flow) => void,
): Promise<void> {
  for (const relay of relays) await open(rig, relay, workload.sessions);
  await sleep(rig.plan.settleMs);
  // Round 0 is the warm-up.
  for (let round = 0; round <= rig.plan.rounds; round++)
    for (const relay of relays) onFlow(round, relay.name, await measureFlow(rig, relay, workload));
  await closeAll(rig);
}

/** Measures the CPU time of one relay per gibibyte. */
export async function measureFlow(rig: Rig, relay: Contender, workload: Workload): Promise<Flow> {
  const bytes = workload.sessions * workload.framesPerSession * workload.frameBytes;
  const before = usageOf(relay.pid).cpuSeconds;
  const received = rig.viewers.ask<{ seconds: number }>({ receive: bytes });
  await rig.upstream.ask({ flood: workload, relay: relay.name });
  const { seconds } = await received;
  const cpu = usageOf(relay.pid).cpuSeconds - before;
  return {
    cpuPerGib: (cpu / bytes) * 2 ** 30,
    cpuPerFrame: cpu / (workload.sessions * workload.framesPerSession),
    mibPerSecond: bytes / 2 ** 20 / seconds,
  };
}

/** Measures idle sessions: the cost of opening and keeping them, and the latency of an echo. */
export async function measureIdle(rig: Rig, relay: Contender): Promise<Idle> {
  const { plan, viewers } = rig;
  // The first sessions have one-time costs.
  await open(rig, relay, 20);
  await closeAll(rig);
  await sleep(plan.settleMs);
  const before = usageOf(relay.pid);
  const sessions = Math.min(plan.idleSessions, relay.mostSessions ?? plan.idleSessions);
  const { seconds } = await open(rig, relay, sessions);
  const opened = usageOf(relay.pid);
  const { p50, p99, p999, lost } = await viewers.ask<Pick<Idle, 'p50' | 'p99' | 'p999' | 'lost'>>({
    echoSeconds: plan.echoSeconds,
  });
  await sleep(plan.settleMs);
  const settled = usageOf(relay.pid);
  await closeAll(rig);
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
  { viewers, plan }: Rig,
  relay: Contender,
  count: number,
): Promise<{ seconds: number }> {
  const protocols = await relay.protocols(count);
  return viewers.ask({ open: { port: relay.port, path: relay.path, protocols, opening: plan.opening } });
}

export async function closeAll({ viewers, upstream }: Rig): Promise<void> {
  await viewers.ask({ close: true });
  for (let tries = 0; tries < 200; tries++) {
    const { consoles } = await upstream.ask<{ consoles: number }>({});
    if (consoles === 0) return;
    await sleep(25);
  }
  throw new Error('A relay keeps consoles open whose viewers have left.');
}
