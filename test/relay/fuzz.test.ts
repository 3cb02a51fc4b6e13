import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { createFrameBatcher } from '@porthole/relay/stream/frame-batcher';
import { createProxmoxLink } from '@porthole/relay/upstream/proxmox-link';
import { startPump } from '@porthole/relay/stream/pump';
import { createClientMessageFilter } from '@porthole/relay/rfb/client-messages';
import { createFakeClock } from '../fakes/clock.ts';
import { createMemoryViewer } from './viewer/memory-viewer.ts';
import { createNumbers, cutAtRandom, serverFrame, wireFrame } from './wire.ts';

/** A socket that takes everything at once and remembers it. */
function aSocket() {
  const written: Buffer[] = [];
  const socket = Object.assign(new EventEmitter(), {
    written,
    writable: true,
    destroyed: false,
    readableEnded: false,
    writableLength: 0,
    writableNeedDrain: false,
    write: (bytes: Buffer) => written.push(Buffer.from(bytes)) > 0,
    setNoDelay() {},
    setTimeout() {},
    pause() {},
    resume() {},
    end() {},
    destroySoon() {},
    destroy() {
      socket.destroyed = true;
      socket.writable = false;
    },
  });
  return socket;
}

/** The relay's whole data path between two connections, and why it ended. */
function aConsole(mode: 'view' | 'control') {
  const clock = createFakeClock();
  const proxmox = aSocket();
  const turns: (() => void)[] = [];
  const batcher = createFrameBatcher((turn) => void turns.push(turn));
  const { viewer, receive, sent, destroy } = createMemoryViewer({ batcher, clock });
  const machine = createProxmoxLink(proxmox as unknown as TLSSocket);
  let end = 'open';
  startPump({
    clock,
    viewer: viewer.link,
    machine,
    viewerLeftover: () => Buffer.alloc(0),
    machineLeftover: () => Buffer.alloc(0),
    filter: createClientMessageFilter({ viewOnly: mode === 'view', onHumanInput() {} }),
    count() {},
    onEnd: (side, error) => (end = `${side} ${error?.code ?? ''}`),
  });
  return {
    fromBrowser: receive,
    fromProxmox: (piece: Buffer) => machine.received(piece, piece.length),
    turn: () => turns.splice(0).forEach((turn) => turn()),
    toProxmox: () => Buffer.concat(proxmox.written),
    toBrowser: sent,
    end: () => end,
    destroy,
  };
}

/** What pveproxy takes (AnyEvent.pm): final, binary, masked, at most 128 KiB. Anything else may kill its worker. */
function readAsProxmox(bytes: Buffer): Buffer {
  const payload: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== 0x82) throw new Error(`a frame that begins with ${bytes[at]}`);
    const short = bytes.readUInt8(at + 1);
    if (short < 0x80) throw new Error('a frame without a mask');
    const length =
      short === 0xff
        ? Number(bytes.readBigUInt64BE(at + 2))
        : short === 0xfe
          ? bytes.readUInt16BE(at + 2)
          : short & 0x7f;
    at += short === 0xff ? 10 : short === 0xfe ? 4 : 2;
    if (length > 128 * 1024) throw new Error('a frame that is too long');
    if (bytes.readUInt32BE(at) !== 0) throw new Error('a mask that is not zero');
    at += 4;
    if (at + length > bytes.length) throw new Error('half a frame');
    payload.push(bytes.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(payload);
}

/** Types of the messages in what the machine gets, as a VNC server would read them; whole ones only. */
function typesOf(bytes: Buffer): Set<number> {
  const types = new Set<number>();
  let buttons = 6;
  for (let at = 0; at < bytes.length;) {
    const type = bytes.readUInt8(at);
    types.add(type);
    const size = sizes[type]?.(bytes, at, buttons);
    if (size === undefined || Number.isNaN(size)) throw new Error(`a message of type ${type}`);
    if (type === 2)
      buttons = bytes.subarray(at + 4, at + size).includes(Buffer.from([0xff, 0xff, 0xfe, 0xc4])) ? 7 : 6;
    at += type === 5 && (bytes.readUInt8(at + 1) & 0x80) === 0 ? 6 : size;
  }
  return types;
}
const sizes: Readonly<Record<number, (bytes: Buffer, at: number, pointer: number) => number>> = {
  0: () => 20,
  2: (bytes, at) => 4 + 4 * bytes.readUInt16BE(at + 2),
  3: () => 10,
  4: () => 8,
  5: (_bytes, _at, pointer) => pointer,
  6: (bytes, at) => 8 + Math.abs(bytes.readInt32BE(at + 4)),
  150: () => 10,
  248: (bytes, at) => 9 + bytes.readUInt8(at + 8),
  250: () => 4,
  251: (bytes, at) => 8 + 16 * bytes.readUInt8(at + 6),
  255: () => 12,
};

const messages = [
  Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]),
  Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]),
  Buffer.from([2, 0, 0, 1, 0xff, 0xff, 0xfe, 0xc4]),
  Buffer.from([3, 1, 0, 0, 0, 0, 0, 8, 0, 8]),
  Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x78]),
  Buffer.from([5, 1, 0, 9, 0, 9]),
  Buffer.from([6, 0, 0, 0, 0, 0, 0, 2, 0x6e, 0x6f]),
  Buffer.from([150, 1, 0, 0, 0, 0, 0, 8, 0, 8]),
  Buffer.from([248, 0, 0, 0, 0, 0, 0, 1, 2, 7, 7]),
  Buffer.from([250, 0, 1, 2]),
  Buffer.from([251, 0, 0, 9, 0, 9, 1, 0, ...Buffer.alloc(16)]),
  Buffer.from([255, 0, 0, 1, 0, 0, 0, 0x78, 0, 0, 0, 45]),
];
const harmless: ReadonlySet<number> = new Set([0, 2, 3, 150, 248]);
const perStory = 12;

/** Messages as a browser might frame them, or as nobody would: fragments, controls in between, a byte or three wrong. */
function fromBrowser(random: (below: number) => number): Buffer {
  const frames: Buffer[] = [];
  for (let i = 0; i < perStory; i++) {
    const payload = Buffer.from(messages[random(messages.length)] ?? '');
    // A message that is wrong, in a frame that is right.
    if (random(40) === 0) payload[random(payload.length)] = random(256);
    const cut = random(6) === 0 ? random(payload.length) : 0;
    if (cut > 0) frames.push(wireFrame({ opcode: 2, final: false, payload: payload.subarray(0, cut) }));
    if (random(12) === 0) frames.push(wireFrame({ opcode: 9 + random(2), payload: Buffer.from('?') }));
    frames.push(wireFrame({ opcode: cut > 0 ? 0 : 2, payload: payload.subarray(cut) }));
  }
  const bytes = Buffer.concat(frames);
  if (random(2) === 0)
    for (let flips = random(3); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
  return bytes;
}

function fromProxmox(random: (below: number) => number): Buffer {
  const frames = Array.from({ length: perStory }, () =>
    serverFrame(random(12) === 0 ? 10 : 2, Buffer.alloc(random(60), random(256))),
  );
  const bytes = Buffer.concat(frames);
  if (random(2) === 0) bytes[random(bytes.length)] = random(256);
  return bytes;
}

/** The payload of what the browser was sent, and nothing that a server may not send. */
function readAsBrowser(bytes: Buffer): Buffer {
  const payload: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes.readUInt8(at);
    const short = bytes.readUInt8(at + 1);
    if (first !== 0x82 && first !== 0x8a && first !== 0x88) throw new Error(`a frame ${first}`);
    if (short > 126) throw new Error('a frame that this story is too short for');
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    at += short === 126 ? 4 : 2;
    if (first === 0x82) payload.push(bytes.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(payload);
}

/** Together a million frames and messages: each story is told twice. */
const stories = 28_000;

describe('a million frames and messages, random and mutated', () => {
  test.each(['view', 'control'] as const)(
    'of browsers do no harm in mode %s',
    async (mode) => {
      const random = createNumbers(mode === 'view' ? 1 : 2);
      let ended = 0;
      for (let story = 0; story < stories / 2; story++) {
        const bytes = fromBrowser(random);
        const read = async (pieces: readonly Buffer[]) => {
          const one = aConsole(mode);
          for (const piece of pieces) await one.fromBrowser(piece);
          const result = { end: one.end(), payload: readAsProxmox(one.toProxmox()) };
          one.destroy();
          return result;
        };
        const whole = await read([bytes]);
        const cut = await read(cutAtRandom(bytes, random));
        if (whole.end !== cut.end || !whole.payload.equals(cut.payload))
          throw new Error(
            `story ${story} has two meanings: ${whole.end}, ${cut.end}: ${bytes.toString('hex')}`,
          );
        if (whole.end !== 'open') ended++;
        if (mode === 'view')
          for (const type of typesOf(whole.payload))
            if (!harmless.has(type))
              throw new Error(`story ${story} let ${type} through: ${bytes.toString('hex')}`);
      }
      // Neither all of them nor none: the stories reach both.
      expect(ended).toBeGreaterThan(stories / 20);
      expect(ended).toBeLessThan(stories / 2);
    },
    120_000,
  );

  test('of Proxmox reach the browser whole, or end the console', () => {
    const random = createNumbers(3);
    let ended = 0;
    for (let story = 0; story < stories / 2; story++) {
      const bytes = fromProxmox(random);
      const told = [[Buffer.from(bytes)], cutAtRandom(bytes, random)].map((pieces) => {
        const one = aConsole('control');
        for (const piece of pieces) {
          one.fromProxmox(piece);
          if (random(3) === 0) one.turn();
        }
        one.turn();
        const result = { end: one.end(), payload: readAsBrowser(one.toBrowser()) };
        one.destroy();
        return result;
      });
      const [whole, cut] = told;
      if (!whole || !cut) continue;
      if (whole.end !== cut.end || !whole.payload.equals(cut.payload))
        throw new Error(
          `story ${story} has two meanings: ${whole.end}, ${cut.end}: ${bytes.toString('hex')}`,
        );
      if (whole.end !== 'open') ended++;
    }
    expect(ended).toBeGreaterThan(stories / 100);
  }, 120_000);

  test('mean the same cut at every byte', async () => {
    const bytes = Buffer.concat(
      messages.map((payload, i) => wireFrame({ opcode: 2, payload, mask: [i, 2, 3, 4] })),
    );
    const meaning = async (pieces: readonly Buffer[]) => {
      const one = aConsole('control');
      for (const piece of pieces) await one.fromBrowser(piece);
      const payload = readAsProxmox(one.toProxmox()).toString('hex');
      one.destroy();
      return payload;
    };
    const whole = await meaning([bytes]);
    expect(whole.length).toBeGreaterThan(200);
    for (let at = 1; at < bytes.length; at++)
      expect(await meaning([bytes.subarray(0, at), bytes.subarray(at)])).toBe(whole);
  });
});
