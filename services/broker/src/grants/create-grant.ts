import type { Audit } from '@porthole/shared/audit/audit';
import type { Clock } from '@porthole/shared/time/clock';
import type { Config } from '@porthole/shared/config/schema';
import type { Right } from '@porthole/shared/config/access-schema';
import { asPortholeError, type ErrorCode } from '@porthole/shared/errors';
import { mintGrant } from '@porthole/shared/grant/grant';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import type { TraceSpan, Tracing } from '@porthole/shared/telemetry/tracing';
import type { Decide } from '../access/decide.ts';
import type { Context, Step } from '../http/context.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { EmbedTokens } from '../sign-in/embed-tokens.ts';
import { askerOf, pageFor, embedTokenHeader, type Asker } from './asker.ts';
import { claimsOf } from './claims.ts';
import { relayUrlOf } from './relay-url.ts';
import { authorise, checkQuota, findMachine, isVmid, limitGrants, parseGrantWish } from './steps.ts';

export interface GrantRouteDeps {
  readonly config: Config;
  readonly store: Pick<Store, 'records' | 'leases' | 'rateLimits'>;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly requireLogin: RequireLogin;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly decide: Decide;
  readonly embedTokens: Pick<EmbedTokens, 'createCode' | 'read'>;
  readonly metrics: Pick<BrokerMetrics, 'grant'>;
  readonly tracing: Pick<Tracing, 'startSpan'>;
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
    const wish = parseGrantWish(ctx.request.body);
    const asker = await askerOf(deps, ctx, { cluster, vmid, wish });
    const { identity } = asker;
    await limitGrants(store.rateLimits, identity.user, limits.grantsPerMinute);
    const found = await findMachine(deps, identity.user, cluster, vmid);
    const authorised = authorise(found, wish);
    await checkQuota({ leases: store.leases, clock }, identity.user, authorised.terms.consolesPerUser);
    const { machine } = found;
    const sessionId = randomId(random, 16);
    const claims = claimsOf({
      sessionId,
      identity,
      machine,
      wish,
      authorised,
      extendSeconds: limits.extendSeconds,
      origins,
      now: clock.now(),
      traceparent: span.traceparent,
    });
    span.setAttributes({
      'porthole.session': sessionId,
      'porthole.cluster': machine.cluster,
      'porthole.vmid': machine.vmid,
      'porthole.mode': wish.mode,
      'porthole.kind': wish.kind,
    });
    const token = await mintGrant({ records: store.records, keys: deps.keys, random, clock }, claims);
    const page = await pageFor(deps, asker, claims, ctx.get(embedTokenHeader) !== '');
    record(ctx, asker, claims, authorised.rules);
    // A page that a program opened can do nothing beyond the console: nobody is signed in there.
    const allow = asker.program ? [] : found.decision.allow;
    respond(ctx, claims, { token, page, allow });
  }

  /** Who was let in to what. */
  function record(ctx: Context, { program }: Asker, claims: GrantClaims, rules: readonly string[]): void {
    const { sessionId, user, loginRef, cluster, node, type, vmid, machineName, mode, kind, observer } =
      claims;
    deps.audit({
      event: 'grant',
      session: sessionId,
      user: { id: user.id, name: user.name },
      login: loginRef,
      ...(program && { program: { id: program.id, name: program.name } }),
      machine: { cluster, vmid, name: machineName, node, type },
      mode,
      kind,
      ...(observer ? { observer } : {}),
      rules: [...rules],
      address: ctx.ip,
      requestId: ctx.state.requestId,
    });
  }

  /** Not those who ask again and again or whom nobody knows: they would fill the disk. */
  function recordRefusal(ctx: Context, code: ErrorCode, cluster: string, vmid: string): void {
    const { user, requestId } = ctx.state;
    if (!user || code === 'rate_limited') return;
    const known = config.clusters.some(({ name }) => name === cluster) && isVmid(vmid);
    deps.audit({
      event: 'grant_denied',
      user: { id: user.id, name: user.name },
      ...(known ? { machine: { cluster, vmid: Number(vmid) } } : {}),
      code,
      address: ctx.ip,
      requestId,
    });
  }

  function respond(
    ctx: Context,
    claims: GrantClaims,
    { token, page, allow }: { token: string; page: string; allow: readonly Right[] },
  ): void {
    const { sessionId, node, type, machineName, expiresAt } = claims;
    ctx.status = 201;
    ctx.body = {
      id: sessionId,
      url,
      protocols: [consoleProtocol, `${grantProtocolPrefix}${token}`],
      page,
      expiresAt: new Date(expiresAt).toISOString(),
      machine: { name: machineName, type, node },
      allow,
    };
  }

  return async (ctx) => {
    ctx.state.route = 'grants';
    const { cluster = '', vmid = '' } = ctx['params'] as Readonly<Record<string, string | undefined>>;
    // The click: what the relay does with the grant is a part of this.
    const span = deps.tracing.startSpan('grant', { kind: 'server' });
    if (span.traceId !== undefined) ctx.state.trace = span.traceId;
    try {
      await span.run(() => grant(ctx, cluster, vmid, span));
      span.end();
      metrics.grant('ok');
    } catch (thrown) {
      const { code } = asPortholeError(thrown);
      span.end(thrown);
      metrics.grant(code);
      recordRefusal(ctx, code, cluster, vmid);
      throw thrown;
    }
  };
}
