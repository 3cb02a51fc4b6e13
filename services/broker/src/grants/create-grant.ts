import type { Audit } from '@porthole/shared/audit';
import type { Clock } from '@porthole/shared/clock';
import type { Config } from '@porthole/shared/config/schema';
import { asPortholeError } from '@porthole/shared/errors';
import { mintGrant } from '@porthole/shared/grant';
import type { GrantClaims } from '@porthole/shared/grant-claims';
import { randomId, type RandomBytes } from '@porthole/shared/random';
import type { SealKeys } from '@porthole/shared/seal';
import type { Store } from '@porthole/shared/store/ports';
import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/subprotocols';
import type { TraceSpan, Tracing } from '@porthole/shared/tracing';
import type { Decide } from '../access/decide.ts';
import type { Context, Step } from '../http/context.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { RequireLogin } from '../sign-in/identify.ts';
import { claimsOf } from './claims.ts';
import { relayUrlOf } from './relay-url.ts';
import { authorise, checkQuota, findMachine, limitGrants, parseGrantWish } from './steps.ts';

export interface GrantRouteDeps {
  readonly config: Config;
  readonly store: Pick<Store, 'records' | 'leases' | 'rateLimits'>;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly requireLogin: RequireLogin;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly decide: Decide;
  readonly metrics: Pick<BrokerMetrics, 'grant'>;
  readonly tracing: Pick<Tracing, 'begin'>;
  readonly audit: Audit;
}

/**
 * POST /api/v1/consoles/{cluster}/{vmid}/grants. Everything that stands between a click and a console, in order;
 * that the request came from our own pages was checked before (http/require-same-origin.ts).
 */
export function createGrant(deps: GrantRouteDeps): Step {
  const { config, store, clock, random, metrics } = deps;
  const { limits } = config;
  const url = relayUrlOf(config).href;
  const origins = [...new Set([config.publicUrl.origin, ...config.allowedOrigins])];

  async function grant(ctx: Context, cluster: string, vmid: string, span: TraceSpan): Promise<void> {
    const identity = await deps.requireLogin(ctx);
    await limitGrants(store.rateLimits, identity.user, limits.grantsPerMinute);
    const wish = parseGrantWish(ctx.request.body);
    const found = await findMachine(deps, identity.user, cluster, vmid);
    authorise(found, wish.mode);
    await checkQuota({ leases: store.leases, clock }, identity.user, limits.consolesPerUser);
    const { machine } = found;
    const sessionId = randomId(random, 16);
    const { traceparent } = span;
    const now = clock.now();
    const claims = claimsOf({ sessionId, identity, machine, wish, limits, origins, now, traceparent });
    span.set({
      'porthole.session': sessionId,
      'porthole.cluster': machine.cluster,
      'porthole.vmid': machine.vmid,
      'porthole.mode': wish.mode,
    });
    const token = await mintGrant({ records: store.records, keys: deps.keys, random, clock }, claims);
    record(ctx, claims);
    respond(ctx, claims, token);
  }

  /** Who was let in to what. */
  function record(ctx: Context, claims: GrantClaims): void {
    const { sessionId, user, loginRef, cluster, node, type, vmid, machineName, mode, kind } = claims;
    deps.audit({
      event: 'grant',
      session: sessionId,
      user: { id: user.id, name: user.name },
      login: loginRef,
      machine: { cluster, vmid, name: machineName, node, type },
      mode,
      kind,
      address: ctx.ip,
      requestId: ctx.state.requestId,
    });
  }

  function respond(ctx: Context, claims: GrantClaims, token: string): void {
    const { sessionId, cluster, node, type, vmid, machineName, mode, expiresAt } = claims;
    ctx.status = 201;
    ctx.body = {
      id: sessionId,
      url,
      protocols: [consoleProtocol, `${grantProtocolPrefix}${token}`],
      page: new URL(`/console/${cluster}/${vmid}${mode === 'view' ? '?mode=view' : ''}`, config.publicUrl)
        .href,
      expiresAt: new Date(expiresAt).toISOString(),
      machine: { name: machineName, type, node },
    };
  }

  return async (ctx) => {
    ctx.state.route = 'grants';
    const { cluster = '', vmid = '' } = ctx['params'] as Readonly<Record<string, string | undefined>>;
    // The click: what the relay does with the grant is a part of this.
    const span = deps.tracing.begin('grant', { kind: 'server' });
    if (span.traceId !== undefined) ctx.state.trace = span.traceId;
    try {
      await span.run(() => grant(ctx, cluster, vmid, span));
      span.end();
      metrics.grant('ok');
    } catch (thrown) {
      span.end(thrown);
      metrics.grant(asPortholeError(thrown).code);
      throw thrown;
    }
  };
}
