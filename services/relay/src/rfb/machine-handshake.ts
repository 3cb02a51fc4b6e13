import { PortholeError } from '@porthole/shared/errors';
import type { ByteQueue } from '../stream/byte-queue.ts';
import { createHandshake, type Handshake } from '../stream/handshake.ts';
import { rfbVersion, securityTypes } from './handshake.ts';
import { answerChallenge } from './vnc-authentication.ts';

/** Longest reason that is read; QEMU's is 22 bytes. */
const maxReasonBytes = 1024;

/**
 * The relay as the machine's client, up to and including authentication. ClientInit is left to the caller,
 * who sends it when a viewer is there to receive what follows.
 */
export function createMachineHandshake(password: string): Handshake {
  let step: 'version' | 'types' | 'challenge' | 'result' | 'done' = 'version';

  /** One step further, or undefined when more bytes are needed. */
  function advance(queue: ByteQueue): Buffer[] | undefined {
    switch (step) {
      case 'version': {
        const version = queue.take(12);
        if (!version) return undefined;
        // All of QEMU, vncterm and Xvnc speak 3.8; anything else is not a VNC server.
        if (!version.equals(rfbVersion)) throw nonsense('it greets with something other than RFB 3.8');
        step = 'types';
        return [rfbVersion];
      }
      case 'types': {
        const count = queue.peek(1)?.[0];
        if (count === undefined) return undefined;
        if (count === 0) return refusal(queue, 1);
        const types = queue.take(1 + count)?.subarray(1);
        if (!types) return undefined;
        if (!types.includes(securityTypes.vncAuthentication))
          throw nonsense('it offers no VNC Authentication');
        step = 'challenge';
        return [Buffer.from([securityTypes.vncAuthentication])];
      }
      case 'challenge': {
        const challenge = queue.take(16);
        if (!challenge) return undefined;
        step = 'result';
        return [answerChallenge(password, challenge)];
      }
      case 'result': {
        const result = queue.peek(4)?.readUInt32BE(0);
        if (result === undefined) return undefined;
        if (result !== 0) return refusal(queue, 4);
        queue.take(4);
        step = 'done';
        return [];
      }
      case 'done':
        return undefined;
    }
  }

  /** Reads the reason behind `offset` bytes and throws it. Its text is the server's, so only the log gets it. */
  function refusal(queue: ByteQueue, offset: number): undefined {
    const length = queue.peek(offset + 4)?.readUInt32BE(offset);
    if (length === undefined) return undefined;
    const size = Math.min(length, maxReasonBytes);
    const reason = queue.peek(offset + 4 + size);
    if (!reason) return undefined;
    const text = reason
      .subarray(offset + 4)
      .toString('latin1')
      .replaceAll(/[^\x20-\x7e]/g, '');
    throw new PortholeError('console_auth_failed', { detail: `the VNC server says: ${text}` });
  }

  return createHandshake({ advance, done: () => step === 'done' });
}

function nonsense(detail: string): PortholeError {
  return new PortholeError('proxmox_invalid_response', { detail: `the VNC server: ${detail}` });
}
