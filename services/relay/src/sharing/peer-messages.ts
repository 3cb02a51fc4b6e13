import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { screenNotice } from '@porthole/shared/protocol/control-messages';
import { errorKinds, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import { z } from 'zod';

/** Path of the internal listener. */
export const forwardPath = '/internal/v1/forward';

/** Text frames from the owner to the forwarding relay. Binary frames are the bytes of the console. */
const peerMessage = z.discriminatedUnion('type', [
  /** The viewer is attached. Sent once, before the first byte. */
  z.object({ type: z.literal('accepted') }),
  screenNotice,
]);
export type PeerMessage = z.infer<typeof peerMessage>;

/** Undefined for anything else: it is ignored, because during an upgrade relays of two versions are connected. */
export function parsePeerMessage(text: string): PeerMessage | undefined {
  const parsed = peerMessage.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

/** Code and reason of the close frame. The reason names the error; without one, Proxmox closed the console. */
export function closeFrameOf(error: PortholeError | undefined): readonly [code: number, reason: string] {
  return error ? [closeCodes[error.close].code, error.code] : [closeCodes.ended.code, ''];
}

/** Undefined for a code that no Porthole sends, such as 1006 for a lost connection. */
export function errorOfCloseFrame(
  code: number,
  reason: string,
): { readonly error: PortholeError | undefined } | undefined {
  if (code === closeCodes.ended.code && reason === '') return { error: undefined };
  if (!isErrorCode(reason) || closeCodes[errorKinds[reason].close].code !== code) return undefined;
  return { error: new PortholeError(reason, { detail: 'the owner of the machine ended the console' }) };
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorKinds, text);
}
