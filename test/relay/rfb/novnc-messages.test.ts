import { byteByByte } from '../chunks.ts';
import {
  bytesOf,
  extendedMouseButtons,
  filterClientMessages,
  humanMessage,
  inputMessage,
  viewMessage,
} from './client-stream.ts';
import { bytesWritten, loadNovnc, type Novnc, type OutgoingBytes } from './novnc.ts';

describe('the messages of noVNC', () => {
  let novnc: Novnc;
  beforeAll(async () => {
    novnc = await loadNovnc();
  });

  type Write = (socket: OutgoingBytes, ...args: unknown[]) => void;
  const capsSizes = { 0: 0 };
  /** noVNC's functions, with arguments that noVNC itself uses, and the kind of message that they write. */
  const writers: Readonly<Record<string, { args: readonly unknown[]; kind: typeof viewMessage }>> = {
    keyEvent: { args: [0xff0d, 1], kind: humanMessage },
    QEMUExtendedKeyEvent: { args: [0x61, 1, 0xe01d], kind: humanMessage },
    pointerEvent: { args: [100, 200, 0xff], kind: humanMessage },
    extendedPointerEvent: { args: [100, 200, 0x1ff], kind: humanMessage },
    extendedClipboardProvide: { args: [[1], ['Grüße\nline']], kind: inputMessage },
    extendedClipboardNotify: { args: [[1]], kind: humanMessage },
    extendedClipboardRequest: { args: [[1]], kind: inputMessage },
    extendedClipboardCaps: { args: [[1 << 24, 1 << 25], capsSizes], kind: inputMessage },
    clientCutText: { args: [Buffer.from('text')], kind: humanMessage },
    setDesktopSize: { args: [1920, 1080, 1, 0], kind: inputMessage },
    clientFence: { args: [0x8000_0001, 'payload'], kind: viewMessage },
    enableContinuousUpdates: { args: [1, 0, 0, 1920, 1080], kind: viewMessage },
    pixelFormat: { args: [24, true], kind: viewMessage },
    clientEncodings: { args: [[7, 16, 0, -223, -258, extendedMouseButtons]], kind: viewMessage },
    fbUpdateRequest: { args: [true, 0, 0, 1920, 1080], kind: viewMessage },
    xvpOp: { args: [1, 2], kind: inputMessage },
  };

  test('are all covered by this test', () => {
    const names = Object.keys(novnc.messages).filter((name) => !name.startsWith('_'));
    expect(names.toSorted()).toEqual(Object.keys(writers).toSorted());
  });

  test('are forwarded in a session with control, and in a view-only one if they do not affect the machine', () => {
    const names = [
      ...Object.keys(writers),
      'clientEncodings',
      'extendedPointerEvent',
      'pointerEvent',
    ].toSorted(
      // A viewer offers encodings before it uses them.
      (a, b) => Number(b === 'clientEncodings') - Number(a === 'clientEncodings'),
    );
    const sent = names.flatMap((name) => {
      const write = novnc.messages[name] as Write | undefined;
      const writer = writers[name];
      return write && writer ? [writer.kind(bytesWritten((socket) => write(socket, ...writer.args)))] : [];
    });
    expect(sent).toHaveLength(Object.keys(writers).length + 3);
    const bytes = bytesOf(sent);
    for (const chunks of [[bytes], byteByByte(bytes)]) {
      expect(filterClientMessages(chunks).forwarded.equals(bytes)).toBe(true);
      const viewOnly = filterClientMessages(chunks, true).forwarded;
      expect(viewOnly.equals(bytesOf(sent.filter(({ input }) => !input)))).toBe(true);
      expect(filterClientMessages(chunks).inputs).toBe(sent.filter(({ human }) => human).length);
    }
  });
});
