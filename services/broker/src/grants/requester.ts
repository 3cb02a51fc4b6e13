import type { Config } from '@porthole/shared/config/schema';
import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { digest } from '@porthole/shared/store/keys';
import type { Context } from '../http/context.ts';
import type { Identity, Program, RequireLogin } from '../sign-in/identify.ts';
import type { Passes, PassFacts } from '../sign-in/passes.ts';
import { consolePageUrl } from './console-page.ts';
import type { GrantRequest } from './steps.ts';

/** For whom a console is asked, by whom. */
export interface Requester {
  readonly identity: Pick<Identity, 'user' | 'loginRef'>;
  readonly program?: Pick<Program, 'id' | 'name'>;
}

/** The page shows it in this header, as it may have no cookie. */
export const embedTokenHeader = 'x-porthole-pass';

/** Who asks for this console: somebody signed in, a program for somebody, or a page that a program opened. */
export async function identifyRequester(
  deps: { readonly requireLogin: RequireLogin; readonly passes: Pick<Passes, 'open'> },
  ctx: Context,
  wanted: { readonly cluster: string; readonly vmid: string; readonly wish: GrantRequest },
): Promise<Requester> {
  const pass = ctx.get(embedTokenHeader);
  if (pass !== '') return requesterByEmbedToken(await deps.passes.open(pass), ctx, wanted);
  const identity = await deps.requireLogin(ctx);
  const { onBehalfOf: user } = wanted.wish;
  if (!user) return { identity };
  const { program } = identity;
  if (!program)
    throw new PortholeError('impersonation_not_allowed', { detail: 'only programs act for others' });
  const actedFor = program.actFor(user);
  ctx.state.user = actedFor;
  return {
    identity: { user: actedFor, loginRef: digest(`program login/${actedFor.id}`).slice(0, 32) },
    program,
  };
}

function requesterByEmbedToken(
  facts: PassFacts,
  ctx: Context,
  { cluster, vmid, wish }: { readonly cluster: string; readonly vmid: string; readonly wish: GrantRequest },
): Requester {
  const fits = facts.cluster === cluster && String(facts.vmid) === vmid && facts.kind === wish.kind;
  const more =
    (facts.mode === 'view' && wish.mode === 'control') || wish.watch || wish.onBehalfOf !== undefined;
  if (!fits || more) throw new PortholeError('not_allowed', { detail: 'the pass is for another console' });
  ctx.state.user = facts.user;
  return { identity: { user: facts.user, loginRef: facts.loginRef }, program: facts.program };
}

/** The address of the page for whoever asked. For a program's user it holds the code for a pass. */
export async function consolePageFor(
  deps: {
    readonly passes: Pick<Passes, 'create'>;
    readonly config: Pick<Config, 'publicUrl'>;
    readonly clock: Clock;
  },
  { program }: Requester,
  claims: GrantClaims,
  ofPass: boolean,
): Promise<string> {
  const { cluster, vmid, mode, kind, user, loginRef, limits } = claims;
  const page = new URL(consolePageUrl(deps.config.publicUrl, { cluster, vmid, mode, kind }));
  if (program && !ofPass) {
    const code = await deps.passes.create({
      user: { id: user.id, name: user.name, groups: [...user.groups] },
      program: { id: program.id, name: program.name },
      loginRef,
      cluster,
      vmid,
      mode,
      kind,
      until: deps.clock.now() + (limits.maxSessionSeconds ?? limits.sessionSeconds) * 1000,
    });
    page.hash = `code=${code}`;
  }
  return page.href;
}
