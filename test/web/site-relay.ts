import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import { createRfbServer, type RfbServer } from './rfb-server.ts';

/** A console that a page has open. The test plays its relay. */
export interface OpenedConsole {
  readonly socket: WebSocket;
  readonly rfb: RfbServer;
  /** Types and bytes of the RFB messages from the page. */
  readonly received: { readonly type: number; readonly bytes: Buffer }[];
  /** Text messages from the page except pings, which are answered like a relay does. */
  readonly texts: string[];
  sendControl(message: unknown): void;
  close(code: number, reason?: string): void;
}

/** How the relay treats the next consoles. */
export type RelayScript = (opened: OpenedConsole) => void;

/** Opens the console and sends a picture. */
export const openNormally: RelayScript = ({ sendControl, rfb }) => {
  sendControl({ type: 'opening', step: 'status' });
  sendControl({ type: 'opening', step: 'console' });
  sendControl({ type: 'opened', mode: 'control' });
  rfb.start();
};

export const offeredProtocols = (request: IncomingMessage): string =>
  request.headers['sec-websocket-protocol'] ?? '';

export function acceptConsole(socket: WebSocket): OpenedConsole {
  const received: OpenedConsole['received'] = [];
  const texts: string[] = [];
  const rfb = createRfbServer({
    send: (bytes) => socket.send(bytes),
    onMessage: (type, bytes) => received.push({ type, bytes: Buffer.from(bytes) }),
  });
  const sendControl = (message: unknown) => socket.send(JSON.stringify(message));
  socket.on('message', (data: RawData, binary: boolean) => {
    if (binary) return rfb.receive(data as Buffer);
    const text = (data as Buffer).toString();
    if (text === '{"type":"ping"}') sendControl({ type: 'pong' });
    else texts.push(text);
  });
  socket.on('error', () => {});
  return {
    socket,
    rfb,
    received,
    texts,
    sendControl,
    close: (code, reason = '') => socket.close(code, reason),
  };
}
