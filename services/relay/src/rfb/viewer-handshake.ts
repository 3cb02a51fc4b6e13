import { PortholeError } from '@porthole/shared/errors';
import type { ByteQueue } from '../stream/byte-queue.ts';
import { createHandshake, type Handshake } from '../stream/handshake.ts';
import { rfbVersion, securityTypes } from './handshake.ts';

/**
 * The relay as the viewer's server: it offers security type None and nothing else, because the grant has
 * already said who this is. Ends with ClientInit, whose shared flag is read and dropped.
 * The caller sends `rfbVersion` first.
 */
export function createViewerHandshake(): Handshake {
  let step: 'version' | 'type' | 'init' | 'done' = 'version';

  function advance(queue: ByteQueue): Buffer[] | undefined {
    switch (step) {
      case 'version': {
        const version = queue.take(12);
        if (!version) return undefined;
        if (!version.equals(rfbVersion)) throw broken('it does not speak RFB 3.8');
        step = 'type';
        return [Buffer.from([1, securityTypes.none])];
      }
      case 'type': {
        const type = queue.take(1)?.[0];
        if (type === undefined) return undefined;
        if (type !== securityTypes.none) throw broken('it chose a security type that was not offered');
        step = 'init';
        return [Buffer.alloc(4)]; // SecurityResult: OK
      }
      case 'init': {
        if (!queue.take(1)) return undefined;
        step = 'done';
        return [];
      }
      case 'done':
        return undefined;
    }
  }

  return createHandshake({ advance, done: () => step === 'done' });
}

function broken(detail: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail: `the viewer: ${detail}` });
}
