import type { Language, LanguageDeps } from '../stream/console-protocol.ts';
import { createTerminalMessageFilter, terminalPing } from './client-messages.ts';

/** Carrying a terminal: the output is looked at by nobody, and as good as a picture from the first moment. */
export function speakTerminal({ claims, dialled, onHumanInput, onPicture }: LanguageDeps): Language {
  onPicture();
  return {
    filter: createTerminalMessageFilter({ viewOnly: claims.mode === 'view', onHumanInput }),
    machine: dialled,
    keepAlive: terminalPing,
    stop() {},
  };
}
