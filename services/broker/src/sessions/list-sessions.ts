import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { Access } from '../access/decide.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { LiveSessions } from './live-sessions.ts';
import { permissionsFor, type SessionPermissions } from './permissions.ts';

export interface ListSessionsDeps {
  readonly requireLogin: RequireLogin;
  readonly live: LiveSessions;
  readonly access: () => Access;
  readonly directory: Pick<MachineDirectory, 'list' | 'find'>;
}

/** Sessions in one response. */
const maxSessions = 2000;

const listQuery = z
  .strictObject({
    scope: z.enum(['mine', 'class', 'all']).default('mine'),
    class: z.string().max(64).optional(),
  })
  .refine(({ scope, class: name }) => (scope === 'class') === (name !== undefined), {
    path: ['class'],
    error: 'is required with scope class, and not allowed otherwise',
  });

/**
 * GET /api/v1/sessions: the open consoles that the user may see. Pages poll it. An unchanged response is a 304, which
 * works through every proxy.
 */
export function listSessions(deps: ListSessionsDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'sessions';
    const { user } = await deps.requireLogin(ctx);
    const parsed = listQuery.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const permissions = await permissionsFor(deps, user);
    const all = await deps.live.list();
    const inScope = scopeFilter(permissions, parsed.data);
    const sessions = all.filter((session) => permissions.maySee(session) && inScope(session));
    const body = JSON.stringify({
      classes: permissions.classes.map(({ name, title }) => ({ name, title })),
      sessions: sessions.slice(0, maxSessions).map((session) => toPublicSession(session, permissions, all)),
      ...(sessions.length > maxSessions ? { truncated: true } : {}),
    });
    ctx.set('etag', `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`);
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    ctx.type = 'application/json';
    ctx.body = body;
  };
}

function scopeFilter(
  permissions: SessionPermissions,
  { scope, class: name }: z.infer<typeof listQuery>,
): (session: SessionRecord) => boolean {
  if (scope === 'all') return () => true;
  if (scope === 'mine') return permissions.isOwn;
  const found = permissions.classes.find((one) => one.name === name);
  if (!found) throw new PortholeError('not_found', { detail: 'the user instructs no such class' });
  return found.includes;
}

function toPublicSession(
  session: SessionRecord,
  permissions: SessionPermissions,
  all: readonly SessionRecord[],
) {
  const { sessionId, user, cluster, vmid, machineName, type, node, mode, kind, observer, parked } = session;
  const { allow } = permissions.decide(session);
  return {
    id: sessionId,
    user,
    machine: { cluster, vmid, name: machineName, type, node },
    mode,
    kind,
    ...(observer ? { observer } : {}),
    ...(parked ? { parked } : {}),
    ...(session.shared ? { shared: true } : {}),
    ...(session.hasControl ? { hasControl: true } : {}),
    relay: session.relay,
    since: new Date(session.since).toISOString(),
    bytes: session.bytes,
    // The users of the machine are told who observes, so everyone who sees the session may know.
    observers: observer ? [] : observersOf(session, all),
    mine: permissions.isOwn(session),
    may: [
      ...(permissions.mayEnd(session) ? ['end'] : []),
      ...(['watch', 'control'] as const).filter((right) => allow.includes(right)),
      ...(permissions.maySignOut(session) ? ['sign_out'] : []),
    ],
  };
}

function observersOf(session: SessionRecord, all: readonly SessionRecord[]): readonly string[] {
  const observing = all.filter(
    ({ observer, cluster, vmid }) => observer && cluster === session.cluster && vmid === session.vmid,
  );
  return [...new Set(observing.map(({ user }) => user.displayName ?? user.name))];
}
