import { createClipboardPolicy } from '@porthole/relay/rfb/clipboard-policy';
import { readPixelFormat } from '@porthole/relay/rfb/pixel-format';
import { createServerMessageReader } from '@porthole/relay/rfb/server-message-reader';

export interface ReaderOptions {
  /** The pixel format that the viewer has set. */
  readonly viewerFormat?: Buffer | undefined;
  readonly clipboard?: 'in' | 'none';
}

/** The relay's reader of server messages, with what it forwards. */
export function createRecordingReader({ viewerFormat, clipboard = 'none' }: ReaderOptions = {}) {
  const format = viewerFormat && readPixelFormat(viewerFormat);
  const reader = createServerMessageReader({
    viewerPixelFormat: () => format,
    allowsClipboardMessage: createClipboardPolicy(clipboard).allowsOut,
  });
  const forwarded: Buffer[] = [];
  return {
    /** Reads a copy that lies within other memory, and overwrites that memory afterwards. */
    read(chunk: Buffer) {
      const memory = Buffer.concat([Buffer.of(3, 3), chunk, Buffer.of(3)]);
      try {
        reader.read(memory, 2, 2 + chunk.length, (source, start, end) =>
          forwarded.push(Buffer.from(source.subarray(start, end))),
        );
      } finally {
        memory.fill(0xee);
      }
    },
    forwarded: () => Buffer.concat(forwarded),
  };
}

/** Reads chunks of a stream up to the first error. */
export function readServerMessages(chunks: readonly Buffer[], options: ReaderOptions = {}) {
  const reader = createRecordingReader(options);
  let error: unknown;
  try {
    for (const chunk of chunks) reader.read(chunk);
  } catch (thrown) {
    error = thrown;
  }
  return { forwarded: reader.forwarded(), error };
}
