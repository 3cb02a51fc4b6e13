import type { SeatState, WallClientMessage } from '@porthole/shared/protocol/wall-messages';
import { grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import type { Clock } from '@porthole/shared/time/clock';
import type { WallGrant } from '../../api.ts';
import { startHeartbeat, type Heartbeat } from '../../console/connection/heartbeat.ts';
import { parseWallMessage, parseWallPicture, type WallPicture } from './parse-wall-message.ts';

export interface WallSocket {
  show(seats: readonly number[]): void;
  /** The user still has the right: a grant that renews this wall says so. */
  renew(grant: WallGrant): void;
  /** Finds out soon whether the connection is alive. */
  check(): void;
  /** Without a call of `onClosed`. */
  close(): void;
}

export interface WallSocketEvents {
  onOpen(): void;
  onPicture(picture: WallPicture): void;
  onState(seat: number, state: SeatState): void;
  /** The class has changed. */
  onClassChanged(): void;
  /** Called once, with the close code; 1006 if the connection was lost. */
  onClosed(code: number): void;
}

const lostCode = 1006;

export function openWallSocket(
  deps: { readonly clock: Clock; readonly pageIsVisible: () => boolean },
  grant: WallGrant,
  events: WallSocketEvents,
): WallSocket {
  const socket = new WebSocket(grant.url, [...grant.protocols]);
  socket.binaryType = 'arraybuffer';
  let heartbeat: Heartbeat | undefined;
  let over = false;

  function end(code: number | undefined): void {
    if (over) return;
    over = true;
    heartbeat?.stop();
    socket.close();
    if (code !== undefined) events.onClosed(code);
  }

  function send(message: WallClientMessage): void {
    if (!over && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  socket.addEventListener('open', () => {
    if (over) return;
    heartbeat = startHeartbeat({
      clock: deps.clock,
      visible: deps.pageIsVisible,
      bufferedAmount: () => socket.bufferedAmount,
      sendPing: () => send({ type: 'ping' }),
      onDead: () => end(lostCode),
    });
    events.onOpen();
  });
  socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (over) return;
    heartbeat?.received();
    if (data instanceof ArrayBuffer) {
      const picture = parseWallPicture(data);
      if (picture) events.onPicture(picture);
    } else if (typeof data === 'string') {
      const message = parseWallMessage(data);
      if (message?.type === 'seat') events.onState(message.seat, message.state);
      if (message?.type === 'class') events.onClassChanged();
    }
  });
  socket.addEventListener('close', ({ code }) => end(code));

  return {
    show: (seats) => send({ type: 'show', seats: [...seats] }),
    renew: ({ protocols }) =>
      send({ type: 'renew', token: protocols.at(-1)?.slice(grantProtocolPrefix.length) ?? '' }),
    check: () => heartbeat?.check(),
    close: () => end(undefined),
  };
}
