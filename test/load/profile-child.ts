import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryUsage, pid } from 'node:process';
import { writeHeapSnapshot } from 'node:v8';

/** Requests to a process of the bench for its own profile. */
export interface ProfileRequest {
  readonly profile: 'start' | 'start-fine' | 'stop' | 'heap' | 'memory';
  /** For `start`: the name of a worker thread to profile instead of the main thread. */
  readonly thread?: string;
}

export interface CpuShare {
  readonly location: string;
  /** Share of the CPU time, without idle time. */
  readonly share: number;
}

/** Times in which the event loop did one thing after another without a pause. Whatever arrives meanwhile waits. */
export interface BusyTime {
  readonly milliseconds: number;
  readonly functions: readonly { readonly location: string; readonly milliseconds: number }[];
}

export interface HeapSummary {
  readonly kinds: readonly { readonly kind: string; readonly count: number; readonly bytes: number }[];
  readonly usage: Readonly<Record<string, number>>;
}

/** Microseconds between two samples of the CPU profile. */
const sampleMicros = 500;
/** Short enough to see what delays a single message. */
const fineSampleMicros = 100;

/** The child's side of `--profile`: its CPU profile, and the objects on its heap. */
export function createProfileChild(): (request: ProfileRequest) => Promise<unknown> {
  const session = new Session();
  let profiler: ProfilerSession = session;
  return async ({ profile, thread }) => {
    if (profile === 'heap') return summarizeHeap();
    if (profile === 'memory') return { usage: { ...memoryUsage() } };
    if (profile === 'stop') return stopProfile(session, profiler);
    session.connect();
    profiler = thread === undefined ? session : await attachToThread(session, thread);
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.setSamplingInterval', {
      interval: profile === 'start-fine' ? fineSampleMicros : sampleMicros,
    });
    await profiler.post('Profiler.start');
    return {};
  };
}

/** A session, or the part of it that reaches one worker thread. */
interface ProfilerSession {
  post(method: string, params?: object): Promise<unknown>;
}

/** The profiler of a worker thread, through the session of the main thread. */
async function attachToThread(session: Session, name: string): Promise<ProfilerSession> {
  const { promise: attached, resolve } = Promise.withResolvers<string>();
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    if (workerInfo.title.endsWith(name)) resolve(sessionId);
  });
  await session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const sessionId = await attached;
  let lastId = 0;
  return {
    async post(method, params = {}) {
      const id = ++lastId;
      const { promise, resolve: answer } = Promise.withResolvers<unknown>();
      session.on('NodeWorker.receivedMessageFromWorker', ({ params: { message } }) => {
        const answered = JSON.parse(message) as { id?: number; result?: unknown };
        if (answered.id === id) answer(answered.result);
      });
      await session.post('NodeWorker.sendMessageToWorker', {
        sessionId,
        message: JSON.stringify({ id, method, params }),
      });
      return promise;
    },
  };
}

async function stopProfile(
  session: Session,
  profiler: ProfilerSession,
): Promise<{ cpuShares: CpuShare[]; busyTimes: BusyTime[] }> {
  const { profile } = (await profiler.post('Profiler.stop')) as Profiler.StopReturnType;
  session.disconnect();
  const samples = samplesOf(profile);
  const micros = new Map<string, number>();
  let busy = 0;
  for (const { location, duration } of samples) {
    if (location === idle) continue;
    busy += duration;
    micros.set(location, (micros.get(location) ?? 0) + duration);
  }
  return {
    cpuShares: [...micros]
      .map(([location, duration]) => ({ location, share: duration / busy }))
      .toSorted((a, b) => b.share - a.share),
    busyTimes: longestBusyTimes(samples),
  };
}

const idle = '(idle)';

interface Sample {
  readonly location: string;
  /** In microseconds. */
  readonly duration: number;
}

function samplesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Sample[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || 'anonymous'} ${url.replace(/^.*\/(services|node_modules|test)\//, '$1/')}${url ? `:${lineNumber + 1}` : ''}`.trim(),
    ]),
  );
  return (
    samples
      .map((id, i) => ({ location: names.get(id) ?? '?', duration: timeDeltas[i] ?? 0 }))
      // The inspector's call itself lasts from the start to the end of the profile.
      .filter(({ location }) => !location.startsWith('post '))
  );
}

const mostBusyTimes = 200;

function longestBusyTimes(samples: readonly Sample[]): BusyTime[] {
  const found: BusyTime[] = [];
  let functions = new Map<string, number>();
  const end = () => {
    const parts = [...functions].map(([location, micros]) => ({ location, milliseconds: micros / 1000 }));
    if (parts.length > 0)
      found.push({ milliseconds: parts.reduce((sum, part) => sum + part.milliseconds, 0), functions: parts });
    functions = new Map();
  };
  for (const { location, duration } of samples)
    if (location === idle) end();
    else functions.set(location, (functions.get(location) ?? 0) + duration);
  end();
  return found.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, mostBusyTimes);
}

interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: string[]; readonly node_types: [string[]] } };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** Live objects by kind, after garbage collection. Contains only names of objects, because strings may be secrets. */
function summarizeHeap(): HeapSummary {
  const file = writeHeapSnapshot(join(tmpdir(), `porthole-bench-${pid}.heapsnapshot`));
  const usage = { ...memoryUsage() };
  const { snapshot, nodes, strings } = JSON.parse(readFileSync(file, 'utf8')) as Snapshot;
  rmSync(file);
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [typeAt, nameAt, sizeAt] = ['type', 'name', 'self_size'].map((name) => fields.indexOf(name));
  const kinds = new Map<string, { kind: string; count: number; bytes: number }>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const field = (offset: number | undefined) => nodes[at + (offset ?? 0)] ?? 0;
    const type = types[0][field(typeAt)] ?? '?';
    const named = ['object', 'native', 'hidden', 'array'].includes(type);
    const name = named ? `${type} ${(strings[field(nameAt)] ?? '').slice(0, 40)}`.trim() : type;
    const entry = kinds.get(name) ?? { kind: name, count: 0, bytes: 0 };
    entry.count += 1;
    entry.bytes += field(sizeAt);
    kinds.set(name, entry);
  }
  return { kinds: [...kinds.values()], usage };
}
