import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { startChild, startForeign, type Child } from './child.ts';

/** A running relay that takes part in the comparison. */
export interface ComparedRelay {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  /** Maximum number of sessions in the idle measurement, for relays that start a process per session. */
  readonly maxSessions?: number;
  /** Only for programs of the bench, which answer questions about themselves. */
  readonly request?: Child['request'];
  /** The subprotocols that each of `count` viewers must offer. */
  protocols(count: number): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface Upstream {
  readonly port: number;
  /** The same for `Porthole before`. */
  readonly portBefore: number;
  /** The same for `Porthole recorded`. */
  readonly portRecorded: number;
  /** Port of the same consoles without HTTP and WebSocket, as bytes over TLS. */
  readonly bytesPort: number;
  readonly caPem: string;
}

export type StartRelay = (upstream: Upstream) => Promise<ComparedRelay>;

/** Relays without RFB support forward the viewer's handshake, so the upstream requires no password. */
const rawPath = (relay: string) =>
  `/api2/json/nodes/pve1/qemu/100/vncwebsocket?raw=${encodeURIComponent(relay)}`;
const plainProtocols = async (count: number) => Array.from({ length: count }, () => 'binary');

export const startPorthole: StartRelay = (upstream) => startRelay('Porthole', 'relay-main.ts', upstream);

/** The relay of another checkout: an earlier version, to measure a change in one run. */
export const startPortholeBefore =
  (folder: string): StartRelay =>
  (upstream) =>
    startRelay('Porthole before', resolve(folder, 'test/load/relay-main.ts'), {
      ...upstream,
      port: upstream.portBefore,
    });

/** The relay, or that of another checkout, with all consoles recorded in this directory. */
export const startRecordingPorthole =
  (directory: string, before?: string): StartRelay =>
  (upstream) =>
    before === undefined
      ? startRelay(
          'Porthole recorded',
          'relay-main.ts',
          { ...upstream, port: upstream.portRecorded },
          directory,
        )
      : startRelay(
          'Porthole before',
          resolve(before, 'test/load/relay-main.ts'),
          { ...upstream, port: upstream.portBefore },
          directory,
        );

async function startRelay(
  name: string,
  program: string,
  upstream: Upstream,
  recordings?: string,
): Promise<ComparedRelay> {
  const more = recordings === undefined ? [] : ['', '', recordings];
  const child = await startChild(program, [urlOf(upstream), upstream.caPem, ...more], relayFlags());
  return {
    name,
    pid: child.pid,
    port: portOf(child.ready),
    path: '/relay/v1/console',
    async protocols(count) {
      const { tokens } = await child.request<{ tokens: string[] }>({ mint: count });
      return tokens.map((token) => `binary, porthole.grant.${token}`);
    },
    request: child.request,
    stop: child.stop,
  };
}

/** Node's options from `npm run start:relay`, to measure the relay as it runs. */
export function relayFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return (scripts['start:relay'] ?? '').split(' ').filter((word) => word.startsWith('--max-'));
}

export const startPlainWs: StartRelay = async (upstream) => {
  const child = await startChild('plain-ws-main.ts', [urlOf(upstream), upstream.caPem]);
  return {
    name: 'plain ws',
    pid: child.pid,
    port: portOf(child.ready),
    path: rawPath('plain ws'),
    protocols: plainProtocols,
    stop: child.stop,
  };
};

/** The cost of Node's sockets and TLS alone, which is the minimum for a relay in Node. */
export const startBareNode: StartRelay = async (upstream) => {
  const child = await startChild('bare-node-main.ts', [urlOf(upstream), upstream.caPem], relayFlags());
  return {
    name: 'bare Node',
    pid: child.pid,
    port: portOf(child.ready),
    path: rawPath('bare Node'),
    protocols: plainProtocols,
    request: child.request,
    stop: child.stop,
  };
};

const startNginx: StartRelay = (upstream) =>
  startProxy('nginx', upstream, (port, folder) => ({
    config: `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
worker_rlimit_nofile 20000;
events { worker_connections 9000; }
http {
  access_log off; tcp_nodelay on;
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
  uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  upstream proxmox { server 127.0.0.1:${upstream.port}; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass https://proxmox; proxy_http_version 1.1; proxy_buffer_size 64k; proxy_buffers 4 64k; proxy_busy_buffers_size 64k;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $host;
      proxy_ssl_verify on; proxy_ssl_name pve1; proxy_ssl_trusted_certificate ${folder}/ca.pem;
      proxy_ssl_protocols TLSv1.3; proxy_ssl_session_reuse on; proxy_read_timeout 1h; proxy_send_timeout 1h;
    }
  }
}`,
    args: ['-p', folder, '-c', `${folder}/config`],
  }));

const startHaproxy: StartRelay = (upstream) =>
  startProxy('haproxy', upstream, (port, folder) => ({
    config: `global
  maxconn 8000
  nbthread 1
  tune.bufsize 65536
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
listen relay
  bind 127.0.0.1:${port} backlog 1024
  server proxmox 127.0.0.1:${upstream.port} ssl verify required ca-file ${folder}/ca.pem verifyhost pve1 ssl-min-ver TLSv1.3 alpn http/1.1
`,
    args: ['-db', '-f', `${folder}/config`],
  }));

/** Uses WebSocket for the browser only and verifies no certificate. Starts a process per connection. */
const startWebsockify: StartRelay = async (upstream) => {
  const port = await freePort();
  const child = startForeign('websockify', [
    '--ssl-target',
    `127.0.0.1:${port}`,
    `127.0.0.1:${upstream.bytesPort}`,
  ]);
  await listening(port);
  return {
    name: 'websockify',
    pid: child.pid,
    port,
    path: '/',
    maxSessions: 200,
    protocols: plainProtocols,
    stop: child.stop,
  };
};

/** Other relays, with the names of their Debian packages. */
export const otherRelays: readonly { readonly name: string; readonly start: StartRelay }[] = [
  { name: 'nginx', start: startNginx },
  { name: 'haproxy', start: startHaproxy },
  { name: 'websockify', start: startWebsockify },
];

export function isInstalled(command: string): boolean {
  const seen = spawnSync(
    command,
    [['nginx', 'haproxy', 'redis-server'].includes(command) ? '-v' : '--help'],
    {
      timeout: 10_000,
    },
  );
  return seen.status === 0;
}

async function startProxy(
  name: string,
  upstream: Upstream,
  write: (port: number, folder: string) => { config: string; args: readonly string[] },
): Promise<ComparedRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'porthole-bench-'));
  const port = await freePort();
  const { config, args } = write(port, folder);
  writeFileSync(join(folder, 'config'), config);
  writeFileSync(join(folder, 'ca.pem'), upstream.caPem);
  const child = startForeign(name, args);
  await listening(port);
  return {
    name,
    pid: child.pid,
    port,
    path: rawPath(name),
    protocols: plainProtocols,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function portOf(ready: unknown): number {
  return (ready as { port: number }).port;
}

function urlOf({ port }: Upstream): string {
  return `https://127.0.0.1:${port}`;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error(`Nothing listens on port ${port}.`);
}
