import type { GrantClaims } from '@porthole/shared/grant/claims';

/** Our own page of a console: what it is called is in the path, how it is opened in the query. */
export function consolePageUrl(
  publicUrl: URL,
  { cluster, vmid, mode, kind }: Pick<GrantClaims, 'cluster' | 'vmid' | 'mode' | 'kind'>,
): string {
  const url = new URL(`/console/${cluster}/${vmid}`, publicUrl);
  if (kind === 'terminal') url.searchParams.set('kind', kind);
  if (mode === 'view') url.searchParams.set('mode', mode);
  return url.href;
}
