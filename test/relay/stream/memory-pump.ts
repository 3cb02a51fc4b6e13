import type { PortholeError } from '@porthole/shared/errors';
import { startPump, type Direction, type PumpDeps } from '@porthole/relay/stream/pump';
import { createFakeClock } from '../../fakes/clock.ts';
import { createMemoryLink, type MemoryLink } from './memory-link.ts';

export interface MemoryPumpOptions {
  readonly filter?: (chunk: Buffer) => Buffer[];
  readonly viewerLeftover?: string;
  readonly machineLeftover?: string;
  /** Runs before the pump takes over the links. */
  readonly beforeStart?: (links: { viewer: MemoryLink; machine: MemoryLink }) => void;
  readonly limits?: PumpDeps['limits'];
}

/** Starts a pump between links in memory. By default, it pauses above 100 bytes and resumes at 20. */
export function startMemoryPump(options: MemoryPumpOptions = {}) {
  const clock = createFakeClock();
  const viewer = createMemoryLink();
  const machine = createMemoryLink();
  const ends: { readonly side: string; readonly error: PortholeError | undefined }[] = [];
  const counted = { to_viewer: 0, to_machine: 0 };
  options.beforeStart?.({ viewer, machine });
  const pump = startPump(
    {
      clock,
      viewer,
      machine,
      viewerLeftover: () => Buffer.from(options.viewerLeftover ?? ''),
      machineLeftover: () => Buffer.from(options.machineLeftover ?? ''),
      filter: { push: options.filter ?? ((chunk) => [chunk]) },
      limits: options.limits ?? { pauseBytes: 100, resumeBytes: 20, stallTimeoutMs: 30_000 },
    },
    {
      count: (direction: Direction, bytes) => (counted[direction] += bytes),
      onEnd: (side, error) => ends.push({ side, error }),
    },
  );
  return { clock, viewer, machine, ends, counted, stop: () => pump.stop() };
}

export const textSentTo = (link: MemoryLink) => Buffer.concat(link.sent).toString();
