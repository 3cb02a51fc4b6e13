import type { GrantClaims } from '@porthole/shared/grant/claims';

/** Which way the clipboard may go, seen from the machine. */
export type ClipboardDirections = NonNullable<GrantClaims['clipboard']>;

/** The extended clipboard's actions: bits of the flags in front of a message's body (rfbproto). */
export const clipboardActions = {
  caps: 1 << 24,
  request: 1 << 25,
  peek: 1 << 26,
  notify: 1 << 27,
  provide: 1 << 28,
} as const;

const { caps, request, peek, notify, provide } = clipboardActions;
const everyAction = 0xff << 24;

/**
 * What may be said in the extended clipboard by whoever must not give the other side text, and by whoever may give
 * but must not get any. Both sides say what they can do, else neither would use it, and text beyond Latin-1 is lost.
 */
const whoGivesNothing = caps | request | peek;
const whoGetsNothing = caps | notify | provide;

/** The clipboard of a session: what passes in messages of the viewer, and in those of the machine. */
export interface ClipboardPolicy {
  /** Plain text of the viewer. */
  readonly textIn: boolean;
  /** Plain text of the machine. Where it may not pass, its messages have to be read. */
  readonly textOut: boolean;
  /** Whether the two may use the extended clipboard at all. */
  readonly extended: boolean;
  /** An extended message of the viewer, by its flags. */
  allowsIn(flags: number): boolean;
  /** One of the machine, by its flags and the bytes from these on: what is no text has no room for any. */
  allowsOut(flags: number, bytes: number): boolean;
}

export function createClipboardPolicy(ways: ClipboardDirections = 'both'): ClipboardPolicy {
  const textIn = ways === 'both' || ways === 'in';
  const textOut = ways === 'both' || ways === 'out';
  const fromViewer = textIn ? (textOut ? everyAction : whoGetsNothing) : whoGivesNothing;
  const fromMachine = textOut ? (textIn ? everyAction : whoGetsNothing) : whoGivesNothing;
  const extended = textIn || textOut;
  return {
    textIn,
    textOut,
    extended,
    allowsIn: (flags) => extended && allows(fromViewer, flags),
    allowsOut: (flags, bytes) =>
      extended && allows(fromMachine, flags) && (textOut || bytes === 4 || (flags & caps) !== 0),
  };
}

/** Whoever says what it can do names every action it knows: that is an offer and none of these actions. */
function allows(actions: number, flags: number): boolean {
  return (flags & caps) !== 0 || (flags & everyAction & ~actions) === 0;
}
