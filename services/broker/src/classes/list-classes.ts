import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access } from '../access/decide.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { ClassMachines } from './class-machines.ts';
import { seeClass } from './class-permissions.ts';
import type { ClassSnapshots } from './class-snapshots.ts';
import { describeClass } from './describe-class.ts';
import { createLessonCache } from './lessons.ts';

export interface ListClassesDeps {
  readonly requireLogin: RequireLogin;
  readonly access: () => Access;
  readonly classMachines: () => Promise<ClassMachines>;
  readonly live: Pick<LiveSessions, 'list'>;
  readonly snapshots: Pick<ClassSnapshots, 'read'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Classes in one response. */
const maxClasses = 100;

const listQuery = z.strictObject({ name: z.string().min(1).max(64).optional() });

/**
 * GET /api/v1/classes, or ?name=NAME: the classes of the user and what is going on in them. Pages poll it. An unchanged
 * response is a 304.
 */
export function listClasses(deps: ListClassesDeps): Step {
  const lessonsAt = createLessonCache();
  return async (ctx) => {
    ctx.state.route = 'classes';
    const { user } = await deps.requireLogin(ctx);
    const parsed = listQuery.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { name } = parsed.data;
    const access = deps.access();
    const candidates = access.classes.filter((each) => name === undefined || each.name === name);
    const machinesOf = await deps.classMachines();
    const visible = candidates.flatMap((each) => seeClass(access, user, each, machinesOf(each)) ?? []);
    const shown = visible.slice(0, maxClasses);
    const sessions = shown.length > 0 ? await deps.live.list() : [];
    const now = deps.clock.now();
    const classes = await Promise.all(
      shown.map(async (each) =>
        describeClass(each, {
          user,
          snapshot: await deps.snapshots.read(each.compiled.name),
          sessions,
          lessons: each.compiled.isLesson && lessonsAt(each.compiled.isLesson, now),
          now,
        }),
      ),
    );
    const body = JSON.stringify({ classes, ...(visible.length > shown.length ? { truncated: true } : {}) });
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
