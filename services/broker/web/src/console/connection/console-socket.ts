import type { Grant } from '../../api.ts';
import type { ConsoleSocket, ConsoleSocketEvents } from './connection.ts';
import { parseControlMessage } from './parse-control-message.ts';
import { connectionLostCode } from './outcome.ts';
import type { DisplayAdapter } from '../display/display-adapter.ts';

/** Dials the relay and puts what comes onto a screen or a terminal. */
export function openConsoleSocket(
  grant: Grant,
  surface: DisplayAdapter,
  events: ConsoleSocketEvents,
): ConsoleSocket {
  let over = false;
  let socket: WebSocket | undefined;

  function end(code: number, reason: string) {
    if (over) return;
    over = true;
    surface.detach();
    socket?.close();
    events.onClose(code, reason);
  }

  async function connect(): Promise<void> {
    const attach = await surface.load();
    if (over) return;
    const ws = new WebSocket(grant.url, [...grant.protocols]);
    socket = ws;
    ws.binaryType = 'arraybuffer';
    let deliver: ((bytes: ArrayBuffer) => void) | undefined;
    ws.addEventListener('open', () => {
      if (over) return;
      events.onOpen();
      deliver = attach(ws, {
        onFirstFrame: events.onFirstFrame,
        onProtocolError: () => end(connectionLostCode, ''),
      });
    });
    ws.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (over) return;
      if (event.data instanceof ArrayBuffer) deliver?.(event.data);
      else if (typeof event.data === 'string') {
        const message = parseControlMessage(event.data);
        if (!message) return;
        if (message.type === 'opened') surface.setViewOnly(message.mode === 'view');
        events.onControlMessage(message);
        if (message.type === 'opened') surface.onOpened?.(message.mode);
      }
    });
    ws.addEventListener('close', (event) => end(event.code, event.reason));
  }

  connect().catch(() => end(connectionLostCode, ''));

  return {
    send(message) {
      if (!over && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    close() {
      if (over) return;
      over = true;
      surface.detach();
      socket?.close();
    },
  };
}
