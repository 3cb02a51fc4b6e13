import { setTimeout as sleep } from 'node:timers/promises';
import type { ComparedRelay } from './compared-relays.ts';
import { closeAll, measureFlow, open, type Bench } from './measure.ts';
import { recordedWorkload, type Workload } from './plan.ts';
import { threadSeconds } from './process-usage.ts';
import { mostFunctions, smallestShare, stopProfile } from './profile.ts';

/** Names of threads, in profiles and as the system shows them. */
const recordingThread = 'recordings';
const forwardingThread = 'MainThread';

/**
 * Profiles the two threads of a relay that records, per gibibyte in each workload, and says how much the other threads take.
 * As Markdown.
 */
export async function profileRecording(bench: Bench, start: () => Promise<ComparedRelay>): Promise<string> {
  const lines: string[] = [];
  for (const workload of bench.plan.workloads.map((one) => recordedWorkload(bench.plan, one))) {
    const relay = await start();
    await open(bench, relay, workload.sessions);
    await sleep(bench.plan.settleMs);
    await measureFlow(bench, relay, workload); // warm-up
    await sleep(bench.plan.storedMs);
    // Without the profiler, which takes as much time as what it observes.
    lines.push(...threadTable(workload, await threadSecondsPerGib(bench, relay, workload)));
    for (const thread of [recordingThread, forwardingThread]) {
      await relay.request?.({ profile: 'start', ...(thread === forwardingThread ? {} : { thread }) });
      const perGib = await threadSecondsPerGib(bench, relay, workload);
      const shares = await stopProfile(relay);
      const seconds = [...perGib].find(([name]) => name.includes(thread))?.[1] ?? Number.NaN;
      lines.push(
        `### ${workload.name}: CPU time of the thread \`${thread}\` per GiB`,
        '',
        '| Function | s |',
        '|---|--:|',
        ...[...shares]
          .filter(([, share]) => share >= smallestShare)
          .slice(0, mostFunctions)
          .map(([location, share]) => `| \`${location}\` | ${(share * seconds).toFixed(2)} |`),
        `| everything | ${seconds.toFixed(2)} |`,
        '',
      );
    }
    await closeAll(bench);
    await relay.stop();
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

/** By the names of the threads. */
async function threadSecondsPerGib(
  bench: Bench,
  relay: ComparedRelay,
  workload: Workload,
): Promise<ReadonlyMap<string, number>> {
  const before = threadSeconds(relay.pid);
  await measureFlow(bench, relay, workload);
  // What is left on the way to the storage belongs to these bytes.
  await sleep(bench.plan.storedMs);
  const gibibytes = (workload.sessions * workload.framesPerSession * workload.frameBytes) / 2 ** 30;
  return new Map(
    [...threadSeconds(relay.pid)].map(([name, seconds]) => [
      name,
      (seconds - (before.get(name) ?? 0)) / gibibytes,
    ]),
  );
}

function threadTable({ name }: Workload, perGib: ReadonlyMap<string, number>): readonly string[] {
  return [
    `### ${name}: CPU time of all threads per GiB`,
    '',
    '| Thread | s |',
    '|---|--:|',
    ...[...perGib]
      .filter(([, seconds]) => seconds >= 0.005)
      .toSorted(([, a], [, b]) => b - a)
      .map(([thread, seconds]) => `| \`${thread}\` | ${seconds.toFixed(2)} |`),
    '',
  ];
}
