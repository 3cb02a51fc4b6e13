import type { Audit } from '@porthole/shared/audit/audit';
import type { ClassStates } from '@porthole/shared/class/class-states';
import type { Right } from '@porthole/shared/config/access-schema';
import type { Config } from '@porthole/shared/config/schema';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { asPortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { mintGrant } from '@porthole/shared/grant/grant';
import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import { createReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import type { Store } from '@porthole/shared/store/ports';
import type { TraceSpan, Tracing } from '@porthole/shared/telemetry/tracing';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access, Decide } from '../access/decide.ts';
import { classesOf } from '../classes/classes-of.ts';
import type { Context, Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { findVisibleMachine, isVmid } from '../machines/find-visible-machine.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { EmbedTokens } from '../sign-in/embed-tokens.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import { buildClaims } from './claims.ts';
import { consolePageFor } from './console-page.ts';
import { grantEvent } from './grant-event.ts';
import { parseGrantRequest, type GrantRequest } from './grant-request.ts';
import { relayUrlOf } from './relay-url.ts';
import { identifyRequester, type Requester } from './requester.ts';
import { authoriseFollow } from './authorise-follow.ts';
import { authorise, checkQuota, limitGrants } from './steps.ts';

export interface GrantRouteDeps {
  readonly config: Config;
  readonly store: Pick<Store, 'records' | 'leases' | 'rateLimits'>;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly requireLogin: RequireLogin;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly decide: Decide;
  readonly access: () => Pick<Access, 'classes'>;
  /** What is shown to classes. */
  readonly states: Pick<ClassStates, 'showings' | 'endings'>;
  readonly embedTokens: Pick<EmbedTokens, 'createCode' | 'read'>;
  readonly metrics: Pick<BrokerMetrics, 'grant'>;
  readonly tracing: Pick<Tracing, 'startSpan'>;
  readonly audit: Audit;
}

/**
 * POST /api/v1/consoles/{cluster}/{vmid}/grants: creates a grant for a console. `grant` below runs all checks in order,
 * except that the request comes from our own pages (http/require-same-origin.ts).
 */
export function createGrant(deps: GrantRouteDeps): Step {
  const { config, store, clock, random, metrics } = deps;
  const { limits } = config;
  const reopenable = createReopenableSessions(store.leases);
  const url = relayUrlOf(config).href;
  const origins = [...new Set([config.publicUrl.origin, ...config.allowedOrigins])];

  /** By a rule, or because the machine is shown to a class of the user. */
  async function permit(requester: Requester, request: GrantRequest, cluster: string, vmid: string) {
    if (request.follow) {
      const followed = await authoriseFollow({ ...deps, limits }, requester, cluster, vmid);
      return { ...followed, allow: [] };
    }
    const visible = await findVisibleMachine(deps, requester.identity.user, cluster, vmid);
    const { machine, decision } = visible;
    return { machine, authorised: authorise(visible, request), allow: decision.allow, follows: undefined };
  }

  async function grant(ctx: Context, cluster: string, vmid: string, span: TraceSpan): Promise<void> {
    const request = parseGrantRequest(ctx.request.body);
    const requester = await identifyRequester(deps, ctx, { cluster, vmid, request });
    const { identity, program } = requester;
    const reopens = await limitGrants(
      { rateLimits: store.rateLimits, reopenable },
      {
        userId: identity.user.id,
        cluster,
        vmid: Number(vmid),
        kind: request.kind,
        reopens: request.reopens,
      },
      limits.grantsPerMinute,
    );
    const { machine, authorised, allow, follows } = await permit(requester, request, cluster, vmid);
    if (!follows)
      await checkQuota({ leases: store.leases, clock }, identity.user, authorised.policy.consolesPerUser);
    const claims = buildClaims({
      sessionId: randomId(random, 16),
      identity,
      machine,
      request,
      authorised,
      classes: classesOf(deps.access().classes, identity.user, machine),
      follows,
      reopens,
      extendSeconds: limits.extendSeconds,
      origins,
      now: clock.now(),
      traceparent: span.traceparent,
    });
    span.setAttributes(spanAttributes(claims));
    const token = await mintGrant({ records: store.records, keys: deps.keys, random, clock }, claims);
    const page = await consolePageFor(deps, requester, claims);
    deps.audit({
      ...grantEvent(claims, authorised.rules, authorised.policy.record?.consent === true),
      ...(program && { program: { id: program.id, name: program.name } }),
      address: ctx.ip,
      requestId: ctx.state.requestId,
    });
    // An embedded page has no sign-in, so it can do nothing beyond the console.
    respond(ctx, claims, { url, token, page, allow: program ? [] : allow });
  }

  /** Records no rate-limited or anonymous request, because such requests could fill the disk. */
  function auditDenial(ctx: Context, code: ErrorCode, cluster: string, vmid: string): void {
    const { user, requestId } = ctx.state;
    if (!user || code === 'rate_limited') return;
    const isKnown = config.clusters.some(({ name }) => name === cluster) && isVmid(vmid);
    deps.audit({
      event: 'grant_denied',
      user: { id: user.id, name: user.name },
      ...(isKnown ? { machine: { cluster, vmid: Number(vmid) } } : {}),
      code,
      address: ctx.ip,
      requestId,
    });
  }

  return async (ctx) => {
    ctx.state.route = 'grants';
    const { cluster = '', vmid = '' } = pathParameters(ctx);
    // The trace begins with the click. The relay's use of the grant is a part of it.
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
      auditDenial(ctx, code, cluster, vmid);
      throw thrown;
    }
  };
}

function spanAttributes({ sessionId, cluster, vmid, mode, kind }: GrantClaims) {
  return {
    'porthole.session': sessionId,
    'porthole.cluster': cluster,
    'porthole.vmid': vmid,
    'porthole.mode': mode,
    'porthole.kind': kind,
  };
}

function respond(
  ctx: Context,
  { sessionId, node, type, machineName, expiresAt, recording }: GrantClaims,
  grant: {
    readonly url: string;
    readonly token: string;
    readonly page: string;
    readonly allow: readonly Right[];
  },
): void {
  ctx.status = 201;
  ctx.body = {
    id: sessionId,
    url: grant.url,
    protocols: [consoleProtocol, `${grantProtocolPrefix}${grant.token}`],
    page: grant.page,
    expiresAt: new Date(expiresAt).toISOString(),
    machine: { name: machineName, type, node },
    allow: grant.allow,
    ...(recording ? { record: recording.mode } : {}),
  };
}
