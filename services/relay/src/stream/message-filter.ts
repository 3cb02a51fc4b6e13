/** Decides, message by message, what a viewer may send to the machine. */
export interface MessageFilter {
  /**
   * Takes what arrived. Returns what may go to the machine, in order; slices of the chunk where possible. Throws
   * `viewer_protocol` or `viewer_message_too_big`. Then `forwarded`, if given, has what came before the fault, so the
   * result does not depend on how the stream is split into chunks.
   */
  push(chunk: Buffer, forwarded?: Buffer[]): readonly Buffer[];
  /** Whether the relay may send a message of its own now: not within a long message that is forwarded in pieces. */
  readonly atMessageBoundary: boolean;
}
