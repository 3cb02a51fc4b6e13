import { actionOf } from '../screen/clipboard-messages.ts';
import { readProvidedText } from '../screen/clipboard-text.ts';
import type { Capture } from './capture.ts';

/** Records the text that a viewer's clipboard messages bring. */
export interface CutTextCapture {
  /** A ClientCutText without its text: eight bytes, and the flags of an extended one. */
  begin(message: Buffer): void;
  text(piece: Buffer, last: boolean): void;
}

/** The longest text is limited by the message filter. */
export function createCutTextCapture(recorder: Capture['recorder']): CutTextCapture {
  let flags: number | undefined;
  let pieces: Buffer[] = [];

  const record = (text: string | undefined) => {
    if (text) recorder.record({ type: 'clipboard', direction: 'in', text });
  };

  return {
    begin(message) {
      flags = message.length > 8 ? message.readInt32BE(8) : undefined;
      pieces = [];
    },
    text(piece, last) {
      // A copy, because the socket reuses its memory.
      pieces.push(Buffer.from(piece));
      if (!last) return;
      const body = Buffer.concat(pieces);
      pieces = [];
      if (flags === undefined) return record(body.toString('latin1'));
      const message = { flags, body };
      if (actionOf(message) === 'provide') void readProvidedText(message).then(record);
    },
  };
}
