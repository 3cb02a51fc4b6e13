import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inLanguage, loadPages } from '@porthole/broker/pages/load-pages';
import { isLanguage, languageCookie } from '@porthole/shared/language/languages';
import { WebSocketServer } from 'ws';
import { answerApi } from './site-api.ts';
import type { Site } from './site-state.ts';
import { aMachine } from './site-data.ts';
import { acceptWall } from './site-wall.ts';
import { acceptConsole, offeredProtocols, openNormally } from './site-relay.ts';

const pages = await loadPages(fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url)));

const csp =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; " +
  "object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Serves the built pages with the real content security policy. The test plays the broker and the relay. */
export async function startSite(): Promise<Site> {
  const server = createServer((request, response) => {
    void answer(site, request, response).catch(() => response.writeHead(500).end());
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'porthole.v1' });
  const walls = new WebSocketServer({ noServer: true, handleProtocols: () => 'porthole.wall.v1' });
  server.on('upgrade', (request, socket, head) => {
    const endpoint = { '/relay/v1/console': sockets, '/relay/v1/wall': walls }[request.url ?? ''];
    if (!endpoint) socket.destroy();
    endpoint?.handleUpgrade(request, socket, head, (opened) => endpoint.emit('connection', opened, request));
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
    instructed: [],
    classActions: [],
    classReply: undefined,
    walls: [],
    renewals: [],
    wallReply: undefined,
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
      for (const socket of [...sockets.clients, ...walls.clients]) socket.terminate();
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
  walls.on('connection', (socket) => site.walls.push(acceptWall(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(site, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', site.origin);
  response.setHeader('content-security-policy', csp);
  if (await answerApi({ site, request, response, url })) return;
  const file = pages.get(nameOf(url.pathname));
  response.writeHead(file ? 200 : 404, file ? { 'content-type': file.type } : {});
  const language = languageOf(request);
  response.end(file && isLanguage(language) ? inLanguage(file, language).plain : file?.plain);
}

/** As the broker, but without weighing what the browser accepts: a page's language comes from a cookie or the browser. */
function languageOf({ headers }: IncomingMessage): string | undefined {
  const chosen = new RegExp(`${languageCookie}=([a-z]+)`).exec(headers.cookie ?? '')?.[1];
  return chosen ?? headers['accept-language']?.slice(0, 2);
}

function nameOf(path: string): string {
  if (['/', '/sessions', '/classes', '/recordings'].includes(path)) return 'index.html';
  if (path.startsWith('/recordings/')) return 'recording.html';
  return path.startsWith('/console/') ? 'console.html' : path.slice(1);
}
