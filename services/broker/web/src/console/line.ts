import type { Grant } from '../api.ts';
import type { Line, LineEvents } from './connection.ts';
import { parseControl } from './control.ts';
import { lineBroke } from './outcome.ts';
import type { Surface } from './surface.ts';

/** Dials the relay and puts what comes onto a screen or a terminal. */
export function dial(grant: Grant, surface: Surface, events: LineEvents): Line {
  let over = false;
  let socket: WebSocket | undefined;

  function end(code: number, reason: string) {
    if (over) return;
    over = true;
    surface.detach();
    socket?.close();
    events.closed(code, reason);
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
      events.connected();
      deliver = attach(ws, { picture: events.picture, broken: () => end(lineBroke, '') });
    });
    ws.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (over) return;
      if (event.data instanceof ArrayBuffer) deliver?.(event.data);
      else if (typeof event.data === 'string') {
        const message = parseControl(event.data);
        if (!message) return;
        if (message.type === 'opened') surface.setViewOnly(message.mode === 'view');
        events.control(message);
        if (message.type === 'opened') surface.opened?.(message.mode);
      }
    });
    ws.addEventListener('close', (event) => end(event.code, event.reason));
  }

  connect().catch(() => end(lineBroke, ''));

  return {
    say(message) {
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
