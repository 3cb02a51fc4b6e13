import type { Config } from '@porthole/shared/config/schema';
import { randomId } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { maxWallSeats, type WallClaims } from '@porthole/shared/grant/wall-claims';
import { mintWallGrant } from '@porthole/shared/grant/wall-grant';
import { grantProtocolPrefix, wallProtocol } from '@porthole/shared/protocol/subprotocols';
import { lifetimes } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { z } from 'zod';
import { wallUrlOf } from '../grants/relay-url.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import type { Identity } from '../identity/identity.ts';
import type { User } from '../identity/user.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { ClassRouteDeps } from './act-on-class.ts';
import { seeClass } from './class-permissions.ts';

export interface WallRouteDeps extends Pick<
  ClassRouteDeps,
  'requireLogin' | 'access' | 'classMachines' | 'rateLimits' | 'random' | 'audit' | 'metrics'
> {
  readonly config: Pick<Config, 'publicUrl' | 'relayUrl' | 'allowedOrigins' | 'limits' | 'sharing'>;
  readonly store: Pick<Store, 'records'>;
  readonly keys: SealKeys;
  readonly clock: Clock;
}

/** `renews` is the id of the user's wall that stays open. */
const wallRequest = z.strictObject({ renews: z.string().min(1).max(64).optional() });

/**
 * POST /api/v1/classes/{name}/wall: a grant for small pictures of the machines of a class that the user may watch, or to
 * go on with a wall that is open. Only virtual machines: a container has no screen before a user signs in at its terminal.
 */
export function openWall(deps: WallRouteDeps): Step {
  const { config, rateLimits, audit, metrics } = deps;
  const url = wallUrlOf(config).href;
  return async (ctx) => {
    ctx.state.route = 'classes';
    const identity = await deps.requireLogin(ctx);
    const { user } = identity;
    await rateLimits.spend(`grants/user/${user.id}`, config.limits.grantsPerMinute, 60);
    const parsed = wallRequest.safeParse(ctx.request.body ?? {});
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { renews } = parsed.data;
    const action = renews === undefined ? 'wall' : 'renew_wall';
    const { name = '' } = pathParameters(ctx);
    try {
      const claims = await claimsFor(deps, identity, name, renews);
      const { store, keys, random, clock } = deps;
      const token = await mintWallGrant({ records: store.records, keys, random, clock }, claims);
      metrics.classAction(action, 'ok');
      if (!claims.renews)
        audit({
          event: 'wall_opened',
          wall: claims.sessionId,
          login: claims.loginRef,
          machines: claims.seats.length,
          ...auditFields(ctx, user, claims.class),
        });
      ctx.status = 201;
      ctx.body = {
        id: claims.sessionId,
        url,
        protocols: [wallProtocol, `${grantProtocolPrefix}${token}`],
        expiresAt: new Date(claims.expiresAt).toISOString(),
        seats: claims.seats.map(({ seat, cluster, vmid }) => ({ seat, cluster, vmid })),
      };
    } catch (thrown) {
      const { code } = asPortholeError(thrown);
      metrics.classAction(action, code);
      // A class that the user cannot see is not recorded: its name can be anything.
      if (code !== 'not_found') audit({ event: 'wall_refused', ...auditFields(ctx, user, name), code });
      throw thrown;
    }
  };
}

async function claimsFor(
  deps: WallRouteDeps,
  { user, loginRef }: Pick<Identity, 'user' | 'loginRef'>,
  name: string,
  renews: string | undefined,
): Promise<WallClaims> {
  const { config, clock, random } = deps;
  const access = deps.access();
  const compiled = access.classes.find((each) => each.name === name);
  const machinesOf = compiled && (await deps.classMachines());
  const visible = compiled && machinesOf && seeClass(access, user, compiled, machinesOf(compiled));
  if (!visible) throw new PortholeError('not_found', { detail: 'no such class for this user' });
  if (visible.role !== 'instructor')
    throw new PortholeError('not_allowed', { detail: 'the wall of a class' });
  if (!config.sharing.enabled) throw new PortholeError('not_allowed', { detail: 'consoles are not shared' });
  const now = clock.now();
  const watched = visible.machines
    .filter(({ type }) => type === 'qemu')
    .flatMap((machine) => {
      const decision = access.decide(user, machine);
      const policy = decision.policyFor('view');
      if (!policy || !decision.allow.includes('watch')) return [];
      const validUntil = decision.validUntil('view') ?? Number.POSITIVE_INFINITY;
      return { machine, seconds: Math.min(policy.sessionSeconds, Math.ceil((validUntil - now) / 1000)) };
    })
    .slice(0, maxWallSeats);
  if (watched.length === 0)
    throw new PortholeError('not_allowed', { detail: 'no virtual machine of the class may be watched' });
  return {
    version: 1,
    sessionId: renews ?? randomId(random, 16),
    loginRef,
    ...(renews === undefined ? {} : { renews: true }),
    user: userOf(user),
    class: compiled.name,
    seats: watched.map(({ machine }, seat) => ({ seat, ...machineOf(machine) })),
    sessionSeconds: Math.max(1, Math.min(...watched.map(({ seconds }) => seconds))),
    origins: [...new Set([config.publicUrl.origin, ...config.allowedOrigins])],
    issuedAt: now,
    expiresAt: now + lifetimes.grant,
  };
}

const userOf = ({ id, name, displayName }: User) => ({
  id,
  name,
  ...(displayName === undefined ? {} : { displayName }),
});

function machineOf(machine: Machine) {
  const { cluster, node, type, vmid } = machine;
  return { cluster, node, type, vmid, machineName: displayNameOf(machine) };
}

function auditFields(ctx: Context, { id, name }: User, className: string) {
  return { by: { id, name }, class: className, address: ctx.ip, requestId: ctx.state.requestId };
}
