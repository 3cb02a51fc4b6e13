import { z } from 'zod';
import { classText, helpText, shownName } from '../class/texts.ts';
import { grantClaims } from '../grant/claims.ts';

/**
 * Control messages from relay to page: text frames of the subprotocol `porthole.v1` (docs/protocol.md). Binary frames
 * carry the bytes of the console. Clients of the subprotocol `binary` get no text frames.
 */
export const openingSteps = ['status', 'console', 'connect', 'authenticate'] as const;

/** `class`: an instructor ends the class. */
export const notices = ['idle', 'time', 'class'] as const;

/** Maximum observers that a message names. */
export const maxObserversNamed = 4;

/** The console of a shared screen was lost and is being opened again, or shows the machine live again. */
export const screenNotice = z.object({
  type: z.literal('screen'),
  state: z.enum(['reconnecting', 'live']),
});

export const controlMessage = z.discriminatedUnion('type', [
  /** The session is queued for a console slot. `position` 1 is next. `waitSeconds` is the expected wait, if known. */
  z.object({
    type: z.literal('queued'),
    position: z.number().int().positive(),
    waitSeconds: z.number().int().nonnegative().optional(),
  }),
  /** The relay is opening the console at Proxmox, and has reached this step. */
  z.object({ type: z.literal('opening'), step: z.enum(openingSteps) }),
  /** The console is open. Binary frames that follow come from the machine. */
  z.object({
    type: z.literal('opened'),
    mode: z.enum(['view', 'control']),
    /** Allowed clipboard direction, seen from the machine. Default: both. */
    clipboard: grantClaims.shape.clipboard,
    /** The relay parks the console of a hidden page, so the page reports its visibility. An older relay does not. */
    parking: z.literal(true).optional(),
    /** Present if the viewer may send `help`. */
    help: z.literal(true).optional(),
    /** Whether the console is recorded. False: it should be, and is not. Missing: it should not be. */
    recorded: z.boolean().optional(),
  }),
  /** A grant to resume the session at any relay after a lost connection. It invalidates the previous one. */
  z.object({ type: z.literal('resume'), token: z.string() }),
  /** The console ends in `seconds`. If `extend` is true, the client message `extend` prevents that. */
  z.object({
    type: z.literal('notice'),
    notice: z.enum(notices),
    seconds: z.number().int().nonnegative(),
    extend: z.boolean(),
  }),
  /** The notice no longer applies, because of user activity or an extension. */
  z.object({ type: z.literal('notice_over'), notice: z.enum(notices) }),
  /** The current observers of the machine, and how many more are not named. Both are empty if there are none. */
  z.object({
    type: z.literal('observers'),
    by: z.array(z.string().max(256)).max(maxObserversNamed),
    others: z.number().int().nonnegative(),
  }),
  /** The terminal has written nothing for some seconds after input: its program is busy, or it hangs. */
  z.object({ type: z.literal('unanswered') }),
  /** The terminal answers again. */
  z.object({ type: z.literal('answers') }),
  screenNotice,
  /**
   * The console at Proxmox is released, because the page is hidden. The connection stays. A page that is visible says
   * so, and the relay closes the connection with `moving`: the page resumes then.
   */
  z.object({ type: z.literal('parked') }),
  /** A message of an instructor, until the user dismisses it. After a reconnect it can arrive again, with the same id. */
  z.object({
    type: z.literal('message'),
    id: z.string().min(1).max(32),
    text: classText.min(1),
    by: shownName.optional(),
  }),
  /** An instructor has paused the class: for `seconds`, input does not reach the machine. Sent again if that changes. */
  z.object({
    type: z.literal('paused'),
    seconds: z.number().int().nonnegative(),
    text: classText,
    by: shownName.optional(),
  }),
  /** The pause is over. */
  z.object({ type: z.literal('unpaused') }),
  /**
   * An instructor shows this machine to the class. The page can request a view-only grant with `follow` for it. `mine`:
   * it is the machine of this console.
   */
  z.object({
    type: z.literal('shown'),
    cluster: z.string().min(1).max(64),
    vmid: z.number().int().positive(),
    name: shownName,
    by: shownName.optional(),
    mine: z.boolean(),
  }),
  /** Nothing is shown to the class any more. */
  z.object({ type: z.literal('not_shown') }),
  /** Whether the user's hand is raised, and the place in the queue; 1 is first. */
  z.object({
    type: z.literal('help'),
    raised: z.boolean(),
    position: z.number().int().positive().optional(),
  }),
  /**
   * A user has taken control of the machine. `mine`: this session has it. Otherwise, its input does not reach the
   * machine, and with `ask` the client message `ask_control` asks the user to hand it back. `elsewhere`: another session
   * of the same user has it.
   */
  z.object({
    type: z.literal('controlled'),
    mine: z.boolean(),
    by: shownName.optional(),
    ask: z.literal(true).optional(),
    elsewhere: z.literal(true).optional(),
  }),
  /** No user has taken control of the machine any more. */
  z.object({ type: z.literal('uncontrolled') }),
  /** A user whose input is held back asks this session for control. */
  z.object({ type: z.literal('control_asked'), by: shownName }),
  /** The recording has stopped, and the console goes on without. */
  z.object({ type: z.literal('not_recorded') }),
  /** The relay is draining. The close frame that follows tells the page to reconnect. */
  z.object({ type: z.literal('moving') }),
  /** The answer to a client's `ping`. */
  z.object({ type: z.literal('pong') }),
]);

export type ControlMessage = z.infer<typeof controlMessage>;
export type OpeningStep = (typeof openingSteps)[number];
export type Notice = (typeof notices)[number];

/** Control messages from viewer to relay. Any other text frame violates the protocol. */
export const clientMessage = z.discriminatedUnion('type', [
  /** Extends the session or resets the idle time, after a notice. */
  z.strictObject({ type: z.literal('extend') }),
  /** Requests a `pong`. Pages cannot send WebSocket pings, but must detect a dead connection. */
  z.strictObject({ type: z.literal('ping') }),
  /** Whether the user can't see the page. Sent only if `opened` has `parking`: after it if hidden, and at each change. */
  z.strictObject({ type: z.literal('visibility'), hidden: z.boolean() }),
  /** Raises the user's hand, with an optional text, or lowers it. Only if `opened` has said `help`. */
  z.strictObject({ type: z.literal('help'), raised: z.boolean(), text: helpText.optional() }),
  /** Asks the user who has control to hand it back. Only while `controlled` says `ask`. */
  z.strictObject({ type: z.literal('ask_control') }),
]);
export type ClientMessage = z.infer<typeof clientMessage>;
