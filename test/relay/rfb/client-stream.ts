import fc from 'fast-check';
import { ClientMessageFilter } from '@porthole/relay/rfb/client-message-filter';
import { bytesOfLength, u16, u32 } from './bytes.ts';

/** A message of a viewer. `input`: a view-only session drops it. `human`: it counts as input of a user. */
export interface ClientMessage {
  readonly bytes: Buffer;
  readonly input: boolean;
  readonly human: boolean;
}

export const viewMessage = (...bytes: Buffer[]): ClientMessage => ({
  bytes: Buffer.concat(bytes),
  input: false,
  human: false,
});
/** Affects the machine, but viewers send it without a user's action. */
export const inputMessage = (...bytes: Buffer[]): ClientMessage => ({
  ...viewMessage(...bytes),
  input: true,
});
export const humanMessage = (...bytes: Buffer[]): ClientMessage => ({
  ...inputMessage(...bytes),
  human: true,
});

export const extendedMouseButtons = -316;

export const setEncodings = (encodings: readonly number[]) =>
  viewMessage(Buffer.of(2, 0), u16(encodings.length), ...encodings.map(u32));
export const cutText = (length: number, body: Buffer) =>
  humanMessage(Buffer.of(6, 0, 0, 0), u32(length), body);
/** An extended clipboard message, whose length is negative. Only a notification is caused by a user. */
export const extendedCutText = (flags: number, body: Buffer = Buffer.alloc(0)) =>
  (isNotification(flags) ? humanMessage : inputMessage)(
    Buffer.of(6, 0, 0, 0),
    u32(-4 - body.length),
    u32(flags),
    body,
  );
const isNotification = (flags: number) => (flags & (1 << 27)) !== 0 && (flags & (1 << 24)) === 0;

/** A message, or a pointer event, whose length depends on the encodings that the viewer has offered before. */
type Step = { readonly message: ClientMessage } | { readonly pointer: Buffer; readonly buttons: number };

export const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  bytesOfLength(19).map((rest) => ({ message: viewMessage(Buffer.of(0), rest) })),
  fc
    .array(fc.oneof(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }), fc.constant(extendedMouseButtons)), {
      maxLength: 40,
    })
    .map((encodings) => ({ message: setEncodings(encodings) })),
  bytesOfLength(9).map((rest) => ({ message: viewMessage(Buffer.of(3), rest) })),
  bytesOfLength(7).map((rest) => ({ message: humanMessage(Buffer.of(4), rest) })),
  fc.record({ pointer: bytesOfLength(5), buttons: fc.integer({ min: 0, max: 255 }) }),
  fc.uint8Array({ maxLength: 300 }).map((body) => ({ message: cutText(body.length, Buffer.from(body)) })),
  fc
    .tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.uint8Array({ maxLength: 300 }))
    .map(([flags, body]) => ({ message: extendedCutText(flags | 0, Buffer.from(body)) })),
  bytesOfLength(9).map((rest) => ({ message: viewMessage(Buffer.of(150), rest) })),
  fc.uint8Array({ maxLength: 64 }).chain((payload) =>
    bytesOfLength(7).map((head) => ({
      message: viewMessage(Buffer.of(248), head, Buffer.of(payload.length), Buffer.from(payload)),
    })),
  ),
  bytesOfLength(3).map((rest) => ({ message: inputMessage(Buffer.of(250), rest) })),
  fc.integer({ min: 0, max: 6 }).chain((screens) =>
    fc.tuple(bytesOfLength(5), bytesOfLength(1 + 16 * screens)).map(([head, rest]) => ({
      message: inputMessage(Buffer.of(251), head, Buffer.of(screens), rest),
    })),
  ),
  bytesOfLength(10).map((rest) => ({ message: humanMessage(Buffer.of(255, 0), rest) })),
);

/** The steps as messages. A pointer event with the marker bit has a seventh byte if extended buttons were offered. */
export function toMessages(steps: readonly Step[]): ClientMessage[] {
  let extended = false;
  return steps.map((step) => {
    if ('pointer' in step) {
      const hasSeventhByte = extended && (step.buttons & 0x80) !== 0;
      return humanMessage(Buffer.of(5, step.buttons), step.pointer.subarray(0, hasSeventhByte ? 5 : 4));
    }
    const { bytes } = step.message;
    if (bytes[0] === 2) extended = offersExtendedButtons(bytes);
    return step.message;
  });
}

function offersExtendedButtons(bytes: Buffer): boolean {
  for (let at = 4; at < bytes.length; at += 4)
    if (bytes.readInt32BE(at) === extendedMouseButtons) return true;
  return false;
}

export const arbitraryClientMessages = fc.array(arbitraryStep, { maxLength: 25 }).map(toMessages);

export const bytesOf = (messages: readonly ClientMessage[]) =>
  Buffer.concat(messages.map(({ bytes }) => bytes));

/** Passes chunks of a viewer's stream through the relay's filter. */
export function filterClientMessages(chunks: readonly Buffer[], viewOnly = false) {
  let inputs = 0;
  const filter = new ClientMessageFilter({ viewOnly, onHumanInput: () => void inputs++ });
  const forwarded = Buffer.concat(chunks.flatMap((chunk) => filter.push(chunk)));
  return { forwarded, inputs };
}
