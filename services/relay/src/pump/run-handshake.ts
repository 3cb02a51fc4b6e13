import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import type { Handshake } from '../rfb/handshake.ts';
import type { Link } from './link.ts';

/** Takes what arrived behind the handshake; to be called when the next handler takes over the link. */
export type TakeRest = () => Buffer;

/** Nobody has anything to say between the handshakes and ServerInit; more than a little is an attack. */
const maxRestBytes = 64 * 1024;

/** Runs one side's handshake over a link. The link is read on afterwards, so that its end is noticed. */
export function runHandshake(
  link: Link,
  handshake: Handshake,
  on: {
    readonly signal: AbortSignal;
    readonly firstByte?: () => void;
    /** The peer left, or broke its protocol, in the middle of the handshake or between it and the next handler. */
    readonly ended: (sentAnything: boolean, error?: PortholeError) => void;
  },
): Promise<TakeRest> {
  return new Promise((resolve, reject) => {
    let started = false;
    let done = false;
    let rest: Buffer[] = [];
    let restBytes = 0;
    const stop = (error: Error) => {
      on.signal.removeEventListener('abort', onAbort);
      reject(error);
    };
    const onAbort = () => stop(on.signal.reason as Error);
    if (on.signal.aborted) {
      onAbort();
      return;
    }
    on.signal.addEventListener('abort', onAbort, { once: true });

    const keep = (chunk: Buffer) => {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes > maxRestBytes) link.destroy();
    };
    link.handle({
      bytes(source, start, end) {
        // A copy: the memory is lent, and handshakes keep what is not complete.
        const chunk = Buffer.from(source.subarray(start, end));
        if (done) {
          keep(chunk);
          return;
        }
        if (!started) on.firstByte?.();
        started = true;
        try {
          const answer = handshake.push(chunk);
          for (const bytes of answer.send) link.send(bytes);
          done = answer.done;
        } catch (error) {
          stop(asPortholeError(error));
          return;
        }
        if (!done) return;
        keep(handshake.rest());
        on.signal.removeEventListener('abort', onAbort);
        resolve(() => {
          const all = Buffer.concat(rest);
          rest = [];
          return all;
        });
      },
      ended: (error) => on.ended(started, error),
    });
  });
}
