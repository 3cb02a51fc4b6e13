import { WebSocket } from 'ws';
import { testOrigin } from '../relay/rig.ts';

/** A page with a wall of so many seats, all of them shown. */
export interface WallViewer {
  readonly pictures: number;
  readonly bytes: number;
  /** Resolves with the milliseconds from the connection until each seat has a picture. */
  readonly complete: Promise<number>;
  close(): Promise<void>;
}

export function startWallViewer(url: string, token: string, seats: number): WallViewer {
  const startedAt = performance.now();
  const socket = new WebSocket(url, ['porthole.wall.v1', `porthole.grant.${token}`], {
    origin: testOrigin,
    perMessageDeflate: false,
  });
  const complete = Promise.withResolvers<number>();
  const seen = new Set<number>();
  const closed = new Promise<void>((resolve) => {
    socket.on('close', (code) => {
      complete.reject(
        new Error(`The wall closed with ${code} when ${seen.size} of ${seats} seats had a picture.`),
      );
      resolve();
    });
  });
  complete.promise.catch(() => {});
  const viewer = {
    pictures: 0,
    bytes: 0,
    complete: complete.promise,
    async close() {
      socket.close();
      await closed;
    },
  };
  socket.on('error', () => {});
  socket.on('open', () =>
    socket.send(JSON.stringify({ type: 'show', seats: Array.from({ length: seats }, (_, seat) => seat) })),
  );
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) return;
    viewer.pictures++;
    viewer.bytes += data.length;
    seen.add(data.readUInt16BE(0));
    if (seen.size === seats) complete.resolve(performance.now() - startedAt);
  });
  return viewer;
}
