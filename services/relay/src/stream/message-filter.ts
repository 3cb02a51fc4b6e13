/** Decides, message by message, what a viewer may send to the machine. */
export interface MessageFilter {
  /**
   * What may go to the machine of everything that has arrived so far, in order; slices of the chunk where possible.
   * Throws `viewer_protocol` or `viewer_message_too_big`. Then `passed`, if given, has what came before the fault, so
   * that it makes no difference in which pieces a stream arrives.
   */
  push(chunk: Buffer, passed?: Buffer[]): readonly Buffer[];
  /** Whether a message of the relay may be sent now, which is not so within a long message that passes in parts. */
  readonly atMessageBoundary: boolean;
}
