import { Session } from 'node:inspector/promises';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryUsage, pid } from 'node:process';
import { writeHeapSnapshot } from 'node:v8';

/** Requests to a process of the bench for its own profile. */
export interface ProfileRequest {
  readonly profile: 'start' | 'stop' | 'heap' | 'memory';
}

export interface CpuShare {
  readonly location: string;
  /** Share of the CPU time, without idle time. */
  readonly share: number;
}

export interface HeapSummary {
  readonly kinds: readonly { readonly kind: string; readonly count: number; readonly bytes: number }[];
  readonly usage: Readonly<Record<string, number>>;
}

const sampleMicros = 500;

/** The child's side of `--profile`: its CPU profile, and the objects on its heap. */
export function createProfileChild(): (request: ProfileRequest) => Promise<unknown> {
  const session = new Session();
  return async ({ profile }) => {
    if (profile === 'heap') return summarizeHeap();
    if (profile === 'memory') return { usage: { ...memoryUsage() } };
    if (profile === 'stop') return stopProfile(session);
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: sampleMicros });
    await session.post('Profiler.start');
    return {};
  };
}

async function stopProfile(session: Session): Promise<{ cpuShares: CpuShare[] }> {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || 'anonymous'} ${url.replace(/^.*\/(services|node_modules|test)\//, '$1/')}${url ? `:${lineNumber + 1}` : ''}`.trim(),
    ]),
  );
  const micros = new Map<string, number>();
  let busy = 0;
  for (const [i, id] of (profile.samples ?? []).entries()) {
    const name = names.get(id) ?? '?';
    // The inspector's call itself lasts from the start to the end of the profile.
    if (name === '(idle)' || name.startsWith('post ')) continue;
    const duration = profile.timeDeltas?.[i] ?? 0;
    busy += duration;
    micros.set(name, (micros.get(name) ?? 0) + duration);
  }
  return {
    cpuShares: [...micros]
      .map(([location, duration]) => ({ location, share: duration / busy }))
      .toSorted((a, b) => b.share - a.share),
  };
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
