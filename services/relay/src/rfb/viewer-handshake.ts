import { PortholeError } from '@porthole/shared/errors';
import type { ByteQueue } from '../stream/byte-queue.ts';
import { createHandshake, type Handshake } from '../stream/handshake.ts';
import { rfbVersion, securityTypes } from './handshake-constants.ts';

/**
 * The handshake with a viewer up to ClientInit, with the relay as the server. It offers only the security type None,
 * because the grant has authenticated the viewer already, and ignores the shared flag. The caller sends `rfbVersion`
 * first.
 */
export function createViewerHandshake(): Handshake {
  let step: 'version' | 'type' | 'init' | 'done' = 'version';

  function advance(queue: ByteQueue): Buffer[] | undefined {
    switch (step) {
      case 'version': {
        const version = queue.read(12);
        if (!version) return undefined;
        if (!version.equals(rfbVersion)) throw protocolError('its version is not RFB 3.8');
        step = 'type';
        return [Buffer.from([1, securityTypes.none])];
      }
      case 'type': {
        const type = queue.read(1)?.[0];
        if (type === undefined) return undefined;
        if (type !== securityTypes.none) throw protocolError('it chose a security type that was not offered');
        step = 'init';
        return [Buffer.alloc(4)]; // SecurityResult: OK
      }
      case 'init': {
        if (!queue.read(1)) return undefined;
        step = 'done';
        return [];
      }
      case 'done':
        return undefined;
    }
  }

  return createHandshake({ advance, done: () => step === 'done' });
}

function protocolError(detail: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail: `the viewer: ${detail}` });
}
