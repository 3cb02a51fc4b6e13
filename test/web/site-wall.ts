import type { RawData, WebSocket } from 'ws';

/** A wall that a page has open. The test plays its relay. */
export interface OpenedWall {
  readonly socket: WebSocket;
  /** The seats that the page has asked for, message by message. */
  readonly shown: (readonly number[])[];
  /** The tokens with which the page has renewed it. */
  readonly renewed: readonly string[];
  /** Says that the class has changed. */
  change(): void;
  picture(seat: number, size: { readonly width: number; readonly height: number }, jpeg: Uint8Array): void;
  state(seat: number, state: string): void;
}

export function acceptWall(socket: WebSocket): OpenedWall {
  const shown: number[][] = [];
  const renewed: string[] = [];
  socket.on('error', () => {});
  socket.on('message', (data: RawData) => {
    const message = JSON.parse((data as Buffer).toString()) as {
      type: string;
      seats?: number[];
      token?: string;
    };
    if (message.type === 'ping') socket.send('{"type":"pong"}');
    else if (message.type === 'renew') renewed.push(message.token ?? '');
    else shown.push(message.seats ?? []);
  });
  return {
    socket,
    shown,
    renewed,
    change: () => socket.send('{"type":"class"}'),
    picture(seat, { width, height }, jpeg) {
      const header = Buffer.alloc(7);
      header.writeUInt16BE(seat, 0);
      header.writeUInt16BE(width, 2);
      header.writeUInt16BE(height, 4);
      header[6] = 1;
      socket.send(Buffer.concat([header, jpeg]));
    },
    state: (seat, state) => socket.send(JSON.stringify({ type: 'seat', seat, state })),
  };
}
