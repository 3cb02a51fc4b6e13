import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';
import type { ScreenUpstream } from '@porthole/relay/screen/shared-screen-contract';
import { setPixelFormat } from '@porthole/relay/picture/screen-decoder';
import { u16, u32 } from '../rfb/bytes.ts';
import { createMemoryLink, type MemoryLink } from '../stream/memory-link.ts';

/** A machine's console in memory, behind its authentication. */
export interface MemoryMachine {
  readonly upstream: ScreenUpstream;
  readonly link: MemoryLink & { readonly destroyed: boolean; isPaused(): boolean; answersPings: boolean };
  /** Everything that was sent to the machine, in one piece. */
  sent(): Buffer;
  /** What was sent to the machine since the last call. */
  takeSent(): Buffer;
  /** Sends ServerInit and one picture of this colour. */
  show(size: { width: number; height: number }, colour?: number): void;
  /** Sends an update with a picture of this colour. */
  draw(colour: number): void;
}

export function createMemoryMachine(start: ScreenUpstream['start'] = 'authenticated'): MemoryMachine {
  const memory = createMemoryLink();
  let destroyed = false;
  let taken = 0;
  let current = { width: 0, height: 0 };
  const link: MemoryMachine['link'] & MachineLink = Object.assign(Object.create(memory) as MemoryLink, {
    destroyed,
    answersPings: true,
    destroy: () => void (destroyed = true),
    isPaused: () => memory.paused,
    ping: (onPong: () => void) => void (link.answersPings && onPong()),
  });
  Object.defineProperty(link, 'destroyed', { get: () => destroyed });
  const machine: MemoryMachine = {
    link,
    upstream: { link, takeLeftover: () => Buffer.alloc(0), start },
    sent: () => Buffer.concat(memory.sent),
    takeSent() {
      const fresh = Buffer.concat(memory.sent.slice(taken));
      taken = memory.sent.length;
      return fresh;
    },
    show(size, colour = 0x11_22_33) {
      current = size;
      memory.receive(serverInit(size));
      machine.draw(colour);
    },
    draw: (colour) => memory.receive(rawUpdate(current, colour)),
  };
  return machine;
}

export function serverInit({ width, height }: { width: number; height: number }): Buffer {
  return Buffer.concat([u16(width), u16(height), setPixelFormat.subarray(4), u32(0)]);
}

/** An update with a picture of one colour in Raw, as the relay has asked for. */
export function rawUpdate({ width, height }: { width: number; height: number }, colour: number): Buffer {
  const pixels = Buffer.alloc(4 * width * height);
  for (let at = 0; at < pixels.length; at += 4) pixels.writeUInt32LE(colour, at);
  return Buffer.concat([Buffer.of(0, 0, 0, 1, 0, 0, 0, 0), u16(width), u16(height), u32(0), pixels]);
}

/** An update that says that the machine accepts QEMU's extended key events. */
export const extendedKeysUpdate = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xfe]);
