import type { Clock } from '@porthole/shared/time/clock';
import type { ClientMessagePolicy } from '../rfb/client-message-policy.ts';
import { clientMessageTypes } from '../rfb/message-types.ts';
import type { MessageReader, UpstreamSide } from '../stream/upstream-side.ts';
import { tapUpstream } from '../stream/tap-upstream.ts';
import type { Capture } from './capture.ts';
import { createCutTextCapture } from './capture-cut-text.ts';

/** Moves of the pointer come much faster than a player can show them. */
const pointerIntervalMs = 250;
/** ServerInit up to its name, whose length are the last four bytes (RFC 6143 section 7.3.2). */
const serverInitBytes = 24;
const maxNameBytes = 64 * 1024;

export interface ScreenCapture {
  /** The machine's side, recorded as it is forwarded. */
  upstream(side: UpstreamSide): UpstreamSide;
  /** Records what the viewer sends and the policy lets pass. */
  clientMessages(policy: ClientMessagePolicy): ClientMessagePolicy;
  /** Takes the text of a cut text message. Undefined if the clipboard is not recorded. */
  readonly onCutText: ((text: Buffer, last: boolean) => void) | undefined;
  onResize(width: number, height: number): void;
}

/**
 * Records a screen. `reader` reads what is forwarded, and leaves out the text of the machine's clipboard. Undefined if
 * another reader has done that before.
 */
export function captureScreen(
  { recorder, keys, clipboard, fail }: Capture,
  { clock, reader }: { readonly clock: Clock; readonly reader: MessageReader | undefined },
): ScreenCapture {
  const cutText = clipboard ? createCutTextCapture(recorder) : undefined;
  let lastPointerAt = Number.NEGATIVE_INFINITY;
  let lastButtons = 0;
  /** ServerInit as far as it has arrived. Undefined once it is recorded. */
  let init: Buffer | undefined = Buffer.alloc(0);
  let failed = false;

  function forwarded(source: Buffer, start: number, end: number): void {
    if (init) return collectInit(source.subarray(start, end));
    recorder.screen(source.subarray(start, end));
  }

  function collectInit(bytes: Buffer): void {
    init = Buffer.concat([init ?? Buffer.alloc(0), bytes]);
    if (init.length < serverInitBytes) return;
    const nameBytes = init.readUInt32BE(serverInitBytes - 4);
    if (nameBytes > maxNameBytes) return failOnce('the name of the desktop is too long');
    const length = serverInitBytes + nameBytes;
    if (init.length < length) return;
    const rest = init.subarray(length);
    recorder.record({ type: 'init', bytes: init.subarray(0, length) });
    recorder.record({ type: 'resize', width: init.readUInt16BE(0), height: init.readUInt16BE(2) });
    init = undefined;
    if (rest.length > 0) recorder.screen(rest);
  }

  function failOnce(detail: string): void {
    failed = true;
    fail(detail);
  }

  function onBytes(source: Buffer, start: number, end: number): void {
    if (failed) return;
    if (!reader) return forwarded(source, start, end);
    try {
      reader.read(source, start, end, clipboard ? discard : forwarded);
      if (clipboard) forwarded(source, start, end);
    } catch (error) {
      // What follows cannot be told from text of the clipboard.
      failOnce(error instanceof Error ? error.message : String(error));
    }
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
    upstream: (side) => tapUpstream(side, onBytes),
    clientMessages: (policy) => (message) => {
      const allowed = policy(message);
      if (allowed) onMessage(allowed);
      return allowed;
    },
    onCutText: cutText?.text,
    onResize: (width, height) => recorder.record({ type: 'resize', width, height }),
  };
}

function discard(): void {}
