import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { createMachineHandshake } from '@porthole/relay/rfb/machine-handshake';
import type { Framebuffer } from '@porthole/relay/picture/framebuffer';
import { ScreenDecoder, setPixelFormat, supportedEncodings } from '@porthole/relay/picture/screen-decoder';
import { u16, u32 } from '../rfb/bytes.ts';
import { ignoredEvents } from './ignored-events.ts';

/** A real VNC server's screen, decoded. */
export interface DecodedScreen {
  readonly framebuffer: Framebuffer;
  /** Number of updates so far. */
  readonly updates: number;
  requestUpdate(incremental: boolean): void;
  /** Set if the decoder refused what the server sent. */
  readonly error: unknown;
  close(): void;
}

/** Opens a VNC server's screen as the relay does: RFB 3.8 with a password, then the decoder's format and encodings. */
export async function openDecodedScreen(stream: Duplex, password: string): Promise<DecodedScreen> {
  stream.on('error', () => {});
  const handshake = createMachineHandshake(password);
  let framebuffer: Framebuffer | undefined;
  let updates = 0;
  let error: unknown;
  const opened = Promise.withResolvers<void>();
  const decoder = new ScreenDecoder({
    ...ignoredEvents,
    onResize(resized) {
      framebuffer = resized;
      opened.resolve();
    },
    onUpdate: () => void updates++,
  });
  const decode = (chunk: Buffer) => {
    try {
      if (error === undefined) decoder.push(chunk);
    } catch (thrown) {
      error = thrown;
    }
  };
  for (;;) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    const answer = handshake.push(chunk);
    for (const bytes of answer.send) stream.write(bytes);
    if (!answer.done) continue;
    stream.on('data', decode);
    decode(handshake.leftover());
    break;
  }
  stream.write(Buffer.of(1)); // ClientInit: shared
  await opened.promise;
  stream.write(setPixelFormat);
  stream.write(
    Buffer.concat([
      Buffer.of(2, 0),
      u16(supportedEncodings.length),
      ...supportedEncodings.map((each) => u32(each)),
    ]),
  );
  return {
    get framebuffer() {
      if (!framebuffer) throw new Error('there is no picture');
      return framebuffer;
    },
    get updates() {
      return updates;
    },
    get error() {
      return error;
    },
    requestUpdate(incremental) {
      const { width, height } = framebuffer ?? { width: 0, height: 0 };
      stream.write(
        Buffer.concat([Buffer.of(3, incremental ? 1 : 0), u16(0), u16(0), u16(width), u16(height)]),
      );
    },
    close: () => stream.destroy(),
  };
}
