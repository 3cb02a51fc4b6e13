import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { PortholeError } from '@porthole/shared/errors';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { LocatedMachine } from './machine.ts';
import { createProxmoxLink, type MachineLink } from './proxmox-link.ts';
import type { ConsoleTicket } from './ticket.ts';
import { createUpgradeRequest, parseResponseHead, type HttpResponseHead } from './websocket-upgrade.ts';

/** Longest head of the HTTP response in bytes. Proxmox's has about 300. */
const maxHeadBytes = 16 * 1024;

/**
 * The buffer that every console's connection is read into, one TLS record (16 KiB) at a time. All consoles share it,
 * because each piece is processed before the next read, so an idle session holds no buffer.
 */
const readBuffer = Buffer.allocUnsafeSlow(16 * 1024);

/** Opens the console's WebSocket at the host that issued the ticket, with the credential that requested it. */
export async function openConsoleSocket(
  machine: LocatedMachine,
  { port, ticket }: Pick<ConsoleTicket, 'port' | 'ticket'>,
  signal: AbortSignal,
): Promise<MachineLink> {
  const { client } = machine.cluster;
  const { base, nodeName } = machine.host;
  // encodeURIComponent, not URLSearchParams: Proxmox splits at ';' and cuts at '=', both of which tickets contain.
  const path = `/api2/json${machine.path}/vncwebsocket?port=${port}&vncticket=${encodeURIComponent(ticket)}`;
  const host = base.hostname.replace(/^\[|\]$/g, '');

  const reader = createSocketReader();
  const target = { host, port: Number(base.port) || 443, nodeName };
  const socket = await client.dial(target, signal, reader.onread);
  const headers = await client.headers().catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  // An HTTP server sends nothing before the request.
  if (reader.lostBytes) socket.destroy();
  // Exactly one subprotocol: Proxmox echoes the header as it is, and PVE 6 requires this value.
  const request = createUpgradeRequest(path, {
    host: base.host,
    ...headers,
    'sec-websocket-protocol': 'binary',
  });
  const { response, takeLeftover } = await sendUpgrade(socket, signal, reader, request.text);
  if (!request.isAcceptedBy(response)) {
    socket.destroy();
    throw upgradeError(response);
  }
  const link = createProxmoxLink(socket);
  // If the signal is aborted before the caller has the link, no caller destroys it.
  onAbort(signal, () => link.destroy());
  reader.onBytes = (length) => link.onRead(readBuffer, length);
  const leftover = takeLeftover();
  link.onRead(leftover, leftover.length);
  return link;
}

interface SocketReader {
  readonly onread: OnReadOpts;
  /** Receives the number of bytes that were read into `readBuffer`. While it is undefined, they are lost. */
  onBytes: ((length: number) => void) | undefined;
  lostBytes: boolean;
}

/** A function of its own, because the socket keeps its closures for life, and they must hold nothing of the dial. */
function createSocketReader(): SocketReader {
  const reader: SocketReader = {
    onBytes: undefined,
    lostBytes: false,
    onread: {
      buffer: readBuffer,
      callback(length) {
        if (reader.onBytes) reader.onBytes(length);
        else reader.lostBytes = true;
        return true;
      },
    },
  };
  return reader;
}

/** Sends the upgrade request and reads the head of the response, and what follows it in the same read. */
function sendUpgrade(
  socket: TLSSocket,
  signal: AbortSignal,
  reader: SocketReader,
  request: string,
): Promise<{ response: HttpResponseHead; takeLeftover: () => Buffer }> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let stopListening = () => {};
    const keep = (length: number) => (received = Buffer.concat([received, readBuffer.subarray(0, length)]));
    const done = () => {
      reader.onBytes = keep;
      socket.off('error', onError).off('end', onClose).off('close', onClose);
      stopListening();
    };
    const fail = (error: PortholeError) => {
      done();
      reader.onBytes = () => {};
      socket.destroy();
      reject(error);
    };
    const failAsLost = (detail: string) => fail(new PortholeError('console_lost', { detail }));
    const onError = (error: Error) => failAsLost(error.message);
    const onClose = () => failAsLost('closed without a response to the upgrade');

    socket.on('error', onError).on('end', onClose).on('close', onClose);
    reader.onBytes = (length) => {
      const end = keep(length).indexOf('\r\n\r\n');
      if (end < 0 && received.length <= maxHeadBytes) return;
      const response = end < 0 ? undefined : parseResponseHead(received.toString('latin1', 0, end));
      if (!response) {
        fail(new PortholeError('proxmox_invalid_response', { detail: 'vncwebsocket: not an HTTP response' }));
        return;
      }
      done();
      socket.pause();
      // Records that were read together with this one may arrive until the promise is handled.
      resolve({ response, takeLeftover: () => received.subarray(end + 4) });
    };
    stopListening = onAbort(signal, () => fail(signal.reason as PortholeError));
    if (signal.aborted) return;
    if (socket.destroyed) onClose();
    else socket.write(request);
  });
}

/** What a refused upgrade means. The reason phrase describes it, because a 401 has no body. */
function upgradeError({ status, reason }: HttpResponseHead): PortholeError {
  const detail = `vncwebsocket: ${status} ${reason}`;
  if (status === 401) return new PortholeError('proxmox_credential', { detail });
  if (status === 403) return new PortholeError('proxmox_permission', { detail });
  return new PortholeError('proxmox_invalid_response', { detail });
}
