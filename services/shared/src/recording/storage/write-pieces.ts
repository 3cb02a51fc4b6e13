import type { FileHandle } from 'node:fs/promises';

/** What one call of the system takes (IOV_MAX). */
const maxPieces = 1024;

/** Writes pieces one behind the other, from a position on, without joining them. Returns the number of bytes. */
export async function writePieces(
  file: Pick<FileHandle, 'writev'>,
  pieces: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let written = 0;
  let left = pieces.filter(({ length }) => length > 0);
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left.slice(0, maxPieces), position + written);
    written += bytesWritten;
    left = behind(left, bytesWritten);
  }
  return written;
}

/** The pieces without their first bytes. */
function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  const first = pieces.findIndex(({ length }) => {
    if (skip < length) return true;
    skip -= length;
    return false;
  });
  if (first < 0) return [];
  return pieces.slice(first).map((piece, index) => (index === 0 ? piece.subarray(skip) : piece));
}
