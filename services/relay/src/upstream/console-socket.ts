import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { PortholeError } from '@porthole/shared/errors';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { LocatedMachine } from './machine.ts';
import { createProxmoxLink, type MachineLink } from './proxmox-link.ts';
import type { ConsoleTicket } from './ticket.ts';
import { createUpgradeRequest, readHttpHead, type HttpAnswer } from './websocket-upgrade.ts';

/** Longest head of an HTTP answer in bytes; Proxmox's has some 300. */
const maxHeadBytes = 16 * 1024;

/**
 * The buffer into which every console's connection is read, one TLS record (16 KiB) at a time. All consoles share it,
 * because each piece is used up before the next is read: an idle session holds no buffer of its own.
 */
const landingBuffer = Buffer.allocUnsafeSlow(16 * 1024);

/** Opens the console's WebSocket at the host that issued the ticket, with the credential that asked for it. */
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

  const reader = createReader();
  const target = { host, port: Number(base.port) || 443, nodeName };
  const socket = await client.dial(target, signal, reader.onread);
  // An HTTP server sends nothing before the request.
  if (reader.early) socket.destroy();
  const headers = await client.headers().catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  // Exactly one subprotocol: Proxmox echoes whatever header it gets, and PVE 6 insisted on this one.
  const request = createUpgradeRequest(path, {
    host: base.host,
    ...headers,
    'sec-websocket-protocol': 'binary',
  });
  const { answer, takeLeftover } = await readHead(socket, signal, reader, request.text);
  if (!request.accepts(answer)) {
    socket.destroy();
    throw refusal(answer);
  }
  const link = createProxmoxLink(socket);
  reader.take = (length) => link.received(landingBuffer, length);
  const leftover = takeLeftover();
  link.received(leftover, leftover.length);
  return link;
}

interface Reader {
  readonly onread: OnReadOpts;
  /** Receives the number of bytes that were read. While it is undefined, they are lost, and `early` says so. */
  take: ((length: number) => void) | undefined;
  early: boolean;
}

/** A function of its own, because the socket keeps its closures for life: they must not hold what opening it took. */
function createReader(): Reader {
  const reader: Reader = {
    take: undefined,
    early: false,
    onread: {
      buffer: landingBuffer,
      callback(length) {
        if (reader.take) reader.take(length);
        else reader.early = true;
        return true;
      },
    },
  };
  return reader;
}

/** Sends the request and reads up to the end of the answer's head, and what came behind it with the same read. */
function readHead(
  socket: TLSSocket,
  signal: AbortSignal,
  reader: Reader,
  request: string,
): Promise<{ answer: HttpAnswer; takeLeftover: () => Buffer }> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    let stopListening = () => {};
    const keep = (length: number) => (seen = Buffer.concat([seen, landingBuffer.subarray(0, length)]));
    const done = () => {
      reader.take = keep;
      socket.off('error', onError).off('end', onClose).off('close', onClose);
      stopListening();
    };
    const fail = (error: PortholeError) => {
      done();
      reader.take = () => {};
      socket.destroy();
      reject(error);
    };
    const lost = (detail: string) => fail(new PortholeError('console_lost', { detail }));
    const onError = (error: Error) => lost(error.message);
    const onClose = () => lost('closed instead of an answer to the upgrade');

    socket.on('error', onError).on('end', onClose).on('close', onClose);
    reader.take = (length) => {
      const end = keep(length).indexOf('\r\n\r\n');
      if (end < 0 && seen.length <= maxHeadBytes) return;
      const answer = end < 0 ? undefined : readHttpHead(seen.toString('latin1', 0, end));
      if (!answer) {
        fail(new PortholeError('proxmox_invalid_response', { detail: 'vncwebsocket: not an HTTP answer' }));
        return;
      }
      done();
      socket.pause();
      // Until the promise is handled, the records that were read together with this one may still arrive.
      resolve({ answer, takeLeftover: () => seen.subarray(end + 4) });
    };
    stopListening = onAbort(signal, () => fail(signal.reason as PortholeError));
    if (signal.aborted) return;
    if (socket.destroyed) onClose();
    else socket.write(request);
  });
}

/** What a refused upgrade means. The reason phrase says it; 401s come without a body. */
function refusal({ status, reason }: HttpAnswer): PortholeError {
  const detail = `vncwebsocket: ${status} ${reason}`;
  if (status === 401) return new PortholeError('proxmox_credential', { detail });
  if (status === 403) return new PortholeError('proxmox_permission', { detail });
  return new PortholeError('proxmox_invalid_response', { detail });
}
