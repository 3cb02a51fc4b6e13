import type { IncomingMessage } from 'node:http';
import { PortholeError } from '@porthole/shared/errors';
import { WebSocket } from 'ws';
import type { Link } from '../pump/link.ts';
import { createWsLink } from '../pump/ws-link.ts';
import type { ConsoleTicket, LocatedMachine } from './machine.ts';

/** The largest frame that pveproxy sends, and the largest that it takes without harm (AnyEvent.pm). */
const maxFrameBytes = 128 * 1024;

/** Opens the console's WebSocket at the host that made the ticket, with the credential that asked for it. */
export async function openConsoleSocket(
  machine: LocatedMachine,
  { port, ticket }: ConsoleTicket,
  signal: AbortSignal,
): Promise<Link> {
  const { client } = machine.cluster;
  const { base, nodeName } = machine.host;
  const url = new URL(`/api2/json${machine.path}/vncwebsocket`, base);
  url.protocol = 'wss:';
  // encodeURIComponent, not URLSearchParams: Proxmox splits at ';' and cuts at '=', both of which tickets contain.
  url.search = `?port=${port}&vncticket=${encodeURIComponent(ticket)}`;

  const host = url.hostname.replace(/^\[|\]$/g, '');
  const tls = await client.dial({ host, port: Number(url.port) || 443, nodeName }, signal);
  const headers = await client.headers().catch((error: unknown) => {
    tls.destroy();
    throw error;
  });

  return new Promise((resolve, reject) => {
    // Exactly one subprotocol: Proxmox echoes whatever header it gets, and PVE 6 insisted on this one.
    const socket = new WebSocket(url, ['binary'], {
      headers,
      createConnection: () => tls,
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
      followRedirects: false,
      // Proxmox skips the unmasking when the mask is zero, and masking is for browsers behind caches.
      generateMask: (mask) => mask.fill(0),
    });
    const fail = (error: PortholeError) => {
      signal.removeEventListener('abort', onAbort);
      socket.on('error', () => {});
      socket.terminate();
      tls.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason as PortholeError);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('unexpected-response', (_request: unknown, response: IncomingMessage) =>
      fail(refusal(response)),
    );
    socket.once('error', (error) => fail(new PortholeError('console_lost', { detail: error.message })));
    socket.once('open', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(createWsLink(socket, { maxFrameBytes }));
    });
    if (signal.aborted) onAbort();
  });
}

/** What a refused upgrade means. The reason phrase says it; 401s come without a body. */
function refusal({ statusCode, statusMessage }: IncomingMessage): PortholeError {
  const detail = `vncwebsocket: ${statusCode} ${statusMessage}`;
  if (statusCode === 401) return new PortholeError('proxmox_credential', { detail });
  if (statusCode === 403) return new PortholeError('proxmox_permission', { detail });
  return new PortholeError('proxmox_nonsense', { detail });
}
