import type { RawChannel } from '@novnc/novnc';

/**
 * The object that noVNC uses as its WebSocket. It passes binary frames only; text frames are the relay's control
 * messages. It does not tell noVNC that the socket closed, because noVNC would only show the close code.
 */
export function createNovncChannel(socket: WebSocket): RawChannel & { deliver(data: ArrayBuffer): void } {
  let closed = false;
  const channel = {
    binaryType: 'arraybuffer',
    onopen: null as RawChannel['onopen'],
    onmessage: null as RawChannel['onmessage'],
    onclose: null as RawChannel['onclose'],
    onerror: null as RawChannel['onerror'],
    get protocol() {
      return socket.protocol;
    },
    // noVNC calls close() only on an open channel, and only that releases everything, also after the socket's end.
    get readyState() {
      return closed ? WebSocket.CLOSED : WebSocket.OPEN;
    },
    send(data: Uint8Array<ArrayBuffer>) {
      // noVNC can outlive the socket for a moment. The browser would log an error for input in that time.
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    close() {
      if (closed) return;
      closed = true;
      socket.close(1000);
      // noVNC waits three seconds for this event and then logs an error.
      queueMicrotask(() => channel.onclose?.({ code: 1000, reason: '' }));
    },
    deliver(data: ArrayBuffer) {
      if (!closed) channel.onmessage?.({ data });
    },
  };
  return channel;
}
