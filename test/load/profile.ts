import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender } from './contenders.ts';
import { closeAll, measureFlow, open, type Rig } from './measure.ts';
import type { Heap, Spent } from './profile-child.ts';

/** Profiles Porthole's CPU time in each workload and the memory of an idle session, as Markdown. */
export async function profile(rig: Rig, start: () => Promise<Contender>): Promise<string> {
  const lines: string[] = [];
  for (const workload of rig.plan.workloads) {
    const relay = await start();
    await open(rig, relay, workload.sessions);
    await sleep(rig.plan.settleMs);
    await measureFlow(rig, relay, workload); // warm-up
    await relay.ask?.({ profile: 'start' });
    await measureFlow(rig, relay, workload);
    const { spent } = (await relay.ask?.<{ spent: Spent[] }>({ profile: 'stop' })) ?? { spent: [] };
    await closeAll(rig);
    await relay.stop();
    lines.push(
      `### ${workload.name}: CPU time`,
      '',
      '| Function | Share |',
      '|---|--:|',
      ...spent.slice(0, 12).map(({ where, part }) => `| \`${where}\` | ${(part * 100).toFixed(1)} % |`),
      '',
    );
  }
  if (rig.plan.idleRounds > 0) lines.push(...(await profileIdle(rig, start)));
  return `${lines.join('\n').trimEnd()}\n`;
}

async function profileIdle(rig: Rig, start: () => Promise<Contender>): Promise<string[]> {
  const { idleSessions, settleMs } = rig.plan;
  const relay = await start();
  await open(rig, relay, 20);
  await closeAll(rig);
  await sleep(settleMs);
  const before = await heapOf(relay);
  await open(rig, relay, idleSessions);
  await sleep(settleMs);
  const perSession = (bytes: number) => `${(bytes / 1024 / idleSessions).toFixed(1)} KiB`;
  const after = await heapOf(relay);
  await closeAll(rig);
  await relay.stop();
  const known = new Map(before.kinds.map((kind) => [kind.what, kind]));
  const kinds = after.kinds
    .map(({ what, count, bytes }) => ({
      what,
      count: (count - (known.get(what)?.count ?? 0)) / idleSessions,
      bytes: (bytes - (known.get(what)?.bytes ?? 0)) / idleSessions,
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
      .map(({ what, count, bytes }) => `| \`${what}\` | ${count.toFixed(1)} | ${bytes.toFixed(0)} |`),
    '',
  ];
}

async function heapOf(relay: Contender): Promise<Heap> {
  const heap = await relay.ask?.<Heap>({ profile: 'heap' });
  if (!heap) throw new Error(`${relay.name} can't be asked about its heap.`);
  return heap;
}
