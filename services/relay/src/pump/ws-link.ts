import type { WebSocket } from 'ws';
import type { Link, LinkHandler } from './link.ts';

/**
 * A link on a `ws` socket.
 *
 * `maxFrameBytes` cuts what is sent: pveproxy takes frames of up to 128 KiB, and a larger one kills the worker
 * or the connection (pve-http-server AnyEvent.pm). `onText` gets text frames; without it they count as bytes.
 */
export function createWsLink(
  socket: WebSocket,
  options: { readonly maxFrameBytes: number; readonly onText?: (text: string) => void },
): Link {
  let handler: LinkHandler | undefined;
  let over = socket.readyState === socket.CLOSED;
  socket.pause();

  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary && options.onText) options.onText(data.toString('utf8'));
    else handler?.bytes(data);
  });
  // An error is always followed by a close, which is what we act on.
  socket.on('error', () => {});
  socket.on('close', () => {
    over = true;
    handler?.ended();
  });

  const sent = () => handler?.drained?.();
  return {
    send(bytes) {
      if (socket.readyState !== socket.OPEN) return;
      for (let at = 0; at < bytes.length; at += options.maxFrameBytes)
        socket.send(bytes.subarray(at, at + options.maxFrameBytes), { binary: true }, sent);
    },
    get buffered() {
      return socket.bufferedAmount;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    handle(next) {
      const first = handler === undefined;
      handler = next;
      if (over) next.ended();
      else if (first) socket.resume();
    },
    destroy: () => socket.terminate(),
  };
}
