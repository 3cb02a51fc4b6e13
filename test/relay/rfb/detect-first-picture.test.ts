import { detectFirstPicture } from '@porthole/relay/rfb/detect-first-picture';
import { createMemoryLink, createRecordingHandler } from '../stream/memory-link.ts';
import { cutText, pixelFormatBytes, rectangle, serverInit, update } from './server-stream.ts';

const init = serverInit(pixelFormatBytes({ bits: 32 }));
const picture = update(rectangle(1, 1, 0, Buffer.alloc(4)));

function detect(leftover: Buffer = Buffer.alloc(0)) {
  const machine = createMemoryLink();
  let pictures = 0;
  const side = detectFirstPicture({ link: machine, takeLeftover: () => leftover }, () => pictures++);
  return { machine, side, viewer: createRecordingHandler(), pictures: () => pictures };
}

describe('the first picture', () => {
  test('is detected when pixels arrive, not at the messages before them', () => {
    const { machine, side, viewer, pictures } = detect();
    side.link.setHandler(viewer.handler);
    const beforePicture = Buffer.concat([
      init,
      cutText(Buffer.from('secret')).bytes,
      update(rectangle(1, 1, -258)),
      update(rectangle(1, 1, -261, Buffer.of(1))),
      Buffer.of(2),
    ]);
    machine.receive(beforePicture);
    expect(pictures()).toBe(0);
    machine.receive(picture.subarray(0, 10), picture.subarray(10));
    expect(pictures()).toBe(1);
    // Everything was forwarded, and the handler is set on the link itself now.
    expect(viewer.received()).toEqual(Buffer.concat([beforePicture, picture]));
    expect(machine.handlersSet).toBe(2);
    machine.receive(picture);
    expect(pictures()).toBe(1);
  });

  test('is assumed at an encoding that can’t be parsed', () => {
    const { machine, side, viewer, pictures } = detect();
    side.link.setHandler(viewer.handler);
    const hextile = update(rectangle(1, 1, 5, Buffer.of(1)));
    machine.receive(init, hextile);
    expect(pictures()).toBe(1);
    expect(viewer.ends).toEqual([]);
    expect(viewer.received()).toEqual(Buffer.concat([init, hextile]));
  });

  test('may be in the leftover of the handshake', () => {
    const leftover = Buffer.concat([init, picture]);
    const { machine, side, viewer, pictures } = detect(leftover);
    expect(side.takeLeftover()).toEqual(leftover);
    side.link.setHandler(viewer.handler);
    expect([pictures(), machine.handlersSet]).toEqual([1, 1]);
  });
});
