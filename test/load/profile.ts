import { setTimeout as sleep } from 'node:timers/promises';
import type { ComparedRelay } from './compared-relays.ts';
import { closeAll, measureFlow, open, type Bench } from './measure.ts';
import type { Plan, Workload } from './plan.ts';
import { mainThreadWaitMs, usageOf } from './process-usage.ts';
import type { BusyTime, HeapSummary, CpuShare } from './profile-child.ts';

/** Functions that take less than this share of it are not listed. */
export const smallestShare = 0.005;
export const mostFunctions = 16;

interface ProfiledWork {
  readonly name: string;
  /** CPU time of one frame or one opening. */
  readonly micros: number;
  /** By function. */
  readonly shares: ReadonlyMap<string, number>;
}

/**
 * Profiles the CPU time per frame in each workload and per opening, and the memory of an idle session, of Porthole and of
 * bare Node. As Markdown.
 */
export async function profile(
  bench: Bench,
  { porthole, bareNode }: Readonly<Record<'porthole' | 'bareNode', () => Promise<ComparedRelay>>>,
): Promise<string> {
  const lines: string[] = [];
  for (const workload of bench.plan.workloads) {
    const ours = await profileFlow(bench, workload, porthole);
    const bare = await profileFlow(bench, workload, bareNode);
    lines.push(`### ${workload.name}: CPU time per frame`, '', ...shareTable(ours, bare), '');
  }
  if (bench.plan.idleRounds > 0) {
    const openings = [await profileOpening(bench, porthole), await profileOpening(bench, bareNode)] as const;
    const memory = [await measureMemory(bench, porthole), await measureMemory(bench, bareNode)] as const;
    const echoes = [await profileEcho(bench, porthole), await profileEcho(bench, bareNode)] as const;
    lines.push(...echoTable(bench.plan, ...echoes), '');
    lines.push('### CPU time per opening', '', ...shareTable(...openings), '', ...memoryTable(...memory), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

async function profileFlow(
  bench: Bench,
  workload: Workload,
  start: () => Promise<ComparedRelay>,
): Promise<ProfiledWork> {
  const relay = await start();
  await open(bench, relay, workload.sessions);
  await sleep(bench.plan.settleMs);
  await measureFlow(bench, relay, workload); // warm-up
  await relay.request?.({ profile: 'start' });
  const { cpuPerFrame } = await measureFlow(bench, relay, workload);
  const shares = await stopProfile(relay);
  await closeAll(bench);
  await relay.stop();
  return { name: relay.name, micros: cpuPerFrame * 1e6, shares };
}

/** Shares of the CPU time, by function. */
export async function stopProfile(relay: ComparedRelay): Promise<ReadonlyMap<string, number>> {
  const profiled = await relay.request?.<{ cpuShares: CpuShare[] }>({ profile: 'stop' });
  return new Map(profiled?.cpuShares.map(({ location, share }) => [location, share]));
}

/** In microseconds. What only one of both calls is 0 for the other. */
function shareTable(...relays: readonly [ProfiledWork, ProfiledWork]): string[] {
  const largestShare = (location: string) =>
    Math.max(...relays.map(({ shares }) => shares.get(location) ?? 0));
  const listed = [...new Set(relays.flatMap(({ shares }) => [...shares.keys()]))]
    .filter((location) => largestShare(location) >= smallestShare)
    .toSorted((a, b) => largestShare(b) - largestShare(a))
    .slice(0, mostFunctions);
  const row = (name: string, micros: (flow: ProfiledWork) => number) =>
    `| ${name} | ${relays.map((flow) => micros(flow).toFixed(2)).join(' | ')} |`;
  return [
    `| Function | ${relays.map(({ name }) => `${name}, µs`).join(' | ')} |`,
    '|---|--:|--:|',
    ...listed.map((location) =>
      row(`\`${location}\``, ({ micros, shares }) => micros * (shares.get(location) ?? 0)),
    ),
    row('everything', ({ micros }) => micros),
  ];
}

/** The CPU time per opening, by function. */
async function profileOpening(bench: Bench, start: () => Promise<ComparedRelay>): Promise<ProfiledWork> {
  const { idleSessions, settleMs } = bench.plan;
  const relay = await start();
  await open(bench, relay, Math.ceil(idleSessions / 4)); // warm-up
  await closeAll(bench);
  await sleep(settleMs);
  await relay.request?.({ profile: 'start' });
  const before = usageOf(relay.pid).cpuSeconds;
  await open(bench, relay, idleSessions);
  const cpu = usageOf(relay.pid).cpuSeconds - before;
  const shares = await stopProfile(relay);
  await closeAll(bench);
  await relay.stop();
  return { name: relay.name, micros: (cpu / idleSessions) * 1e6, shares };
}

interface ProfiledEcho {
  readonly name: string;
  readonly p99: number;
  /** Milliseconds that the thread waited for a core. */
  readonly waitMs: number;
  readonly busyTimes: readonly BusyTime[];
}

/** Busy times that are longer than this, in milliseconds, delay the slowest hundredth of the echoes. */
const longBusyTime = 1;

/** What the event loop does for so long that echoes wait, with all sessions open and one echo per second each. */
async function profileEcho(bench: Bench, start: () => Promise<ComparedRelay>): Promise<ProfiledEcho> {
  const { idleSessions, echoSeconds, settleMs } = bench.plan;
  const relay = await start();
  await open(bench, relay, idleSessions);
  await sleep(settleMs);
  await relay.request?.({ profile: 'start-fine' });
  const waitedBefore = mainThreadWaitMs(relay.pid);
  const { p99 } = await bench.viewers.request<{ p99: number }>({ echoSeconds });
  const waitMs = mainThreadWaitMs(relay.pid) - waitedBefore;
  const profiled = await relay.request?.<{ busyTimes: BusyTime[] }>({ profile: 'stop' });
  await closeAll(bench);
  await relay.stop();
  const busyTimes = (profiled?.busyTimes ?? []).filter(({ milliseconds }) => milliseconds > longBusyTime);
  return { name: relay.name, p99, waitMs, busyTimes };
}

function echoTable({ echoSeconds }: Plan, ...relays: readonly [ProfiledEcho, ProfiledEcho]): string[] {
  const perSecond = ({ busyTimes }: ProfiledEcho, part: (busy: BusyTime) => number) =>
    (busyTimes.reduce((sum, busy) => sum + part(busy), 0) / echoSeconds).toFixed(1);
  const inCollector = ({ functions }: BusyTime) =>
    functions.find(({ location }) => location === '(garbage collector)')?.milliseconds ?? 0;
  const row = (name: string, value: (relay: ProfiledEcho) => string) =>
    `| ${name} | ${relays.map(value).join(' | ')} |`;
  return [
    '### echo: what the slowest wait for',
    '',
    `| Per second, with one echo per second and session | ${relays.map(({ name }) => name).join(' | ')} |`,
    '|---|--:|--:|',
    row('p99 of the echo, ms (with the profiler)', ({ p99 }) => p99.toFixed(1)),
    row(`times in which the event loop was busy for over ${longBusyTime} ms`, (relay) =>
      perSecond(relay, () => 1),
    ),
    row('their milliseconds', (relay) => perSecond(relay, ({ milliseconds }) => milliseconds)),
    row('of that, garbage collection', (relay) => perSecond(relay, inCollector)),
    row('milliseconds that the thread was ready, but other programs had the cores', ({ waitMs }) =>
      (waitMs / echoSeconds).toFixed(1),
    ),
  ];
}

interface IdleMemory {
  readonly name: string;
  readonly sessions: number;
  /** Bytes that have come with the sessions. Live objects are those that are left after a garbage collection. */
  readonly rss: number;
  readonly heapTotal: number;
  readonly live: number;
  readonly external: number;
  readonly kinds: readonly { readonly kind: string; readonly count: number; readonly bytes: number }[];
}

/** Memory and objects in a process each, because a heap snapshot enlarges the process. */
async function measureMemory(bench: Bench, start: () => Promise<ComparedRelay>): Promise<IdleMemory> {
  const memory = await beforeAndWithSessions(bench, start, (relay) => memoryOf(relay));
  const heap = await beforeAndWithSessions(bench, start, (relay) => heapOf(relay));
  const grown = (key: string) => (memory.sessions[key] ?? 0) - (memory.before[key] ?? 0);
  const kindsBefore = new Map(heap.before.kinds.map((entry) => [entry.kind, entry]));
  return {
    name: memory.name,
    sessions: bench.plan.idleSessions,
    rss: grown('rss'),
    heapTotal: grown('heapTotal'),
    live: (heap.sessions.usage['heapUsed'] ?? 0) - (heap.before.usage['heapUsed'] ?? 0),
    external: grown('external'),
    kinds: heap.sessions.kinds
      .map(({ kind, count, bytes }) => ({
        kind,
        count: count - (kindsBefore.get(kind)?.count ?? 0),
        bytes: bytes - (kindsBefore.get(kind)?.bytes ?? 0),
      }))
      .toSorted((a, b) => b.bytes - a.bytes),
  };
}

/** What `read` returns before the sessions are open, and with them. */
async function beforeAndWithSessions<T>(
  bench: Bench,
  start: () => Promise<ComparedRelay>,
  read: (relay: ComparedRelay) => Promise<T>,
): Promise<{ readonly name: string; readonly before: T; readonly sessions: T }> {
  const { idleSessions, settleMs } = bench.plan;
  const relay = await start();
  await open(bench, relay, 20);
  await closeAll(bench);
  await sleep(settleMs);
  const before = await read(relay);
  await open(bench, relay, idleSessions);
  await sleep(settleMs);
  const sessions = await read(relay);
  await closeAll(bench);
  await relay.stop();
  return { name: relay.name, before, sessions };
}

function memoryTable(...relays: readonly [IdleMemory, IdleMemory]): string[] {
  const [porthole] = relays;
  const { sessions } = porthole;
  const row = (name: string, bytes: (relay: IdleMemory) => number) =>
    `| ${name} | ${relays.map((relay) => (bytes(relay) / 1024 / sessions).toFixed(1)).join(' | ')} |`;
  return [
    `### idle: memory of one of ${sessions} sessions`,
    '',
    `| Part | ${relays.map(({ name }) => `${name}, KiB`).join(' | ')} |`,
    '|---|--:|--:|',
    row('resident memory', ({ rss }) => rss),
    row('of that, the JavaScript heap', ({ heapTotal }) => heapTotal),
    row('of that, live objects', ({ live }) => live),
    row('buffers outside the heap', ({ external }) => external),
    row('the rest: OpenSSL, libuv, fragments', ({ rss, heapTotal, external }) => rss - heapTotal - external),
    '',
    `| Kind of object of ${porthole.name} | Per session | Bytes |`,
    '|---|--:|--:|',
    ...porthole.kinds
      .slice(0, 12)
      .map(
        ({ kind, count, bytes }) =>
          `| \`${kind}\` | ${(count / sessions).toFixed(1)} | ${(bytes / sessions).toFixed(0)} |`,
      ),
  ];
}

async function memoryOf(relay: ComparedRelay): Promise<Readonly<Record<string, number>>> {
  const { usage } = (await relay.request?.<Pick<HeapSummary, 'usage'>>({ profile: 'memory' })) ?? {};
  if (!usage) throw new Error(`${relay.name} does not report its memory.`);
  return usage;
}

async function heapOf(relay: ComparedRelay): Promise<HeapSummary> {
  const heap = await relay.request?.<HeapSummary>({ profile: 'heap' });
  if (!heap) throw new Error(`${relay.name} does not report its heap.`);
  return heap;
}
