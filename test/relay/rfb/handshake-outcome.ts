import fc from 'fast-check';
import type { Handshake } from '@porthole/relay/stream/handshake';
import { arbitraryChunks, byteByByte } from '../chunks.ts';

export interface HandshakeOutcome {
  /** As hexadecimal text, like `leftover`. */
  readonly sent?: string;
  readonly done?: boolean;
  readonly leftover?: string;
  readonly error?: unknown;
}

/** What a handshake does when it receives these chunks. */
export function outcomeOf(handshake: Handshake, chunks: readonly Buffer[]): HandshakeOutcome {
  const sent: Buffer[] = [];
  const leftover: Buffer[] = [];
  let done = false;
  try {
    for (const chunk of chunks) {
      if (done) leftover.push(chunk);
      else {
        const answer = handshake.push(chunk);
        sent.push(...answer.send);
        done = answer.done;
        if (done) leftover.push(handshake.leftover());
      }
    }
  } catch (error) {
    const { code, detail } = error as { code: unknown; detail: unknown };
    return { error: { code, detail } };
  }
  const hex = (buffers: Buffer[]) => Buffer.concat(buffers).toString('hex');
  return { sent: hex(sent), done, ...(done ? { leftover: hex(leftover) } : {}) };
}

/** Expects the same outcome in whatever chunks the bytes arrive, and returns it. */
export function expectSameOutcome(
  create: () => Handshake,
  parts: readonly (Buffer | readonly number[])[],
): HandshakeOutcome {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const outcome = outcomeOf(create(), [bytes]);
  expect(outcomeOf(create(), byteByByte(bytes))).toEqual(outcome);
  fc.assert(
    fc.property(arbitraryChunks(bytes), (chunks) => {
      expect(outcomeOf(create(), chunks)).toEqual(outcome);
    }),
  );
  return outcome;
}
