import type { PortholeError } from '@porthole/shared/errors';
import { watchFirstPicture } from '@porthole/relay/rfb/first-picture';
import type { Link, LinkHandler } from '@porthole/relay/stream/link';
import { readMessages, type UpstreamSide } from '@porthole/relay/stream/read-link';
import { createServerMessages } from '@porthole/relay/rfb/server-messages';
import { cutText, pixelFormatBytes, serverInit, u16, u32 } from '../rfb/server-stream.ts';

const begin = serverInit(pixelFormatBytes({ bits: 32 }));
const secret = cutText(Buffer.from('secret')).bytes;
const bell = Buffer.of(2);
const rect = (encoding: number, body: Buffer) =>
  Buffer.concat([Buffer.of(0, 0), u16(1), u16(0), u16(0), u16(1), u16(1), u32(encoding), body]);
const picture = rect(0, Buffer.alloc(4));

/** A machine's link in memory, and what its handler was told. */
function aSide(rest: Buffer = Buffer.alloc(0)) {
  let handler: LinkHandler | undefined;
  let handlers = 0;
  const state = { buffered: 0, framesSent: 0, paused: false };
  const link: Link = {
    get buffered() {
      return state.buffered;
    },
    get framesSent() {
      return state.framesSent;
    },
    send: () => true,
    pause: () => (state.paused = true),
    resume: () => (state.paused = false),
    handle(next) {
      handler = next;
      handlers++;
    },
    destroy() {},
  };
  return {
    side: { link, takeLeftover: () => rest } satisfies UpstreamSide,
    state,
    handlers: () => handlers,
    arrive: (...chunks: Buffer[]) => {
      for (const chunk of chunks) handler?.bytes(chunk, 0, chunk.length);
    },
    drained: () => handler?.drained?.(),
    end: (error?: PortholeError) => handler?.ended(error),
  };
}

function aHandler() {
  const got: Buffer[] = [];
  const ends: (string | undefined)[] = [];
  let drains = 0;
  const handler: LinkHandler = {
    bytes: (source, start, end) => void got.push(Buffer.from(source.subarray(start, end))),
    drained: () => void drains++,
    ended: (error) => void ends.push(error?.code),
  };
  return { handler, got: () => Buffer.concat(got), ends, drains: () => drains };
}

describe('a machine whose messages are read', () => {
  const read = (rest?: Buffer) => {
    const machine = aSide(rest);
    const messages = createServerMessages({ pixelFormat: () => undefined, clipboardWords: () => false });
    return { machine, side: readMessages(machine.side, messages), hearing: aHandler() };
  };

  test('arrives without what must not pass, from what came behind its handshake on', () => {
    const { machine, side, hearing } = read(Buffer.concat([begin, secret.subarray(0, 5)]));
    expect(side.takeLeftover()).toEqual(begin);
    side.link.handle(hearing.handler);
    machine.arrive(secret.subarray(5), Buffer.concat([bell, secret, picture]));
    expect(hearing.got()).toEqual(Buffer.concat([bell, picture]));
  });

  test('can be held back as any other: what waits for it is known, and when it has left', () => {
    const { machine, side, hearing } = read();
    side.link.handle(hearing.handler);
    machine.state.buffered = 12_345;
    machine.state.framesSent = 3;
    expect([side.link.buffered, side.link.framesSent]).toEqual([12_345, 3]);
    side.link.pause();
    expect(machine.state.paused).toBe(true);
    side.link.resume();
    expect(machine.state.paused).toBe(false);
    machine.drained();
    expect(hearing.drains()).toBe(1);
  });

  test('ends once, with the fault, when it can not be followed, and nothing passes after that', () => {
    const { machine, side, hearing } = read();
    side.link.handle(hearing.handler);
    machine.arrive(begin, Buffer.of(99), secret, bell);
    machine.end();
    expect(hearing.ends).toEqual(['proxmox_invalid_response']);
    expect(hearing.got()).toEqual(begin);
  });

  test('ends as soon as somebody listens when the fault lay behind its handshake', () => {
    const { side, hearing } = read(Buffer.concat([begin, Buffer.of(99)]));
    expect(side.takeLeftover()).toEqual(begin);
    side.link.handle(hearing.handler);
    expect(hearing.ends).toEqual(['proxmox_invalid_response']);
  });
});

describe('the first picture', () => {
  const watch = (rest?: Buffer) => {
    const machine = aSide(rest);
    let pictures = 0;
    const side = watchFirstPicture(machine.side, () => pictures++);
    const hearing = aHandler();
    side.link.handle(hearing.handler);
    return { machine, side, hearing, pictures: () => pictures };
  };

  test('is seen when its pixels come, not when the machine says what it can do', () => {
    const { machine, hearing, pictures } = watch();
    const offers = Buffer.concat([
      begin,
      secret,
      rect(-258, Buffer.alloc(0)),
      rect(-261, Buffer.of(1)),
      bell,
    ]);
    machine.arrive(offers);
    expect(pictures()).toBe(0);
    machine.arrive(picture.subarray(0, 10), picture.subarray(10));
    expect(pictures()).toBe(1);
    // Everything has passed, and whoever handles the link has it for himself again.
    expect(hearing.got()).toEqual(Buffer.concat([offers, picture]));
    expect(machine.handlers()).toBe(2);
    machine.arrive(picture);
    expect(pictures()).toBe(1);
  });

  test('is taken for one when it comes in a form that is not understood here', () => {
    const { machine, hearing, pictures } = watch();
    machine.arrive(begin, rect(5, Buffer.of(1)));
    expect(pictures()).toBe(1);
    expect(hearing.ends).toEqual([]);
    expect(hearing.got()).toEqual(Buffer.concat([begin, rect(5, Buffer.of(1))]));
  });

  test('may lie behind the handshake already', () => {
    const machine = aSide(Buffer.concat([begin, picture]));
    let pictures = 0;
    const side = watchFirstPicture(machine.side, () => pictures++);
    expect(side.takeLeftover()).toEqual(Buffer.concat([begin, picture]));
    side.link.handle(aHandler().handler);
    expect([pictures, machine.handlers()]).toEqual([1, 1]);
  });
});
