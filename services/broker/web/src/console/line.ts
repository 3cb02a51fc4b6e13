import type { Grant } from '../api.ts';
import { createChannel } from './channel.ts';
import type { Line, LineEvents } from './connection.ts';
import { parseControl } from './control.ts';
import { lineBroke } from './outcome.ts';
import type { Screen } from './screen.ts';

/** Loaded while the broker is still being asked: the words on the screen need not wait for it. */
const novnc = import('@novnc/novnc');
// The failure is handled where the module is used; until then it's not an unhandled one.
novnc.catch(() => {});

/** Dials the relay and puts what comes onto the screen. */
export function dial(grant: Grant, screen: Screen, events: LineEvents): Line {
  let over = false;
  let socket: WebSocket | undefined;

  function end(code: number, reason: string) {
    if (over) return;
    over = true;
    screen.detach();
    socket?.close();
    events.closed(code, reason);
  }

  async function connect(): Promise<void> {
    const { default: RFB } = await novnc;
    if (over) return;
    const ws = new WebSocket(grant.url, [...grant.protocols]);
    socket = ws;
    ws.binaryType = 'arraybuffer';
    const channel = createChannel(ws);
    ws.addEventListener('open', () => {
      if (over) return;
      events.connected();
      screen.attach((target) => new RFB(target, channel, { shared: true }), {
        picture: events.picture,
        broken: () => end(lineBroke, ''),
      });
    });
    ws.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (over) return;
      if (event.data instanceof ArrayBuffer) channel.deliver(event.data);
      else if (typeof event.data === 'string') {
        const message = parseControl(event.data);
        if (!message) return;
        if (message.type === 'opened') screen.setViewOnly(message.mode === 'view');
        events.control(message);
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
      screen.detach();
      socket?.close();
    },
  };
}
