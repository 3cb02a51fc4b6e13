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
import { overseerOf, type Overseer } from './overseer.ts';

export interface SessionRouteDeps {
  readonly requireLogin: RequireLogin;
  readonly live: LiveSessions;
  readonly access: () => Access;
  readonly directory: Pick<MachineDirectory, 'look' | 'find'>;
}

/** More than anybody reads. */
const most = 2000;

const question = z
  .strictObject({
    scope: z.enum(['mine', 'class', 'all']).default('mine'),
    class: z.string().max(64).optional(),
  })
  .refine(({ scope, class: name }) => (scope === 'class') === (name !== undefined), {
    path: ['class'],
    error: 'belongs to scope class, which needs it',
  });

/**
 * GET /api/v1/sessions: the consoles that are open now, as far as somebody may know. To be asked again and again: an
 * answer that is as it was costs a 304, and works through every proxy.
 */
export function listSessions(deps: SessionRouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'sessions';
    const { user } = await deps.requireLogin(ctx);
    const parsed = question.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const overseer = await overseerOf(deps, user);
    const all = await deps.live.list();
    const inScope = scopeOf(overseer, parsed.data);
    const sessions = all.filter((session) => overseer.sees(session) && inScope(session));
    const body = JSON.stringify({
      classes: overseer.classes.map(({ name, title }) => ({ name, title })),
      sessions: sessions.slice(0, most).map((session) => shown(session, overseer, all)),
      ...(sessions.length > most ? { truncated: true } : {}),
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

function scopeOf(
  overseer: Overseer,
  { scope, class: name }: z.infer<typeof question>,
): (session: SessionRecord) => boolean {
  if (scope === 'all') return () => true;
  if (scope === 'mine') return overseer.isMine;
  const found = overseer.classes.find((one) => one.name === name);
  if (!found) throw new PortholeError('not_found', { detail: 'no class of theirs' });
  return found.has;
}

function shown(session: SessionRecord, overseer: Overseer, all: readonly SessionRecord[]) {
  const { sessionId, user, cluster, vmid, machineName, type, node, mode, kind, observer } = session;
  const { allow } = overseer.decide(session);
  return {
    id: sessionId,
    user,
    machine: { cluster, vmid, name: machineName, type, node },
    mode,
    kind,
    ...(observer ? { observer } : {}),
    relay: session.relay,
    since: new Date(session.since).toISOString(),
    bytes: session.bytes,
    // Those at the machine are told themselves, so everybody who sees the console may know.
    observers: observer ? [] : watchersOf(session, all),
    mine: overseer.isMine(session),
    may: [
      ...(overseer.mayEnd(session) ? ['end'] : []),
      ...(['watch', 'control'] as const).filter((right) => allow.includes(right)),
      ...(overseer.maySignOut(session) ? ['sign_out'] : []),
    ],
  };
}

function watchersOf(session: SessionRecord, all: readonly SessionRecord[]): readonly string[] {
  const there = all.filter(
    ({ observer, cluster, vmid }) => observer && cluster === session.cluster && vmid === session.vmid,
  );
  return [...new Set(there.map(({ user }) => user.displayName ?? user.name))];
}
