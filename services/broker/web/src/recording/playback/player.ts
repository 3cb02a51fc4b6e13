import type { TimedRecord } from '@porthole/shared/recording/record/decode-records';
import type { Problem } from '../../api.ts';
import { ChunkError, type ChunkSource, type PartReader } from './chunk-source.ts';
import type { Surface } from './surface.ts';
import { keyframeBefore, type Timeline, type TimelinePart } from './timeline.ts';

export const speeds = [1, 2, 4, 8, 16] as const;
export type Speed = (typeof speeds)[number];

export interface PlayerState {
  readonly ms: number;
  readonly playing: boolean;
  /** The picture of the wanted time is not there yet. */
  readonly busy: boolean;
  readonly speed: Speed;
  readonly skipsQuiet: boolean;
  /** What was shown last had damage before it. */
  readonly damaged: boolean;
  readonly problem: Problem | undefined;
}

export interface Player {
  play(): void;
  pause(): void;
  seek(ms: number): void;
  setSpeed(speed: Speed): void;
  setSkipsQuiet(skips: boolean): void;
  stop(): void;
}

/** Longest time of work without giving the page a turn. */
const sliceMs = 25;
/** The surface keeps what it has not shown yet, so it gets no more than this until it has. */
const sliceBytes = 1024 * 1024;
/** From this distance on, what lies between is not shown. */
const farMs = 5000;
/** Up to this distance, going on is as quick as beginning at a keyframe. */
const nearMs = 120_000;

export function createPlayer(deps: {
  readonly timeline: Timeline;
  readonly source: ChunkSource;
  readonly surface: Surface;
  /** Milliseconds of a clock that is not set. */
  readonly now: () => number;
  /** Calls back with the next frame. Returns a function that cancels it. */
  readonly nextFrame: (callback: () => void) => () => void;
  /** Resolves when the page had a turn. */
  readonly yieldToPage: () => Promise<void>;
  readonly onChange: (state: PlayerState) => void;
}): Player {
  const { timeline, source, surface } = deps;
  let state: PlayerState = {
    ms: 0,
    playing: false,
    busy: false,
    speed: 1,
    skipsQuiet: false,
    damaged: false,
    problem: undefined,
  };
  /** Where the surface is: behind `queue[next - 1]`. */
  let part: TimelinePart | undefined;
  let reader: PartReader | undefined;
  let queue: readonly TimedRecord[] = [];
  let next = 0;
  let shownMs = -1;
  /** The time that `run` goes to. A new one makes it change its way. */
  let target = 0;
  let running: Promise<void> | undefined;
  let stopped = false;
  let cancelFrame = () => {};
  let lastFrame = 0;

  function change(changes: Partial<PlayerState>): void {
    state = { ...state, ...changes };
    if (!stopped) deps.onChange(state);
  }

  /** Whether the surface must begin again to show the time, because it is behind it or a keyframe is nearer. */
  function mustRestart(wanted: TimelinePart, ms: number): boolean {
    if (!part || part.position !== wanted.position || ms < shownMs) return true;
    const [keyframeMs] = keyframeBefore(wanted, ms - wanted.startMs);
    return wanted.startMs + keyframeMs > shownMs + nearMs;
  }

  function restart(wanted: TimelinePart, ms: number): void {
    part = wanted;
    const [keyframeMs, first] = keyframeBefore(wanted, ms - wanted.startMs);
    reader = source.read({ ...wanted, hasEnd: wanted.index?.endReason !== undefined }, first);
    queue = [];
    next = 0;
    shownMs = wanted.startMs + keyframeMs;
    surface.reset();
    change({ damaged: false });
  }

  /** Applies records up to the target. Answers false when there are no more. */
  async function advance(current: TimelinePart): Promise<boolean> {
    const begun = deps.now();
    let bytes = 0;
    for (;;) {
      const timed = queue[next];
      if (!timed) {
        const chunk = await reader?.next();
        if (!chunk) return false;
        queue = chunk.records;
        next = 0;
        if (chunk.damaged) {
          surface.lost();
          change({ damaged: true });
        }
        continue;
      }
      const ms = current.startMs + timed.timeMs;
      if (ms > target) return true;
      next++;
      shownMs = ms;
      surface.apply(timed.record);
      if ('bytes' in timed.record) bytes += timed.record.bytes.length;
      if (bytes > sliceBytes || deps.now() - begun > sliceMs) return true;
    }
  }

  async function run(): Promise<void> {
    let frozen = false;
    for (;;) {
      const wanted = timeline.partAt(target);
      if (stopped || !wanted) break;
      const restarts = mustRestart(wanted, target);
      if (!frozen && (restarts || target > shownMs + farMs)) {
        surface.freeze();
        frozen = true;
        change({ busy: true });
      }
      if (restarts) restart(wanted, target);
      const goal = target;
      const hasMore = await advance(wanted);
      await surface.settled();
      if (stopped) return;
      const isThere = !hasMore || isNextBehind(wanted, goal);
      if (isThere) shownMs = Math.max(shownMs, goal);
      if (isThere && goal === target) break;
      await deps.yieldToPage();
    }
    if (frozen) surface.unfreeze();
    if (state.busy) change({ busy: false });
  }

  function isNextBehind(current: TimelinePart, goal: number): boolean {
    const timed = queue[next];
    return timed !== undefined && current.startMs + timed.timeMs > goal;
  }

  /** One run at a time; it follows the target. */
  function go(ms: number): void {
    target = ms;
    running ??= run()
      .catch((error: unknown) => {
        surface.unfreeze();
        pause();
        const problem: Problem = error instanceof ChunkError ? error.problem : { code: 'internal' };
        part = undefined;
        change({ busy: false, problem });
      })
      .then(() => (running = undefined));
  }

  function frame(): void {
    if (!state.playing) return;
    const now = deps.now();
    // While pictures are loaded, time stands still.
    const elapsed = running ? 0 : Math.min(now - lastFrame, 1000) * state.speed;
    lastFrame = now;
    let ms = state.ms + elapsed;
    if (state.skipsQuiet) ms = timeline.endOfQuiet(ms) ?? ms;
    const atEnd = ms >= timeline.durationMs;
    ms = Math.min(ms, timeline.durationMs);
    if (elapsed > 0 || atEnd) {
      change({ ms, playing: !atEnd });
      go(ms);
    }
    if (!atEnd) cancelFrame = deps.nextFrame(frame);
  }

  function pause(): void {
    cancelFrame();
    if (state.playing) change({ playing: false });
  }

  return {
    play() {
      if (state.playing) return;
      lastFrame = deps.now();
      change({ playing: true, problem: undefined, ...(state.ms >= timeline.durationMs ? { ms: 0 } : {}) });
      cancelFrame = deps.nextFrame(frame);
    },
    pause,
    seek(ms) {
      const wanted = Math.max(0, Math.min(ms, timeline.durationMs));
      change({ ms: wanted, busy: true, problem: undefined });
      go(wanted);
    },
    setSpeed: (speed) => change({ speed }),
    setSkipsQuiet: (skipsQuiet) => change({ skipsQuiet }),
    stop() {
      stopped = true;
      cancelFrame();
      surface.close();
    },
  };
}
