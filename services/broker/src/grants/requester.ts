import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { Context } from '../http/context.ts';
import type { Identity, Program } from '../identity/identity.ts';
import type { EmbedTokenData, EmbedTokens } from '../sign-in/embed-tokens.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { GrantRequest } from './grant-request.ts';

/** The user who gets a console, and the program that asks for it, if one does. */
export interface Requester {
  readonly identity: Pick<Identity, 'user' | 'loginRef'>;
  readonly program?: Pick<Program, 'id' | 'name'>;
  /** Whether the request comes from an embedded page. */
  readonly hasEmbedToken: boolean;
}

/** An embedded page sends its token in this header, because it gets no cookie. */
export const embedTokenHeader = 'x-porthole-embed-token';

interface RequestedConsole {
  readonly cluster: string;
  readonly vmid: string;
  readonly request: GrantRequest;
}

/** Identifies who asks: a signed-in user, a program on behalf of a user, or a page that a program embeds. */
export async function identifyRequester(
  deps: { readonly requireLogin: RequireLogin; readonly embedTokens: Pick<EmbedTokens, 'read'> },
  ctx: Context,
  console: RequestedConsole,
): Promise<Requester> {
  const token = ctx.get(embedTokenHeader);
  if (token !== '') return requesterByEmbedToken(await deps.embedTokens.read(token), ctx, console);
  const identity = await deps.requireLogin(ctx);
  const { onBehalfOf } = console.request;
  if (!onBehalfOf) return { identity, hasEmbedToken: false };
  const { program } = identity;
  if (!program)
    throw new PortholeError('impersonation_not_allowed', { detail: 'only programs can impersonate users' });
  const user = program.impersonate(onBehalfOf);
  ctx.state.user = user;
  return {
    identity: { user, loginRef: digest(`program login/${user.id}`).slice(0, 32) },
    program,
    hasEmbedToken: false,
  };
}

function requesterByEmbedToken(
  data: EmbedTokenData,
  ctx: Context,
  { cluster, vmid, request }: RequestedConsole,
): Requester {
  const isSameConsole = data.cluster === cluster && String(data.vmid) === vmid && data.kind === request.kind;
  const asksForMore =
    (data.mode === 'view' && request.mode === 'control') || request.watch || request.onBehalfOf !== undefined;
  if (!isSameConsole || asksForMore)
    throw new PortholeError('not_allowed', { detail: 'the embed token is for another console' });
  ctx.state.user = data.user;
  return {
    identity: { user: data.user, loginRef: data.loginRef },
    program: data.program,
    hasEmbedToken: true,
  };
}
