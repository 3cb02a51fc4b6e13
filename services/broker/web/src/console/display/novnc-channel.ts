import type { RawChannel } from '@novnc/novnc';

/**
 * What noVNC takes for its WebSocket. It gets the binary frames only; text frames are the relay's words to the
 * page. noVNC also never hears of the socket's end: what an end means is decided elsewhere, and noVNC would
 * only print its number.
 */
export function createNovncChannel(socket: WebSocket): RawChannel & { deliver(data: ArrayBuffer): void } {
  let over = false;
  const channel = {
    binaryType: 'arraybuffer',
    onopen: null as RawChannel['onopen'],
    onmessage: null as RawChannel['onmessage'],
    onclose: null as RawChannel['onclose'],
    onerror: null as RawChannel['onerror'],
    get protocol() {
      return socket.protocol;
    },
    // The channel is made when the socket opens. noVNC calls close() only on what it takes for open, and only
    // that ends it in good order, also after the socket's end.
    get readyState() {
      return over ? WebSocket.CLOSED : WebSocket.OPEN;
    },
    send(data: Uint8Array<ArrayBuffer>) {
      // Between the socket's end and noVNC's own end, clicks go nowhere instead of into the browser's console.
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    close() {
      if (over) return;
      over = true;
      socket.close(1000);
      // noVNC waits for this, and complains after three seconds.
      queueMicrotask(() => channel.onclose?.({ code: 1000, reason: '' }));
    },
    deliver(data: ArrayBuffer) {
      if (!over) channel.onmessage?.({ data });
    },
  };
  return channel;
}
