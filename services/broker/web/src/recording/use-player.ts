import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RecordingDetails } from '../recording-types.ts';
import { createChunkSource } from './playback/chunk-source.ts';
import { createPlayer, speeds, type Player, type PlayerState, type Speed } from './playback/player.ts';
import type { Surface } from './playback/surface.ts';
import type { Timeline } from './playback/timeline.ts';

export interface UsedPlayer {
  readonly state: PlayerState;
  readonly failed: 'format' | 'stream' | undefined;
  readonly target: RefObject<HTMLDivElement | null>;
  readonly frozen: RefObject<HTMLCanvasElement | null>;
  toggle(): void;
  seek(ms: number): void;
  setSpeed(speed: Speed): void;
  toggleQuiet(): void;
  savePicture(): void;
}

const initial: PlayerState = {
  ms: 0,
  playing: false,
  busy: true,
  speed: 1,
  skipsQuiet: false,
  damaged: false,
  problem: undefined,
};

/** Resolves after the page had a turn, sooner than a timer, which browsers hold back. */
function yieldToPage(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => resolve(), { once: true });
    port1.start();
    port2.postMessage(undefined);
  });
}

/** Frames, or a timer in a hidden tab, which gets no frames. */
function nextFrame(callback: () => void): () => void {
  if (document.visibilityState === 'hidden') {
    const timer = setTimeout(callback, 200);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(callback);
  return () => cancelAnimationFrame(frame);
}

/** Runs the player of a recording. The viewers of screens and terminals load only when they are needed. */
export function usePlayer(recording: RecordingDetails, timeline: Timeline): UsedPlayer {
  const target = useRef<HTMLDivElement>(null);
  const frozen = useRef<HTMLCanvasElement>(null);
  const player = useRef<Player | undefined>(undefined);
  const surface = useRef<Surface | undefined>(undefined);
  const [state, setState] = useState(initial);
  const [failed, setFailed] = useState<'format' | 'stream' | undefined>(undefined);
  const latest = useRef(state);
  /** Keys work while the player is loading. */
  const wanted = useRef(0);
  latest.current = state;

  useEffect(() => {
    let stopped = false;
    void openSurface().then((opened) => {
      if (stopped || !opened) return opened?.close();
      surface.current = opened;
      player.current = createPlayer({
        timeline,
        source: createChunkSource(recording.id),
        surface: opened,
        now: () => performance.now(),
        nextFrame,
        yieldToPage,
        onChange: setState,
      });
      player.current.seek(wanted.current);
    });
    return () => {
      stopped = true;
      player.current?.stop();
    };
  }, []);

  async function openSurface(): Promise<Surface | undefined> {
    if (!target.current || !frozen.current) return undefined;
    if (recording.kind === 'terminal') {
      const { createTerminalSurface } = await import('./display/terminal-surface.ts');
      return createTerminalSurface(target.current);
    }
    const { createScreenSurface } = await import('./display/screen-surface.ts');
    return createScreenSurface(target.current, frozen.current, { onFailed: setFailed });
  }

  function toggle() {
    if (latest.current.playing) player.current?.pause();
    else player.current?.play();
  }
  function seek(ms: number) {
    setFailed(undefined);
    wanted.current = ms;
    player.current?.seek(ms);
  }
  const setSpeed = (speed: Speed) => player.current?.setSpeed(speed);
  const toggleQuiet = () => player.current?.setSkipsQuiet(!latest.current.skipsQuiet);

  useEffect(() => {
    const keys: Readonly<Record<string, () => void>> = {
      ' ': toggle,
      ArrowLeft: () => seek(latest.current.ms - 10_000),
      ArrowRight: () => seek(latest.current.ms + 10_000),
      PageDown: () => seek(latest.current.ms - 60_000),
      PageUp: () => seek(latest.current.ms + 60_000),
      Home: () => seek(0),
      End: () => seek(timeline.durationMs),
      '<': () => setSpeed(neighbour(latest.current.speed, -1)),
      '>': () => setSpeed(neighbour(latest.current.speed, 1)),
      s: toggleQuiet,
    };
    const onKeyDown = (event: KeyboardEvent) => {
      const { target: element } = event;
      const acts = element instanceof HTMLElement && element.matches('button, a, input, select, dialog *');
      const action = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
      // Space presses a button that has the focus.
      if (!action || (acts && event.key === ' ') || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);

  async function savePicture() {
    const picture = await surface.current?.picture();
    if (!picture) return;
    const url = URL.createObjectURL(picture);
    const link = document.createElement('a');
    link.href = url;
    link.download = `${recording.id}-${Math.floor(latest.current.ms / 1000)}s.png`;
    link.click();
    URL.revokeObjectURL(url);
  }

  return {
    state,
    failed,
    target,
    frozen,
    toggle,
    seek,
    setSpeed,
    toggleQuiet,
    savePicture: () => void savePicture(),
  };
}

function neighbour(speed: Speed, step: number): Speed {
  return speeds[speeds.indexOf(speed) + step] ?? speed;
}
