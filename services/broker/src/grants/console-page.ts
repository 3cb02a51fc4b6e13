import type { Config } from '@porthole/shared/config/schema';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { urlBelow } from '@porthole/shared/http/base-path';
import type { Clock } from '@porthole/shared/time/clock';
import type { EmbedTokens } from '../sign-in/embed-tokens.ts';
import type { Requester } from './requester.ts';

/** The URL of our page for a console. */
export function consolePageUrl(
  publicUrl: URL,
  { cluster, vmid, mode, kind }: Pick<GrantClaims, 'cluster' | 'vmid' | 'mode' | 'kind'>,
): URL {
  const url = urlBelow(publicUrl, `/console/${cluster}/${vmid}`);
  if (kind === 'terminal') url.searchParams.set('kind', kind);
  if (mode === 'view') url.searchParams.set('mode', mode);
  return url;
}

/** The URL of the page, with a one-time code for an embed token if a program asks for the first time. */
export async function consolePageFor(
  deps: {
    readonly embedTokens: Pick<EmbedTokens, 'createCode'>;
    readonly config: Pick<Config, 'publicUrl'>;
    readonly clock: Clock;
  },
  { program, hasEmbedToken }: Requester,
  claims: GrantClaims,
): Promise<string> {
  const { cluster, vmid, mode, kind, user, loginRef, limits } = claims;
  const page = consolePageUrl(deps.config.publicUrl, claims);
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
