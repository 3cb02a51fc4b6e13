/** Faults of a worker thread that a test causes with a SetEncodings message of this one encoding (faulty-worker.ts). */
export const faults = {
  /** The picture server of the screen throws. */
  throw: 0x7000_0001,
  /** The picture server refuses the viewer's message. */
  refuse: 0x7000_0002,
  /** The thread ends with an uncaught error. */
  die: 0x7000_0003,
  /** The thread never returns. */
  hang: 0x7000_0004,
} as const;
