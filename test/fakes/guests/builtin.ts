import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { systemClock } from '@porthole/shared/time/clock';
import type { Clock } from '@porthole/shared/time/clock';
import type { Framebuffer } from './framebuffer.ts';
import type { Guest } from './guest.ts';
import { linkedPair } from './linked-pair.ts';
import { createMachine } from './machine.ts';
import { bgr233, bgr888 } from './pixel-format.ts';
import { serveRfb } from './rfb-session.ts';
import type { RfbHost } from './rfb-session.ts';
import { createStopListeners } from './stop-listeners.ts';
import { vncResponse } from './vnc-des.ts';

export interface BuiltinGuestOptions {
  name: string;
  clock?: Clock;
  /** Generates the challenges. */
  random?: (size: number) => Buffer;
  width?: number;
  height?: number;
  /** The VNC server to imitate: QEMU's (a virtual machine) or Proxmox's vncterm (a container). */
  style?: 'qemu' | 'vncterm';
}

/** A machine in TypeScript, which needs no other program and whose state tests can read. */
export interface BuiltinGuest extends Guest {
  /** The rows on the screen, without trailing blanks. */
  text(): string[];
  pointer(): { x: number; y: number; buttons: number };
  /** Everything typed since power on: characters, `\n`, `\t`, `\b`. */
  keys(): string;
  /** A copy of the pixels, four bytes each: red, green, blue, unused. */
  framebuffer(): { width: number; height: number; data: Buffer };
  /** The last cut text that a viewer sent. */
  clipboard(): string;
  connections(): number;
  /** Paints over the picture and sends it. The paint stays until the machine draws there. */
  paint(draw: (framebuffer: Framebuffer) => void): void;
  /** Paints noise, which compresses worst: the largest possible update. */
  fillNoise(): void;
}

const styles = {
  qemu: { desktop: (name: string) => `QEMU (${name})`, format: bgr888, refusal: 'Authentication failed\0' },
  vncterm: { desktop: () => 'VNC Command Terminal', format: bgr233, refusal: 'password check failed!' },
} as const;

export function createBuiltinGuest({
  name,
  clock = systemClock,
  random = randomBytes,
  width = 800,
  height = 600,
  style = 'qemu',
}: BuiltinGuestOptions): BuiltinGuest {
  const stopped = createStopListeners();
  const connections = new Map<Duplex, 'handshake' | 'shared' | 'exclusive'>();
  let running = false;
  let password: { text: string; until: number } | undefined;
  let clipboard = '';

  const halt = () => {
    if (!running) return;
    running = false;
    password = undefined;
    machine.powerOff();
    for (const stream of connections.keys()) stream.destroy();
    connections.clear();
    stopped.notify();
  };

  const machine = createMachine({ name, kind: style, clock, width, height, onPowerOff: halt });

  const hostFor = (stream: Duplex): RfbHost => ({
    framebuffer: machine.framebuffer,
    desktopName: styles[style].desktop(name),
    format: styles[style].format,
    refusal: styles[style].refusal,
    challenge: () => random(16),
    // As in QEMU, the password at the time of the response counts, not the one at the time of the connection:
    // a second console that is opened meanwhile invalidates the password of the first.
    accepts: (challenge, response) =>
      password !== undefined &&
      clock.now() < password.until &&
      timingSafeEqual(vncResponse(password.text, challenge), response),
    // QEMU's default share policy: an exclusive viewer ends the others, and a shared one can't join an exclusive one.
    admit(shared) {
      const others = [...connections].filter(([other, mode]) => other !== stream && mode !== 'handshake');
      if (shared && others.some(([, mode]) => mode === 'exclusive')) return false;
      if (!shared) for (const [other] of others) other.destroy();
      connections.set(stream, shared ? 'shared' : 'exclusive');
      return true;
    },
    key: (keysym, down) => machine.key(keysym, down),
    pointer: (x, y, buttons) => machine.pointer(x, y, buttons),
    cutText(text) {
      clipboard = text;
    },
    watch: (listener) => machine.watch(listener),
  });

  const guest: BuiltinGuest = {
    get running() {
      return running;
    },
    async start() {
      if (running) return;
      running = true;
      machine.powerOn();
    },
    async stop() {
      halt();
    },
    async shutdown() {
      halt();
    },
    async reset() {
      if (running) machine.powerOn();
    },
    async setPassword(text, maxSeconds) {
      if (!running) throw new Error(`${name} is not running`);
      password = { text, until: clock.now() + maxSeconds * 1000 };
    },
    async connect() {
      if (!running) throw new Error(`${name} is not running`);
      const [server, client] = linkedPair();
      connections.set(server, 'handshake');
      server.once('close', () => connections.delete(server));
      void serveRfb(server, hostFor(server));
      return client;
    },
    onStopped: (listener) => stopped.add(listener),
    async close() {
      halt();
    },
    text: () => machine.text(),
    pointer: () => machine.pointerState(),
    keys: () => machine.typed(),
    framebuffer() {
      machine.refresh();
      const { pixels } = machine.framebuffer;
      const data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
      return { width, height, data: Buffer.from(data) };
    },
    clipboard: () => clipboard,
    connections: () => connections.size,
    paint(draw) {
      draw(machine.framebuffer);
      machine.refresh();
    },
    fillNoise() {
      guest.paint((framebuffer) => {
        let state = (clock.now() | 1) >>> 0;
        for (let at = 0; at < framebuffer.pixels.length; at++) {
          // xorshift: fast, and incompressible
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          framebuffer.pixels[at] = state & 0xffffff;
        }
        framebuffer.touch({ x: 0, y: 0, width, height });
      });
    },
  };
  return guest;
}
