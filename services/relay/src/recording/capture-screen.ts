import type { Clock } from '@porthole/shared/time/clock';
import type { ClientMessagePolicy } from '../rfb/client-message-policy.ts';
import { clientMessageTypes } from '../rfb/message-types.ts';
import type { Link } from '../stream/link.ts';
import type { UpstreamSide } from '../stream/upstream-side.ts';
import type { Capture } from './capture.ts';
import { createCutTextCapture } from './capture-cut-text.ts';
import { createKeyframeRequests } from './capture-keyframes.ts';
import { recordUpstream } from './record-upstream.ts';

/** Moves of the pointer come much faster than a player can show them. */
const pointerIntervalMs = 250;
export interface ScreenCapture {
  /** The machine's side, recorded as it is forwarded. */
  upstream(side: UpstreamSide): UpstreamSide;
  /** Records what the viewer sends and the policy lets pass. */
  clientMessages(policy: ClientMessagePolicy): ClientMessagePolicy;
  /** Takes the text of a cut text message. Undefined if the clipboard is not recorded. */
  readonly onCutText: ((text: Buffer, last: boolean) => void) | undefined;
}

/** Records a screen. With `requestKeyframe`, the recording gets complete pictures. */
export function captureScreen(
  { recorder, keys, clipboard }: Capture,
  { clock, requestKeyframe }: { readonly clock: Clock; readonly requestKeyframe?: Link['requestKeyframe'] },
): ScreenCapture {
  const onScreenBytes = requestKeyframe && createKeyframeRequests(recorder, clock, requestKeyframe);
  const cutText = clipboard ? createCutTextCapture(recorder) : undefined;
  let lastPointerAt = Number.NEGATIVE_INFINITY;
  let lastButtons = 0;

  function onBytes(source: Buffer, start: number, end: number): void {
    recorder.screen(source, start, end);
    onScreenBytes?.(end - start);
  }

  function key(down: boolean, keysym: number): void {
    if (down) recorder.record({ type: 'key' });
    if (!keys) return;
    const bytes = Buffer.alloc(5);
    bytes[0] = down ? 1 : 0;
    bytes.writeUInt32BE(keysym, 1);
    recorder.record({ type: 'keyValue', bytes });
  }

  function pointer(buttons: number): void {
    const now = clock.now();
    if (buttons === lastButtons && now - lastPointerAt < pointerIntervalMs) return;
    lastPointerAt = now;
    lastButtons = buttons;
    recorder.record({ type: 'pointer' });
  }

  function onMessage(message: Buffer): void {
    switch (message[0]) {
      case clientMessageTypes.setPixelFormat:
        return recorder.record({ type: 'format', bytes: message.subarray(4, 20) });
      case clientMessageTypes.keyEvent:
        return key(message[1] !== 0, message.readUInt32BE(4));
      case clientMessageTypes.qemu:
        return key(message.readUInt16BE(2) !== 0, message.readUInt32BE(4));
      case clientMessageTypes.pointerEvent:
        return pointer(message[1] ?? 0);
      case clientMessageTypes.clientCutText:
        return cutText?.begin(message);
      default:
    }
  }

  return {
    upstream: (side) => recordUpstream(side, recorder, onBytes),
    clientMessages: (policy) => (message) => {
      const allowed = policy(message);
      if (allowed) onMessage(allowed);
      return allowed;
    },
    onCutText: cutText?.text,
  };
}
