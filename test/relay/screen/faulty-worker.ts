import { parentPort } from 'node:worker_threads';
import { PortholeError } from '@porthole/shared/errors';
import { offersEncoding } from '@porthole/relay/rfb/encodings';
import { servePictures, type RelayPort } from '@porthole/relay/screen/serve-pictures';
import { faults } from './faults.ts';
import { createStandInServer } from './stand-in-server.ts';

/** A worker thread that works until a viewer's message causes a fault (faults.ts). */
servePictures(parentPort as RelayPort, (events) => {
  const server = createStandInServer(events);
  return {
    ...server,
    onViewerMessage(viewer, message) {
      const asks = (fault: number) => message[0] === 2 && offersEncoding(Buffer.from(message), fault);
      if (asks(faults.throw)) throw new Error('the fault of a test');
      if (asks(faults.refuse)) throw new PortholeError('viewer_protocol', { detail: 'the fault of a test' });
      if (asks(faults.die))
        setImmediate(() => {
          throw new Error('the fault of a test');
        });
      while (asks(faults.hang));
      server.onViewerMessage(viewer, message);
    },
  };
});
