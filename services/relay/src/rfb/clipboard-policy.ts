import type { GrantClaims } from '@porthole/shared/grant/claims';

/** The directions in which clipboard text may go: `in` is to the machine, `out` is from it. */
export type ClipboardDirections = NonNullable<GrantClaims['clipboard']>;

/** Actions of the extended clipboard: bits of the flags at the start of a message (rfbproto). */
export const clipboardActions = {
  caps: 1 << 24,
  request: 1 << 25,
  peek: 1 << 26,
  notify: 1 << 27,
  provide: 1 << 28,
} as const;

const { caps, request, peek, notify, provide } = clipboardActions;
const allActions = 0xff << 24;

/**
 * What a side may do that must not send text, and one that must not receive any. Both may send `caps`: without these,
 * neither side uses the extended clipboard, and characters beyond Latin-1 are lost.
 */
const receiverActions = caps | request | peek;
const senderActions = caps | notify | provide;

/** Which clipboard messages of a session are forwarded. */
export interface ClipboardPolicy {
  /** Whether plain text of the viewer is forwarded. */
  readonly textIn: boolean;
  /** Whether plain text of the machine is forwarded. If not, the relay has to parse the machine's messages. */
  readonly textOut: boolean;
  /** Whether the two sides may use the extended clipboard at all. */
  readonly extended: boolean;
  /** Whether an extended message of the viewer with these flags is forwarded. */
  allowsIn(flags: number): boolean;
  /**
   * Whether an extended message of the machine is forwarded, by its flags and the number of bytes from these on. A
   * message that is not for text may not be long enough to carry any.
   */
  allowsOut(flags: number, bytes: number): boolean;
}

export function createClipboardPolicy(directions: ClipboardDirections = 'both'): ClipboardPolicy {
  const textIn = directions === 'both' || directions === 'in';
  const textOut = directions === 'both' || directions === 'out';
  const viewerActions = textIn ? (textOut ? allActions : senderActions) : receiverActions;
  const machineActions = textOut ? (textIn ? allActions : senderActions) : receiverActions;
  const extended = textIn || textOut;
  return {
    textIn,
    textOut,
    extended,
    allowsIn: (flags) => extended && allows(viewerActions, flags),
    allowsOut: (flags, bytes) =>
      extended && allows(machineActions, flags) && (textOut || bytes === flagsBytes || (flags & caps) !== 0),
  };
}

const flagsBytes = 4;

/** `caps` lists the actions that a side supports in the same bits, without performing them. */
function allows(actions: number, flags: number): boolean {
  return (flags & caps) !== 0 || (flags & allActions & ~actions) === 0;
}
