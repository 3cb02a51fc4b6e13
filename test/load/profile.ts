import { setTimeout as sleep } from 'node:timers/promises';
import type { ComparedRelay } from './compared-relays.ts';
import { closeAll, measureFlow, open, type Bench } from './measure.ts';
import type { HeapSummary, CpuShare } from './profile-child.ts';

/** Profiles Porthole's CPU time in each workload and the memory of an idle session, as Markdown. */
export async function profile(bench: Bench, start: () => Promise<ComparedRelay>): Promise<string> {
  const lines: string[] = [];
  for (const workload of bench.plan.workloads) {
    const relay = await start();
    await open(bench, relay, workload.sessions);
    await sleep(bench.plan.settleMs);
    await measureFlow(bench, relay, workload); // warm-up
    await relay.request?.({ profile: 'start' });
    await measureFlow(bench, relay, workload);
    const { cpuShares } = (await relay.request?.<{ cpuShares: CpuShare[] }>({ profile: 'stop' })) ?? {
      cpuShares: [],
    };
    await closeAll(bench);
    await relay.stop();
    lines.push(
      `### ${workload.name}: CPU time`,
      '',
      '| Function | Share |',
      '|---|--:|',
      ...cpuShares
        .slice(0, 12)
        .map(({ location, share }) => `| \`${location}\` | ${(share * 100).toFixed(1)} % |`),
      '',
    );
  }
  if (bench.plan.idleRounds > 0) lines.push(...(await profileIdle(bench, start)));
  return `${lines.join('\n').trimEnd()}\n`;
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
