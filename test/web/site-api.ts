import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal, Site } from './site-state.ts';
import { aMachine } from './site-data.ts';

const user = { id: 'u1', name: 'Ada Lovelace', groups: ['students'] };

interface Exchange {
  readonly site: Site;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

type Handler = (exchange: Exchange, match: RegExpExecArray) => Promise<void> | void;

/** The broker's API, by method and path. The first match answers. */
const routes: readonly (readonly [pattern: RegExp, handler: Handler])[] = [
  [/^GET \/api\/v1\/login$/, ({ response }) => json(response, 200, { methods: [{ kind: 'local' }] })],
  [/^POST \/api\/v1\/login$/, signIn],
  [/ \/api\/v1\//, requireSignIn],
  [/^POST \/api\/v1\/logout$/, signOut],
  [
    /^GET \/api\/v1\/me$/,
    ({ site, response }) =>
      json(response, 200, {
        user,
        canSeeSessions: site.canSeeSessions,
        canSeeClasses: site.instructed.length > 0,
      }),
  ],
  [/^GET \/api\/v1\/sessions$/, listSessions],
  [/^DELETE \/api\/v1\/sessions(?:\/(.+))?$/, endSessions],
  [/^GET \/api\/v1\/classes$/, listClasses],
  [/^POST \/api\/v1\/classes\/([^/]+)\/actions$/, actOnClass],
  [/^POST \/api\/v1\/classes\/([^/]+)\/wall$/, openWall],
  [/^DELETE \/api\/v1\/logins$/, signOutUser],
  [/^GET \/api\/v1\/consoles\/[^/]+\/(\d+)\/power\//, powerTask],
  [/^POST \/api\/v1\/consoles\/[^/]+\/(\d+)\/power$/, startPowerAction],
  [/^GET \/api\/v1\/consoles$/, listMachines],
  [/^POST \/api\/v1\/consoles\/[^/]+\/(\d+)\/grants$/, grant],
];

/** Answers requests to the API. Returns false for other paths. */
export async function answerApi(exchange: Exchange): Promise<boolean> {
  const route = `${exchange.request.method} ${exchange.url.pathname}`;
  for (const [pattern, handler] of routes) {
    const match = pattern.exec(route);
    if (!match) continue;
    // The handlers are tried in order.
    // oxlint-disable-next-line no-await-in-loop
    await handler(exchange, match);
    if (exchange.response.writableEnded) return true;
  }
  return false;
}

async function signIn({ site, request, response }: Exchange): Promise<void> {
  const { password } = (await bodyOf(request)) as { password: string };
  if (password !== 'sesame') return refuse(response, { status: 401, code: 'wrong_password' });
  site.signedIn = true;
  json(response, 200, { user });
}

/** Leaves the request to the next handler when the user is signed in. */
function requireSignIn({ site, response }: Exchange): void {
  if (!site.signedIn) refuse(response, { status: 401, code: 'not_signed_in' });
}

function signOut({ site, response }: Exchange): void {
  site.signedIn = false;
  response.writeHead(204).end();
}

function listSessions({ site, request, response, url }: Exchange): void {
  const sessions = url.searchParams.has('class') ? site.sessions.filter(({ mine }) => !mine) : site.sessions;
  const body = { classes: site.classes, sessions };
  const text = JSON.stringify(body);
  const etag = `"${Buffer.from(text).toString('base64').length}-${text.length}"`;
  if (request.headers['if-none-match'] !== etag) return json(response, 200, body, { etag });
  site.notModified += 1;
  response.writeHead(304, { etag }).end();
}

function endSessions({ site, response, url }: Exchange, [, id]: RegExpExecArray): void {
  site.ended.push(`${url.pathname.slice('/api/v1/sessions'.length)}${url.search}`);
  site.sessions = site.sessions.filter((session) => (id ? session.id !== id : session.mine));
  if (!id) return json(response, 200, { ended: 1 });
  response.writeHead(204).end();
}

function listClasses({ site, response, url }: Exchange): void {
  const name = url.searchParams.get('name');
  json(response, 200, {
    available: site.instructed.map((each) => ({ name: each.name, title: each.title, role: each.role })),
    classes: site.instructed.filter((each) => name === null || each.name === name),
  });
}

async function actOnClass({ site, request, response }: Exchange, [, name = '']: RegExpExecArray) {
  const body = (await bodyOf(request)) as Readonly<Record<string, unknown>>;
  if (site.classReply) return refuse(response, site.classReply);
  site.classActions.push({ name, body });
  response.writeHead(204).end();
}

async function openWall({ site, request, response }: Exchange, [, name]: RegExpExecArray) {
  const { renews } = (await bodyOf(request)) as { readonly renews?: string };
  if (renews !== undefined) site.renewals.push(renews);
  if (site.wallReply) return refuse(response, site.wallReply);
  const machines =
    site.instructed.find((each) => each.name === name)?.seats.map(({ machine }) => machine) ?? [];
  json(response, 201, {
    id: renews ?? `wall-${site.walls.length + 1}`,
    url: `${site.origin.replace('http', 'ws')}/relay/v1/wall`,
    protocols: ['porthole.wall.v1', 'porthole.grant.token'],
    seats: machines.map(({ cluster, vmid }, seat) => ({ seat, cluster, vmid })),
  });
}

function signOutUser({ site, response, url }: Exchange): void {
  site.ended.push(url.search);
  json(response, 200, { signIns: 1, consoles: 1 });
}

function powerTask({ site, response }: Exchange, [, vmid = '']: RegExpExecArray): void {
  json(response, 200, site.tasks.get(vmid) ?? { state: 'running' });
}

async function startPowerAction({ site, request, response }: Exchange, [, vmid]: RegExpExecArray) {
  const { action } = (await bodyOf(request)) as { action: string };
  site.powerActions.push(`${vmid} ${action}`);
  json(response, 202, { task: 'a-task' });
}

function listMachines({ site, response }: Exchange): void {
  if (site.listReply) return refuse(response, site.listReply);
  const stale = site.stale === undefined ? {} : { stale: true, staleSeconds: site.stale };
  json(response, 200, { consoles: site.machines, ...stale });
}

async function grant({ site, request, response, url }: Exchange, [, vmid = '']: RegExpExecArray) {
  const refusal = site.grantReplies.shift();
  if (refusal) return refuse(response, refusal);
  const { mode } = (await bodyOf(request)) as { mode: string };
  site.grants.push({ vmid, mode });
  const number = site.grants.length;
  const machine = site.machines.find((each) => String(each.vmid) === vmid) ?? aMachine();
  json(response, 201, {
    id: `support-${number}`,
    url: `${site.origin.replace('http', 'ws')}/relay/v1/console`,
    protocols: ['porthole.v1', `porthole.grant.token${number}`],
    page: url.pathname,
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    machine: { name: machine.name, type: machine.type, node: machine.node },
    allow: machine.allow,
  });
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, { status, code = 'internal', title = 'No.', retryAfter }: Refusal) {
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  json(response, status, { type: 'about:blank', title, status, code, requestId: 'request-1' }, headers);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
}
