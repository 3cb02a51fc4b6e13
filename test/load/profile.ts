import { setTimeout as sleep } from 'node:timers/promises';
import type { ComparedRelay } from './compared-relays.ts';
import { closeAll, measureFlow, open, type Bench } from './measure.ts';
import type { Workload } from './plan.ts';
import type { HeapSummary, CpuShare } from './profile-child.ts';

/** Functions that take less than this share of a frame are not listed. */
const smallestShare = 0.005;
const mostFunctions = 16;

interface ProfiledFlow {
  readonly name: string;
  readonly microsPerFrame: number;
  /** By function. */
  readonly shares: ReadonlyMap<string, number>;
}

/**
 * Profiles the CPU time per frame in each workload, of Porthole and of bare Node, and the memory of an idle session of
 * Porthole. As Markdown.
 */
export async function profile(
  bench: Bench,
  { porthole, bareNode }: Readonly<Record<'porthole' | 'bareNode', () => Promise<ComparedRelay>>>,
): Promise<string> {
  const lines: string[] = [];
  for (const workload of bench.plan.workloads) {
    const ours = await profileFlow(bench, workload, porthole);
    const bare = await profileFlow(bench, workload, bareNode);
    lines.push(`### ${workload.name}: CPU time per frame`, '', ...flowTable(ours, bare), '');
  }
  if (bench.plan.idleRounds > 0) lines.push(...(await profileIdle(bench, porthole)));
  return `${lines.join('\n').trimEnd()}\n`;
}

async function profileFlow(
  bench: Bench,
  workload: Workload,
  start: () => Promise<ComparedRelay>,
): Promise<ProfiledFlow> {
  const relay = await start();
  await open(bench, relay, workload.sessions);
  await sleep(bench.plan.settleMs);
  await measureFlow(bench, relay, workload); // warm-up
  await relay.request?.({ profile: 'start' });
  const { cpuPerFrame } = await measureFlow(bench, relay, workload);
  const { cpuShares } = (await relay.request?.<{ cpuShares: CpuShare[] }>({ profile: 'stop' })) ?? {
    cpuShares: [],
  };
  await closeAll(bench);
  await relay.stop();
  const shares = new Map(cpuShares.map(({ location, share }) => [location, share]));
  return { name: relay.name, microsPerFrame: cpuPerFrame * 1e6, shares };
}

/** In microseconds. What only one of both calls is 0 for the other. */
function flowTable(...flows: readonly [ProfiledFlow, ProfiledFlow]): string[] {
  const largestShare = (location: string) =>
    Math.max(...flows.map(({ shares }) => shares.get(location) ?? 0));
  const listed = [...new Set(flows.flatMap(({ shares }) => [...shares.keys()]))]
    .filter((location) => largestShare(location) >= smallestShare)
    .toSorted((a, b) => largestShare(b) - largestShare(a))
    .slice(0, mostFunctions);
  const row = (name: string, micros: (flow: ProfiledFlow) => number) =>
    `| ${name} | ${flows.map((flow) => micros(flow).toFixed(2)).join(' | ')} |`;
  return [
    `| Function | ${flows.map(({ name }) => `${name}, µs`).join(' | ')} |`,
    '|---|--:|--:|',
    ...listed.map((location) =>
      row(`\`${location}\``, ({ microsPerFrame, shares }) => microsPerFrame * (shares.get(location) ?? 0)),
    ),
    row('everything', ({ microsPerFrame }) => microsPerFrame),
  ];
}

async function profileIdle(bench: Bench, start: () => Promise<ComparedRelay>): Promise<string[]> {
  const { idleSessions, settleMs } = bench.plan;
  const relay = await start();
  await open(bench, relay, 20);
  await closeAll(bench);
  await sleep(settleMs);
  const before = await heapOf(relay);
  await open(bench, relay, idleSessions);
  await sleep(settleMs);
  const perSession = (bytes: number) => `${(bytes / 1024 / idleSessions).toFixed(1)} KiB`;
  const after = await heapOf(relay);
  await closeAll(bench);
  await relay.stop();
  const kindsBefore = new Map(before.kinds.map((entry) => [entry.kind, entry]));
  const kinds = after.kinds
    .map(({ kind, count, bytes }) => ({
      kind,
      count: (count - (kindsBefore.get(kind)?.count ?? 0)) / idleSessions,
      bytes: (bytes - (kindsBefore.get(kind)?.bytes ?? 0)) / idleSessions,
    }))
    .toSorted((a, b) => b.bytes - a.bytes);
  const grown = (key: string) => (after.usage[key] ?? 0) - (before.usage[key] ?? 0);
  return [
    `### idle: memory of one of ${idleSessions} sessions`,
    '',
    '| Part | Per session |',
    '|---|--:|',
    `| JavaScript objects (live) | ${perSession(grown('heapUsed'))} |`,
    `| Buffers outside the heap | ${perSession(grown('external'))} |`,
    '',
    '| Kind of object | Per session | Bytes |',
    '|---|--:|--:|',
    ...kinds
      .slice(0, 12)
      .map(({ kind, count, bytes }) => `| \`${kind}\` | ${count.toFixed(1)} | ${bytes.toFixed(0)} |`),
    '',
  ];
}

async function heapOf(relay: ComparedRelay): Promise<HeapSummary> {
  const heap = await relay.request?.<HeapSummary>({ profile: 'heap' });
  if (!heap) throw new Error(`${relay.name} does not report its heap.`);
  return heap;
}
