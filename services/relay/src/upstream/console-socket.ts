import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { PortholeError } from '@porthole/shared/errors';
import { createProxmoxLink, type MachineLink } from './proxmox-link.ts';
import { createUpgradeRequest, readHttpHead, type HttpAnswer } from './websocket-upgrade.ts';
import type { ConsoleTicket, LocatedMachine } from './machine.ts';

/** Longest head of an answer; Proxmox's has some 300 bytes. */
const maxHeadBytes = 16 * 1024;

/**
 * Where every console's connection is read to, one TLS record (16 KiB) at a time. All share it, because each piece
 * is used up before the next is read: an idle session holds no buffer of its own.
 */
const landing = Buffer.allocUnsafeSlow(16 * 1024);

/** Opens the console's WebSocket at the host that made the ticket, with the credential that asked for it. */
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
  // Nobody speaks before the request is sent.
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
  const { answer, takeRest } = await readHead(socket, signal, reader, request.text);
  if (!request.accepts(answer)) {
    socket.destroy();
    throw refusal(answer);
  }
  const link = createProxmoxLink(socket);
  reader.take = (length) => link.received(landing, length);
  const rest = takeRest();
  link.received(rest, rest.length);
  return link;
}

interface Reader {
  readonly onread: OnReadOpts;
  /** Who gets what is read. Without anybody it is lost, and `early` says so. */
  take: ((length: number) => void) | undefined;
  early: boolean;
}

/** Made apart from where it is used: what the socket keeps for its life must not hold what opening it took. */
function createReader(): Reader {
  const reader: Reader = {
    take: undefined,
    early: false,
    onread: {
      buffer: landing,
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
): Promise<{ answer: HttpAnswer; takeRest: () => Buffer }> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const keep = (length: number) => (seen = Buffer.concat([seen, landing.subarray(0, length)]));
    const done = () => {
      reader.take = keep;
      socket.off('error', onError).off('end', onClose).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
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
    const onAbort = () => fail(signal.reason as PortholeError);

    socket.on('error', onError).on('end', onClose).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
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
      // Until the promise is heard, the records that were read together with this one may still come.
      resolve({ answer, takeRest: () => seen.subarray(end + 4) });
    };
    if (signal.aborted) onAbort();
    else if (socket.destroyed) onClose();
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
