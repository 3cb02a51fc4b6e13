import { createServerMessageReader } from '@porthole/relay/rfb/server-message-reader';
import { filterMessages } from '@porthole/relay/stream/upstream-side';
import { cutText, pixelFormatBytes, rectangle, serverInit, update } from '../rfb/server-stream.ts';
import { createMemoryLink, createRecordingHandler } from './memory-link.ts';

const init = serverInit(pixelFormatBytes({ bits: 32 }));
const secret = cutText(Buffer.from('secret')).bytes;
const bell = Buffer.of(2);
const picture = update(rectangle(1, 1, 0, Buffer.alloc(4)));

function filterSide(leftover: Buffer = Buffer.alloc(0)) {
  const machine = createMemoryLink();
  const reader = createServerMessageReader({
    viewerPixelFormat: () => undefined,
    allowsClipboardMessage: () => false,
  });
  const side = filterMessages({ link: machine, takeLeftover: () => leftover }, reader);
  return { machine, side, viewer: createRecordingHandler() };
}

describe('a machine whose messages are filtered', () => {
  test('arrives without its clipboard, from the leftover of its handshake on', () => {
    const { machine, side, viewer } = filterSide(Buffer.concat([init, secret.subarray(0, 5)]));
    expect(side.takeLeftover()).toEqual(init);
    side.link.setHandler(viewer.handler);
    machine.receive(secret.subarray(5), Buffer.concat([bell, secret, picture]));
    expect(viewer.received()).toEqual(Buffer.concat([bell, picture]));
  });

  test('can be paused and resumed, and reports what is buffered and drained', () => {
    const { machine, side, viewer } = filterSide();
    side.link.setHandler(viewer.handler);
    side.link.send(Buffer.alloc(12_345));
    expect([side.link.buffered, side.link.framesSent]).toEqual([12_345, 1]);
    side.link.pause();
    expect(machine.paused).toBe(true);
    side.link.resume();
    expect(machine.paused).toBe(false);
    machine.drain();
    expect(viewer.drains()).toBe(1);
  });

  test('ends once with the error at a message that can’t be parsed, and forwards nothing after it', () => {
    const { machine, side, viewer } = filterSide();
    side.link.setHandler(viewer.handler);
    machine.receive(init, Buffer.of(99), secret, bell);
    machine.end();
    expect(viewer.ends).toEqual(['proxmox_invalid_response']);
    expect(viewer.received()).toEqual(init);
  });

  test('ends when a handler is set, if the message was in the leftover of its handshake', () => {
    const { side, viewer } = filterSide(Buffer.concat([init, Buffer.of(99)]));
    expect(side.takeLeftover()).toEqual(init);
    side.link.setHandler(viewer.handler);
    expect(viewer.ends).toEqual(['proxmox_invalid_response']);
  });
});
