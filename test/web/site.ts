import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { answerApi, type Refusal } from './site-api.ts';
import { aMachine, type SiteMachine, type SiteSession } from './site-data.ts';
import {
  acceptConsole,
  offeredProtocols,
  openNormally,
  type OpenedConsole,
  type RelayScript,
} from './site-relay.ts';

const dist = fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url));

const csp =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface Site {
  readonly origin: string;
  readonly opened: OpenedConsole[];
  /** The subprotocols that each of them offered. */
  readonly offered: string[];
  readonly grants: { readonly vmid: string; readonly mode: string }[];
  machines: SiteMachine[];
  sessions: SiteSession[];
  classes: { name: string; title: string }[];
  canSeeSessions: boolean;
  /** What was asked to be ended, as it stood in the address. */
  readonly ended: string[];
  /** What machines were told, `vmid action`, and how their tasks come out, by vmid: at first they run. */
  readonly powerActions: string[];
  readonly tasks: Map<string, unknown>;
  /** How many lists of consoles were as before. */
  notModified: number;
  /** How many seconds old the list claims to be. */
  stale: number | undefined;
  signedIn: boolean;
  /** Taken one by one; when empty, grants are given. */
  readonly grantReplies: Refusal[];
  listReply: Refusal | undefined;
  relayScript: RelayScript;
  stop(): Promise<void>;
}

/** Serves the built pages with the real content security policy. The test plays the broker and the relay. */
export async function startSite(): Promise<Site> {
  const server = createServer((request, response) => {
    void answer(site, request, response).catch(() => response.writeHead(500).end());
  });
  const sockets = new WebSocketServer({
    server,
    path: '/relay/v1/console',
    handleProtocols: () => 'porthole.v1',
  });
  const site: Site = {
    origin: '',
    opened: [],
    offered: [],
    grants: [],
    machines: [aMachine()],
    sessions: [],
    classes: [],
    canSeeSessions: false,
    ended: [],
    powerActions: [],
    tasks: new Map(),
    notModified: 0,
    stale: undefined,
    signedIn: true,
    grantReplies: [],
    listReply: undefined,
    relayScript: openNormally,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  sockets.on('connection', (socket, request) => {
    site.offered.push(offeredProtocols(request));
    const opened = acceptConsole(socket);
    site.opened.push(opened);
    site.relayScript(opened);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(site, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', site.origin);
  response.setHeader('content-security-policy', csp);
  if (await answerApi({ site, request, response, url })) return;
  await serveFile(pageOf(url.pathname), response);
}

function pageOf(path: string): string {
  if (path === '/' || path === '/sessions') return '/index.html';
  return path.startsWith('/console/') ? '/console.html' : path;
}

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  const full = normalize(join(dist, path));
  const type = types[extname(full)];
  if (!full.startsWith(dist) || !type) {
    response.writeHead(404).end();
    return;
  }
  const body = await readFile(full).catch(() => undefined);
  response.writeHead(body ? 200 : 404, { 'content-type': type });
  response.end(body);
}
