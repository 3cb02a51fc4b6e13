import { abandonedCode } from '@porthole/shared/protocol/close-codes';
import type { ClientMessage } from '@porthole/shared/protocol/control-messages';
import type { Clock } from '@porthole/shared/time/clock';
import type { Grant } from '../../api.ts';
import type { DisplayAdapter } from '../display/display-adapter.ts';
import type { ConsoleSocket, ConsoleSocketEvents } from './connection.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import { connectionLostCode } from './outcome.ts';
import { parseControlMessage } from './parse-control-message.ts';

export interface ConsoleSocketDeps {
  readonly clock: Clock;
  readonly visible: () => boolean;
  readonly display: DisplayAdapter;
}

/** Connects to the relay and shows what arrives on the display. */
export function openConsoleSocket(
  { clock, visible, display }: ConsoleSocketDeps,
  grant: Grant,
  events: ConsoleSocketEvents,
): ConsoleSocket {
  let over = false;
  let socket: WebSocket | undefined;
  let heartbeat: Heartbeat | undefined;

  /** Releases the socket, the display and the heartbeat. Returns false if that was done before. */
  function release(): boolean {
    if (over) return false;
    over = true;
    heartbeat?.stop();
    display.detach();
    socket?.close();
    return true;
  }

  /** Browsers wait for the other side's close frame; the page does not. The relay keeps the session for a resume. */
  function onDead(): void {
    // Before the display, which would close it with another code.
    socket?.close(abandonedCode);
    if (release()) events.onDead();
  }

  function end(code: number, reason: string): void {
    if (release()) events.onClose(code, reason);
  }

  function send(message: ClientMessage): void {
    if (!over && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  async function connect(): Promise<void> {
    const attach = await display.load();
    if (over) return;
    const ws = new WebSocket(grant.url, [...grant.protocols]);
    socket = ws;
    ws.binaryType = 'arraybuffer';
    let deliver: ((bytes: ArrayBuffer) => void) | undefined;
    ws.addEventListener('open', () => {
      if (over) return;
      heartbeat = startHeartbeat({
        clock,
        visible,
        bufferedAmount: () => ws.bufferedAmount,
        sendPing: () => send({ type: 'ping' }),
        onDead,
      });
      events.onOpen();
      deliver = attach(ws, {
        onFirstFrame: events.onFirstFrame,
        onProtocolError: () => end(connectionLostCode, ''),
      });
    });
    ws.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (over) return;
      heartbeat?.received();
      if (event.data instanceof ArrayBuffer) deliver?.(event.data);
      else if (typeof event.data === 'string') receiveText(event.data);
    });
    ws.addEventListener('close', (event) => end(event.code, event.reason));
  }

  function receiveText(text: string): void {
    const message = parseControlMessage(text);
    if (!message) return;
    if (message.type === 'opened') display.setViewOnly(message.mode === 'view');
    events.onControlMessage(message);
    if (message.type === 'opened') display.onOpened?.(message.mode);
  }

  connect().catch(() => end(connectionLostCode, ''));

  return {
    send,
    check: () => heartbeat?.check(),
    abandon: onDead,
    close: () => void release(),
  };
}
