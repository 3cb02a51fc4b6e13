import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { createProxmoxDial } from '@porthole/shared/proxmox/dial';
import { createFakeClock } from '../../fakes/clock.ts';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import { versionCall } from './client-harness.ts';
import { clusterConfig } from './cluster.ts';
import { startTlsServer, type TlsServer } from './tls-server.ts';

export type Tls = ClusterConfig['tls'];

export const authority = createCertificateAuthority();
export const otherAuthority = createCertificateAuthority();
export const issue = (by = authority, name = 'pve1', address = '127.0.0.1') =>
  by.issue({ name, fqdn: `${name}.example`, address });
export const certificate = issue();
export const otherCertificate = issue();
/** From a CA that is not trusted. */
export const strangeCertificate = issue(otherAuthority);

export const tlsVersions = [
  { name: 'TLS 1.2 with tickets', options: { version: 'TLSv1.2' } },
  { name: 'TLS 1.2 with session IDs', options: { version: 'TLSv1.2', sessionIds: true } },
  { name: 'TLS 1.3', options: { version: 'TLSv1.3' } },
] as const;

/** Settings that a test may change between connections. */
export function trust(settings: Partial<Tls>): Tls {
  return { insecureSkipVerify: false, ...settings };
}
export const pinning = (...of: { fingerprint: string }[]) =>
  trust({ fingerprints: of.map(({ fingerprint }) => fingerprint) });
export const trustingCa = () => trust({ caFile: () => authority.caPem });

/** Dials with one set of session tickets. */
export function createDialler(
  { host, port }: Pick<TlsServer, 'host' | 'port'>,
  tls: Tls,
  defaultName?: string,
) {
  const clock = createFakeClock();
  const dial = createProxmoxDial(tls, clock);
  const open = (signal?: AbortSignal, nodeName = defaultName) => dial({ host, port, nodeName }, signal);
  return {
    clock,
    open,
    /** Returns how the session began, or the code of the error. */
    connect: (nodeName = defaultName) =>
      open(undefined, nodeName).then(finish, (error: { code: string }) => error.code),
  };
}

/** Reads the tickets of the server and closes the connection. Returns whether its session was resumed. */
export async function finish(socket: TLSSocket): Promise<'full' | 'resumed'> {
  const resumed = socket.isSessionReused();
  const response = once(socket, 'data');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await response;
  socket.resume().destroy();
  await once(socket, 'close');
  return resumed ? 'resumed' : 'full';
}

export async function repeat(count: number, run: () => Promise<string>): Promise<string[]> {
  const results: string[] = [];
  for (let i = 0; i < count; i++) results.push(await run());
  return results;
}

/** Servers and clients of one test, closed in reverse order by `closeAll`. */
export function createTlsHarness() {
  const closing: (() => Promise<unknown>)[] = [];
  return {
    async aServer(...args: Parameters<typeof startTlsServer>): Promise<TlsServer> {
      const server = await startTlsServer(...args);
      closing.push(() => server.close());
      return server;
    },

    /** Calls with the API token. If the circuit breaker is open, the call waits for a probe. */
    aCaller({ url }: Pick<TlsServer, 'url'>, tls: Tls): () => Promise<string> {
      const clock = createFakeClock();
      const cluster = { ...clusterConfig(url, authority.caPem), tls };
      const client = createProxmoxClient({ cluster, credential: cluster.credential, clock });
      closing.push(() => client.close());
      return () => {
        while (client.hostStates().includes('open')) clock.advance(100);
        return client.get(versionCall).then(
          () => 'ok',
          (error: { code: string }) => error.code,
        );
      };
    },

    /** A TCP proxy before the server, which resets new connections while `refuse` is set. */
    async aFront(port: number) {
      const front = { host: '127.0.0.1', port: 0, refuse: false };
      const server = createServer((socket) => {
        socket.on('error', () => {});
        if (front.refuse) socket.resetAndDestroy();
        else void pipeline(socket, connectTcp(port, '127.0.0.1'), socket).catch(() => {});
      }).listen(0, front.host);
      await once(server, 'listening');
      front.port = (server.address() as AddressInfo).port;
      closing.push(async () => void server.close());
      return front;
    },

    async closeAll() {
      for (const close of closing.splice(0).toReversed()) await close();
    },
  };
}
