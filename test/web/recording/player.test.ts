import type { ChunkSource } from '../../../services/broker/web/src/recording/playback/chunk-source.ts';
import {
  createPlayer,
  type PlayerState,
} from '../../../services/broker/web/src/recording/playback/player.ts';
import { createTimeline } from '../../../services/broker/web/src/recording/playback/timeline.ts';
import type { RecordingPart } from '../../../services/broker/web/src/recording-types.ts';
import { eventually } from '../../eventually.ts';

const startedAt = '2026-01-05T08:30:00.000Z';

function aPart(
  part: string,
  minutes: number,
  keyframes: readonly (readonly [number, number])[],
): RecordingPart {
  const seconds = minutes * 60;
  const at = Array.from({ length: minutes }, (_, chunk) => [chunk * 60_000, chunk] as const);
  return {
    part,
    chunkCount: minutes,
    index: {
      startedAt,
      durationMs: seconds * 1000,
      endReason: 'closed',
      activity: {
        bucketSeconds: 1,
        bytes: Array.from({ length: seconds }, (_, second) => (second >= 10 && second < 30 ? 0 : 100)),
        keys: [],
        pointer: [],
      },
      chunks: { entries: at },
      keyframes: { entries: keyframes },
      observers: [],
      marks: [],
    },
  };
}

/** Chunks of a minute with a record per second. What the surface gets is noted. */
function start(parts: readonly RecordingPart[], damagedChunks: readonly number[] = []) {
  const timeline = createTimeline({ parts, problems: [] });
  const read: string[] = [];
  const surface: string[] = [];
  const states: PlayerState[] = [];
  let now = 0;
  let frame: (() => void) | undefined;
  const source: ChunkSource = {
    read(part, first) {
      let chunk = first;
      return {
        async next() {
          if (chunk >= part.chunkCount) return undefined;
          const number = chunk++;
          read.push(`${part.part}/${number}`);
          const damaged = damagedChunks.includes(number);
          const records = Array.from({ length: damaged ? 0 : 60 }, (_, second) => ({
            timeMs: number * 60_000 + second * 1000,
            record: { type: 'mark', name: 'note', text: `${part.part} ${number * 60 + second}` } as const,
          }));
          return { chunk: number, records, damaged };
        },
      };
    },
  };
  const player = createPlayer({
    timeline,
    source,
    surface: {
      reset: () => void surface.push('reset'),
      apply: (record) => void (record.type === 'mark' && surface.push(record.text)),
      lost: () => void surface.push('lost'),
      settled: async () => {},
      freeze() {},
      unfreeze() {},
      picture: async () => undefined,
      close: () => void surface.push('close'),
    },
    now: () => now,
    nextFrame(callback) {
      frame = callback;
      return () => (frame = undefined);
    },
    yieldToPage: async () => {},
    onChange: (state) => void states.push(state),
  });
  return {
    player,
    read,
    surface,
    state: () => states.at(-1),
    async seek(ms: number) {
      player.seek(ms);
      await eventually(() => expect(states.at(-1)).toMatchObject({ ms, busy: false }));
    },
    async pass(ms: number) {
      now += ms;
      const due = frame;
      frame = undefined;
      due?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a time without a keyframe is shown from the start of its part', async () => {
  const { seek, surface, read } = start([aPart('a', 3, []), aPart('b', 3, [])]);
  await seek(4.5 * 60_000);
  expect(read).toEqual(['b/0', 'b/1']);
  expect([surface[0], surface[1], surface.at(-1)]).toEqual(['reset', 'b 0', 'b 90']);
});

test('a time behind a keyframe is shown from there, forward and backward', async () => {
  const keyframes = [
    [0, 0],
    [60_000, 1],
    [480_000, 8],
  ] as const;
  const { seek, surface, read } = start([aPart('a', 10, keyframes)]);
  await seek(9 * 60_000 + 5000);
  expect(read).toEqual(['a/8', 'a/9']);
  expect(surface.at(-1)).toBe('a 545');
  await seek(90_000);
  expect(read.slice(2)).toEqual(['a/1']);
  expect(surface.at(-1)).toBe('a 90');
  // Near enough to go on without beginning again.
  const resets = surface.filter((each) => each === 'reset').length;
  await seek(120_000);
  expect(surface.filter((each) => each === 'reset')).toHaveLength(resets);
  expect(surface.at(-1)).toBe('a 120');
});

test('the surface learns of damage in front of what follows it', async () => {
  const { seek, surface, state } = start([aPart('a', 3, [])], [1]);
  await seek(30_000);
  expect(state()?.damaged).toBe(false);
  await seek(150_000);
  expect(state()?.damaged).toBe(true);
  expect(surface.indexOf('lost')).toBe(surface.indexOf('a 120') - 1);
  await seek(30_000);
  expect(state()?.damaged).toBe(false);
});

test('playing follows the clock at its speed, skips what is quiet, and stops at the end', async () => {
  const { player, seek, pass, state, surface } = start([aPart('a', 1, [])]);
  await seek(0);
  player.setSpeed(4);
  player.play();
  await pass(500);
  expect(state()).toMatchObject({ ms: 2000, playing: true });
  expect(surface.at(-1)).toBe('a 2');
  await pass(0);
  player.setSkipsQuiet(true);
  player.setSpeed(16);
  await pass(600);
  // 2 s + 9.6 s is within the quiet stretch from 10 s to 30 s.
  expect(state()?.ms).toBe(30_000);
  for (let frames = 0; frames < 10; frames++) await pass(1000);
  expect(state()).toMatchObject({ ms: 60_000, playing: false });
  player.stop();
  expect(surface.at(-1)).toBe('close');
});

test('a recording without a readable index is damage on the bar, and nothing to play', () => {
  const timeline = createTimeline({
    parts: [{ part: 'a', chunkCount: 2 }, aPart('b', 1, [])],
    problems: [{ kind: 'damaged_index', part: 'a' }],
  });
  expect(timeline.durationMs).toBe(60_000);
  expect(timeline.partAt(0)?.part).toBe('b');
  expect(timeline.moments.filter(({ kind }) => kind === 'damage')).not.toHaveLength(0);
});
