import type { Clock } from '@porthole/shared/time/clock';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { MessageFilter } from './message-filter.ts';
import type { UpstreamSide } from './read-link.ts';

/** What streaming has to know about a console's kind; everything else is the same for screens and terminals. */
export interface ConsoleProtocol {
  readonly filter: MessageFilter;
  /** The machine's side, without what the viewer must not see. */
  readonly machine: UpstreamSide;
  /** Sent to the machine first. */
  readonly initialMessage?: Buffer;
  /** Sent to the machine when nothing else was; it has no effect. */
  readonly keepAlive: Buffer;
  stop(): void;
}

export interface ConsoleProtocolDeps {
  readonly clock: Clock;
  readonly claims: GrantClaims;
  readonly dialled: UpstreamSide;
  /** Sends a message of the relay to the machine. False if none may begin at this moment. */
  readonly send: (message: Buffer) => boolean;
  readonly onHumanInput: () => void;
  /** The machine's first pixels have arrived. */
  readonly onPicture: () => void;
}
