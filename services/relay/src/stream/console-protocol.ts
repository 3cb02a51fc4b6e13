import type { Clock } from '@porthole/shared/time/clock';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { keepAliveRequest } from '../upstream/keep-alive.ts';
import { watchFirstPicture } from './first-picture.ts';
import type { MachineSide } from './read-link.ts';
import { createClientMessageFilter, type ClientMessageFilter } from '../rfb/client-messages.ts';
import { sharedClientInit } from '../rfb/handshake.ts';
import { createSessionPolicy } from '../rfb/screen-policy.ts';
import { speakTerminal } from '../terminal/terminal-protocol.ts';

/** What carrying a console has to know of its kind; everything else is the same for all. */
export interface Language {
  readonly filter: Pick<ClientMessageFilter, 'push' | 'atBorder'>;
  /** The machine's side as its viewer may know it. */
  readonly machine: MachineSide;
  /** Said to the machine first. */
  readonly hello?: Buffer;
  /** Does nothing, but is heard. */
  readonly keepAlive: Buffer;
  stop(): void;
}

export interface LanguageDeps {
  readonly clock: Clock;
  readonly claims: GrantClaims;
  readonly dialled: MachineSide;
  /** Sends a message of our own to the machine. False when none may begin at this moment. */
  readonly send: (message: Buffer) => boolean;
  readonly onHumanInput: () => void;
  /** The machine's first pixels have arrived. */
  readonly onPicture: () => void;
}

export function speak(deps: LanguageDeps): Language {
  return deps.claims.kind === 'terminal' ? speakTerminal(deps) : speakScreen(deps);
}

function speakScreen({ clock, claims, dialled, send, onHumanInput, onPicture }: LanguageDeps): Language {
  const policy = createSessionPolicy({ clock, claims, send });
  return {
    filter: createClientMessageFilter({ viewOnly: claims.mode === 'view', onHumanInput, rule: policy.rule }),
    machine: policy.read(watchFirstPicture(dialled, onPicture)),
    hello: sharedClientInit,
    keepAlive: keepAliveRequest,
    stop: () => policy.stop(),
  };
}
