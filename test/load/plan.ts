import type { Options, WorkloadName } from './options.ts';

/** Extent of the bench. The full bench takes less than ten minutes, the quick one only proves that it works. */
export interface Plan {
  readonly rounds: number;
  readonly idleRounds: number;
  readonly idleSessions: number;
  /** Maximum number of sessions that are opened at the same time. */
  readonly opening: number;
  readonly echoSeconds: number;
  readonly settleMs: number;
  /** After this, all that was recorded is stored. */
  readonly storedMs: number;
  /** How long each recorded session is in use, unless it is at full speed. */
  readonly recordedMs: number;
  /** Bytes with which the least possible cost of recording is measured. */
  readonly floorBytes: number;
  readonly workloads: readonly Workload[];
}

export interface Workload {
  readonly name: WorkloadName;
  readonly text: string;
  readonly sessions: number;
  readonly frameBytes: number;
  /** Milliseconds between two frames of a session. 0: at full speed. */
  readonly everyMs: number;
  readonly framesPerSession: number;
}

export function planOf({
  quick,
  only,
  before,
  ...options
}: Pick<Options, 'quick' | 'only' | 'rounds' | 'sessions' | 'before'>): Plan {
  const sessions = options.sessions ?? (quick ? 40 : 2000);
  const rounds = options.rounds ?? (quick ? 1 : 5);
  const shorter = quick ? 20 : 1;
  const workloads: Workload[] = [
    {
      name: 'bulk',
      text: '32 KiB frames, 8 sessions, at full speed',
      sessions: 8,
      frameBytes: 32 * 1024,
      everyMs: 0,
      framesPerSession: 2048 / shorter,
    },
    {
      name: 'paced',
      text: '16 KiB frames, 100 sessions, 10 frames per second each',
      sessions: 100 / (quick ? 10 : 1),
      frameBytes: 16 * 1024,
      everyMs: 100,
      framesPerSession: quick ? 2 : 40,
    },
    {
      name: 'small',
      text: '200 B frames, 200 sessions, 40 frames per second each',
      sessions: 200 / (quick ? 10 : 1),
      frameBytes: 200,
      everyMs: 25,
      framesPerSession: quick ? 8 : 160,
    },
  ];
  return {
    rounds,
    idleRounds: only.includes('idle') ? Math.min(rounds, before === undefined ? 3 : rounds) : 0,
    idleSessions: sessions,
    opening: 40,
    echoSeconds: quick ? 0.5 : 6,
    settleMs: quick ? 100 : 3500,
    storedMs: quick ? 100 : 5500,
    recordedMs: quick ? 200 : 30_000,
    floorBytes: (quick ? 8 : 256) * 1024 * 1024,
    workloads: workloads
      .filter(({ name }) => only.includes(name))
      .map((workload) => ({ ...workload, framesPerSession: Math.ceil(workload.framesPerSession) })),
  };
}

/** With sessions that are long enough for what recording does from time to time. */
export const recordedWorkload = ({ recordedMs }: Plan, workload: Workload): Workload => ({
  ...workload,
  framesPerSession:
    workload.everyMs > 0 ? Math.ceil(recordedMs / workload.everyMs) : workload.framesPerSession,
});
