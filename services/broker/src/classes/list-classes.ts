import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access } from '../access/decide.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { ClassMachines } from './class-machines.ts';
import { seeClass, type VisibleClass } from './class-permissions.ts';
import type { ClassSnapshots } from './class-snapshots.ts';
import { describeClass, maxSeats } from './describe-class.ts';
import { createLessonCache } from './lessons.ts';

export interface ListClassesDeps {
  readonly requireLogin: RequireLogin;
  readonly access: () => Access;
  readonly classMachines: () => Promise<ClassMachines>;
  readonly live: Pick<LiveSessions, 'list'>;
  readonly snapshots: Pick<ClassSnapshots, 'read'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Classes in one response, and their seats. */
const maxClasses = 100;
const maxTotalSeats = 2000;

const listQuery = z.strictObject({ name: z.string().min(1).max(64).optional() });

/**
 * GET /api/v1/classes, or ?name=NAME: the classes of the user and what is going on in them, or in the one of this name.
 * Pages poll it. An unchanged response is a 304.
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
    const machinesOf = await deps.classMachines();
    const all = access.classes.flatMap((each) => seeClass(access, user, each, machinesOf(each)) ?? []);
    const wanted = all.filter(({ compiled }) => name === undefined || compiled.name === name);
    const shown = withinLimits(wanted);
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
    const body = JSON.stringify({
      available: all.map(({ compiled, role }) => ({ name: compiled.name, title: compiled.title, role })),
      classes,
      ...(wanted.length > shown.length ? { truncated: true } : {}),
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

/** The first classes, as far as their seats fit into a response. At least one. */
function withinLimits(classes: readonly VisibleClass[]): readonly VisibleClass[] {
  let seats = 0;
  return classes.slice(0, maxClasses).filter(({ machines }, index) => {
    seats += Math.min(machines.length, maxSeats);
    return index === 0 || seats <= maxTotalSeats;
  });
}
