import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { screenNotice } from '@porthole/shared/protocol/control-messages';
import { errorKinds, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import { z } from 'zod';

/** Path of the internal listener. */
export const forwardPath = '/internal/v1/forward';

/** Longest keyframe: a little more than the longest update. */
const maxKeyframeBytes = 8 * 1024 * 1024;
const size = z.number().int().min(0).max(0xffff);

/** Text frames between the owner and the forwarding relay. Binary frames are the bytes of the console. */
const peerMessage = z.discriminatedUnion('type', [
  /** The viewer is attached. Sent once, before the first byte. */
  z.object({ type: z.literal('accepted') }),
  screenNotice,
  /** The forwarding relay asks for a keyframe. */
  z.object({ type: z.literal('request_keyframe') }),
  /** So many of the following bytes are a keyframe. */
  z.object({
    type: z.literal('keyframe'),
    width: size,
    height: size,
    bytes: z.number().int().min(1).max(maxKeyframeBytes),
  }),
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
