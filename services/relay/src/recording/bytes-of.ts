/** Bytes of all pieces together. */
export const bytesOf = (pieces: readonly { readonly length: number }[]): number =>
  pieces.reduce((sum, { length }) => sum + length, 0);
