import { PortholeError } from '@porthole/shared/errors';
import type { ByteQueue } from '../stream/byte-queue.ts';
import { createHandshake, type Handshake } from '../stream/handshake.ts';
import { rfbVersion, securityTypes } from './handshake-constants.ts';
import { answerChallenge } from './vnc-authentication.ts';

/** Longest failure reason that is read, in bytes. QEMU's has 22. */
const maxReasonBytes = 1024;

/**
 * The handshake with a machine's VNC server up to the end of authentication, with the relay as the client. The caller
 * sends ClientInit when a viewer is ready to receive what follows.
 */
export function createMachineHandshake(password: string): Handshake {
  let step: 'version' | 'types' | 'challenge' | 'result' | 'done' = 'version';

  function advance(queue: ByteQueue): Buffer[] | undefined {
    switch (step) {
      case 'version': {
        const version = queue.read(12);
        if (!version) return undefined;
        // QEMU, vncterm and Xvnc all use 3.8.
        if (!version.equals(rfbVersion)) throw invalidResponse('its version is not RFB 3.8');
        step = 'types';
        return [rfbVersion];
      }
      case 'types': {
        const count = queue.peek(1)?.[0];
        if (count === undefined) return undefined;
        if (count === 0) return failWithReason(queue, 1);
        const types = queue.read(1 + count)?.subarray(1);
        if (!types) return undefined;
        if (!types.includes(securityTypes.vncAuthentication))
          throw invalidResponse('it does not offer VNC Authentication');
        step = 'challenge';
        return [Buffer.from([securityTypes.vncAuthentication])];
      }
      case 'challenge': {
        const challenge = queue.read(16);
        if (!challenge) return undefined;
        step = 'result';
        return [answerChallenge(password, challenge)];
      }
      case 'result': {
        const result = queue.peek(4)?.readUInt32BE(0);
        if (result === undefined) return undefined;
        if (result !== 0) return failWithReason(queue, 4);
        queue.read(4);
        step = 'done';
        return [];
      }
      case 'done':
        return undefined;
    }
  }

  /** Throws the reason that the server gives behind `offset` bytes, once it has arrived. The server wrote its text. */
  function failWithReason(queue: ByteQueue, offset: number): undefined {
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

function invalidResponse(detail: string): PortholeError {
  return new PortholeError('proxmox_invalid_response', { detail: `the VNC server: ${detail}` });
}
