import { WebSocket } from 'ws';
import { u16, u32 } from '../relay/rfb/bytes.ts';

/** Tight, without a quality level, and what noVNC offers besides. */
const offered = [7, 1, 5, 0, -223, -224, -239, -258, -308];

/** A viewer that requests updates at a fixed rate and reads them without decoding, so that it costs little. */
export interface DrainingViewer {
  readonly received: number;
  /** Resolves when the first pixels have arrived, with the milliseconds since the viewer connected. */
  readonly picture: Promise<number>;
  close(): Promise<void>;
}

export function startDrainingViewer(options: {
  readonly url: string;
  readonly token: string;
  readonly origin: string;
  readonly width: number;
  readonly height: number;
  readonly requestsPerSecond: number;
}): DrainingViewer {
  const { url, origin, width, height, requestsPerSecond } = options;
  const { promise: picture, resolve: onPicture } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const request = (incremental: boolean) =>
    Buffer.concat([Buffer.from([3, incremental ? 1 : 0, 0, 0, 0, 0]), u16(width), u16(height)]);
  // What the viewer sends as soon as the relay has sent this many bytes.
  const handshake = [
    { after: 12, send: [Buffer.from('RFB 003.008\n')] },
    { after: 14, send: [Buffer.from([1])] },
    { after: 18, send: [Buffer.from([1])] },
    {
      after: 18 + 24,
      send: [
        Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]),
        Buffer.concat([Buffer.from([2, 0]), u16(offered.length), ...offered.map(u32)]),
        request(false),
      ],
    },
  ];
  let token = options.token;
  let received = 0;
  let closed = false;
  let socket: WebSocket;
  let over: Promise<void>;
  let timer: NodeJS.Timeout | undefined;

  function connect(): void {
    let bytes = 0;
    let step = 0;
    socket = new WebSocket(url, ['porthole.v1', `porthole.grant.${token}`], {
      origin,
      perMessageDeflate: false,
    });
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        const message = JSON.parse(data.toString()) as { type: string; token?: string };
        if (message.type === 'resume') token = message.token ?? token;
        return;
      }
      bytes += data.length;
      received += data.length;
      for (let next = handshake[step]; next && bytes >= next.after; next = handshake[step]) {
        for (const message of next.send) socket.send(message);
        step++;
        if (step === handshake.length)
          timer = setInterval(() => socket.send(request(true)), 1000 / requestsPerSecond);
        // One answer at a time.
        return;
      }
      if (step === handshake.length && data.length > 64) onPicture(performance.now() - startedAt);
    });
    over = new Promise((resolve) => {
      socket.on('close', (code) => {
        clearInterval(timer);
        resolve();
        if (closed) return;
        if (code !== 1012) throw new Error(`The relay closed a viewer with ${code}.`);
        connect();
      });
    });
  }

  connect();
  return {
    get received() {
      return received;
    },
    picture,
    async close() {
      closed = true;
      socket.close();
      await over;
    },
  };
}
