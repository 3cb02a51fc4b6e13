import type { Clock } from '@porthole/shared/time/clock';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Capture } from '../recording/capture.ts';
import type { InputDeadlines } from '../upstream/deadlines.ts';
import type { MessageFilter } from './message-filter.ts';
import type { UpstreamSide } from './upstream-side.ts';

/** What differs between screens and terminals while a console is streamed. */
export interface ConsoleProtocol {
  readonly filter: MessageFilter;
  /** The machine's side, without what the viewer must not receive. */
  readonly upstream: UpstreamSide;
  /** Set if `upstream` sends input at a pace of its own: most bytes that may wait. */
  readonly maxInputWaiting?: number;
  /** Sent to the machine first. */
  readonly initialMessage?: Buffer;
  /** Sent to an idle machine, so that the console is not idle for Proxmox. It has no effect. */
  readonly keepAlive: Buffer;
  /** Takes back what it can of the input so far: held keys are released, and input that waits is discarded. */
  withdrawInput(): void;
  stop(): void;
}

export interface ConsoleProtocolDeps {
  readonly clock: Clock;
  readonly claims: GrantClaims;
  readonly upstream: UpstreamSide;
  /** Sends a message of the relay to the machine. Returns false if none may begin now. */
  readonly send: (message: Buffer) => boolean;
  /** While it is shut, input of the viewer is dropped, message by message. */
  readonly gate: { readonly shut: boolean };
  readonly onHumanInput: () => void;
  /** The machine's first pixels have arrived. */
  readonly onPicture: () => void;
  /** A terminal does not answer input (false), or answers again (true). */
  readonly onAnswering: (answers: boolean) => void;
  readonly deadlines: InputDeadlines;
  /** Undefined if the console is not recorded. */
  readonly capture?: Capture | undefined;
}
