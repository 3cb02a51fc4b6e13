import type { PortholeError } from '@porthole/shared/errors';
import type { Keyframe } from './keyframe.ts';

/**
 * One side of a console, the viewer's or the machine's, as the pump and the handshakes use it. The implementation
 * frames and transports the bytes.
 */
export interface Link {
  /**
   * Sends bytes without blocking. The caller may reuse their memory when this returns. Returns whether the network
   * keeps up; if not, check `buffered` and stop sending when it grows.
   */
  send(source: Buffer, start?: number, end?: number): boolean;
  /** Bytes that the network has not taken yet. */
  readonly buffered: number;
  /** Data frames sent so far. */
  readonly framesSent: number;
  pause(): void;
  resume(): void;
  /** Replaces the handler. A link starts paused and reads when it gets its first handler. */
  setHandler(handler: LinkHandler): void;
  /** Ends the connection without a close frame. */
  destroy(): void;
  /**
   * Asks for the complete picture, for a recording. If there is one, `onKeyframe` gets it once, between two calls of
   * `onBytes`: what comes behind it can be shown without what came before. Missing if the stream cannot be entered.
   */
  requestKeyframe?(onKeyframe: (keyframe: Keyframe) => void): void;
}

export interface LinkHandler {
  /** Bytes have arrived. Their memory is reused after the call, because all sessions share it. */
  onBytes(source: Buffer, start: number, end: number): void;
  /** The network has taken bytes, so `buffered` is smaller now. */
  onDrained?(): void;
  /**
   * The peer has left, or it broke its protocol: then with the error. Called once, on the current handler or on the
   * next one.
   */
  onEnded(error?: PortholeError): void;
}
