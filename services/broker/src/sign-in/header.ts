import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { HeaderConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import { digest } from '@porthole/shared/store/keys';
import type { Context } from '../http/context.ts';
import type { Identity } from './identify.ts';

/** Whom the proxy in front names; undefined when it names nobody. */
export type HeaderIdentity = (ctx: Context) => Promise<Identity | undefined>;

const longest = 256;
const mostGroups = 1000;

/**
 * Forward auth: oauth2-proxy, Authelia, Pomerium and their like sign people in and name them in headers of every
 * request. They are believed from the proxies' own addresses alone, by the connection itself and not by
 * X-Forwarded-For. From anywhere else such a header is an attempt, and refused as one.
 */
export function createHeaderIdentity(deps: {
  readonly config: HeaderConfig;
  readonly log: Pick<Log, 'warn'>;
}): HeaderIdentity {
  const { config, log } = deps;
  const proxies = blockListOf(config.from);

  return async (ctx) => {
    const name = valueOf(ctx, config.user);
    if (name === undefined) return undefined;
    const address = ctx.req.socket.remoteAddress ?? '';
    if (!isAmong(proxies, address)) {
      log.warn(
        { event: 'header_spoofed', header: config.user, address },
        'A REQUEST CLAIMS AN IDENTITY THAT ONLY THE PROXY MAY CLAIM: signIn.header.from names the proxies',
      );
      throw new PortholeError('identity_header_untrusted', { detail: `from ${address}` });
    }
    if (name.length > longest)
      throw new PortholeError('identity_header_untrusted', { detail: 'the name is too long' });
    const displayName = valueOf(ctx, config.displayName);
    const id = `header:${name}`;
    return {
      user: {
        id,
        name,
        ...(displayName === undefined || displayName === name
          ? {}
          : { displayName: displayName.slice(0, longest) }),
        groups: groupsOf(valueOf(ctx, config.groups)),
      },
      // There is no sign-in of ours: the proxy's own ends with the next request that does not come.
      loginRef: digest(`header login/${id}`).slice(0, 32),
    };
  };
}

/** One that comes twice arrives joined by a comma, which then is part of the name: nobody has such a name. */
function valueOf(ctx: Context, header: string): string | undefined {
  const value = ctx.get(header).trim();
  return value === '' ? undefined : value.normalize('NFC');
}

function groupsOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(/[,|]/)
    .map((group) => group.trim())
    .filter((group) => group !== '' && group.length <= longest)
    .slice(0, mostGroups);
}

function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** BlockList takes ::ffff:10.0.0.1 for 10.0.0.1, as a socket that listens for both names it. */
function isAmong(list: BlockList, address: string): boolean {
  if (isIPv4(address)) return list.check(address, 'ipv4');
  return isIPv6(address) && list.check(address, 'ipv6');
}
