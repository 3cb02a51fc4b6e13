import { createClipboardPolicy } from '../rfb/clipboard-policy.ts';
import { createServerClipboardFilter } from '../rfb/server-clipboard-filter.ts';
import type { PartRecorder } from './part-recorder.ts';

/** ServerInit up to its name, whose length are the last four bytes (RFC 6143 section 7.3.2). */
const serverInitBytes = 24;
const maxNameBytes = 64 * 1024;
const noClipboard = createClipboardPolicy('none');

/**
 * Writes the part of a screen: reads what the machine sends, from ServerInit on, records ServerInit and sizes by
 * themselves, and leaves out the text of the machine's clipboard unless it is recorded. `fail` is called once if the
 * stream cannot be read: what follows cannot be told from text of the clipboard.
 */
export function createScreenWriter(
  recorder: Pick<PartRecorder, 'screen' | 'record'>,
  { clipboard, fail }: { readonly clipboard: boolean; readonly fail: (detail: string) => void },
): Pick<PartRecorder, 'screen' | 'record'> {
  const filter = createServerClipboardFilter(noClipboard, (width, height) =>
    recorder.record({ type: 'resize', width, height }),
  );
  /** ServerInit as far as it has arrived. Undefined once it is recorded. */
  let init: Buffer | undefined = Buffer.alloc(0);
  let failed = false;

  function write(source: Buffer, start: number, end: number): void {
    if (init) collectInit(init, source.subarray(start, end));
    else recorder.screen(source, start, end);
  }

  function collectInit(before: Buffer, bytes: Buffer): void {
    init = Buffer.concat([before, bytes]);
    if (init.length < serverInitBytes) return;
    const nameBytes = init.readUInt32BE(serverInitBytes - 4);
    if (nameBytes > maxNameBytes) throw new RangeError('the name of the desktop is too long');
    const length = serverInitBytes + nameBytes;
    if (init.length < length) return;
    const [first, rest] = [init.subarray(0, length), init.subarray(length)];
    recorder.record({ type: 'init', bytes: first });
    recorder.record({ type: 'resize', width: first.readUInt16BE(0), height: first.readUInt16BE(2) });
    init = undefined;
    if (rest.length > 0) recorder.screen(rest);
  }

  function onUnreadable(error: unknown): void {
    failed = true;
    fail(error instanceof Error ? error.message : String(error));
  }

  return {
    screen(source, start = 0, end = source.length) {
      if (failed) return;
      try {
        if (clipboard) write(source, start, end);
        filter.serverMessages.read(source, start, end, clipboard ? discard : write);
      } catch (error) {
        onUnreadable(error);
      }
    },
    record(record) {
      if (record.type === 'format' && !failed)
        try {
          filter.setPixelFormat(Buffer.concat([Buffer.alloc(4), record.bytes]));
        } catch (error) {
          onUnreadable(error);
        }
      recorder.record(record);
    },
  };
}

function discard(): void {}
