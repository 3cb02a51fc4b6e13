import type { Config } from '@porthole/shared/config/schema';
import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { digest } from '@porthole/shared/store/keys';
import type { Context } from '../http/context.ts';
import type { Identity, Program } from '../identity/identity.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { EmbedTokens, EmbedTokenData } from '../sign-in/embed-tokens.ts';
import { pageOf } from './page-url.ts';
import type { GrantWish } from './steps.ts';

/** For whom a console is asked, by whom. */
export interface Asker {
  readonly identity: Pick<Identity, 'user' | 'loginRef'>;
  readonly program?: Pick<Program, 'id' | 'name'>;
}

/** The page shows it in this header, as it may have no cookie. */
export const embedTokenHeader = 'x-porthole-pass';

/** Who asks for this console: somebody signed in, a program for somebody, or a page that a program opened. */
export async function askerOf(
  deps: { readonly requireLogin: RequireLogin; readonly embedTokens: Pick<EmbedTokens, 'read'> },
  ctx: Context,
  wanted: { readonly cluster: string; readonly vmid: string; readonly wish: GrantWish },
): Promise<Asker> {
  const pass = ctx.get(embedTokenHeader);
  if (pass !== '') return requesterByEmbedToken(await deps.embedTokens.read(pass), ctx, wanted);
  const identity = await deps.requireLogin(ctx);
  const { onBehalfOf: user } = wanted.wish;
  if (!user) return { identity };
  const { program } = identity;
  if (!program)
    throw new PortholeError('impersonation_not_allowed', { detail: 'only programs act for others' });
  const actedFor = program.impersonate(user);
  ctx.state.user = actedFor;
  return {
    identity: { user: actedFor, loginRef: digest(`program login/${actedFor.id}`).slice(0, 32) },
    program,
  };
}

function requesterByEmbedToken(
  facts: EmbedTokenData,
  ctx: Context,
  { cluster, vmid, wish }: { readonly cluster: string; readonly vmid: string; readonly wish: GrantWish },
): Asker {
  const fits = facts.cluster === cluster && String(facts.vmid) === vmid && facts.kind === wish.kind;
  const more =
    (facts.mode === 'view' && wish.mode === 'control') || wish.watch || wish.onBehalfOf !== undefined;
  if (!fits || more) throw new PortholeError('not_allowed', { detail: 'the pass is for another console' });
  ctx.state.user = facts.user;
  return { identity: { user: facts.user, loginRef: facts.loginRef }, program: facts.program };
}

/** The address of the page for whoever asked. For a program's user it holds the code for a pass. */
export async function pageFor(
  deps: {
    readonly embedTokens: Pick<EmbedTokens, 'createCode'>;
    readonly config: Pick<Config, 'publicUrl'>;
    readonly clock: Clock;
  },
  { program }: Asker,
  claims: GrantClaims,
  hasEmbedToken: boolean,
): Promise<string> {
  const { cluster, vmid, mode, kind, user, loginRef, limits } = claims;
  const page = new URL(pageOf(deps.config.publicUrl, { cluster, vmid, mode, kind }));
  if (program && !hasEmbedToken) {
    const code = await deps.embedTokens.createCode({
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
