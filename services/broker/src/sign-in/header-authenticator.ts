import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { HeaderConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Context } from '../http/context.ts';
import type { Authenticator } from './require-login.ts';

const maxLength = 256;
const maxGroups = 1000;

/**
 * Identifies requests by the headers of an authenticating reverse proxy, such as oauth2-proxy, Authelia, or Pomerium.
 * The headers count only if the connection itself comes from an address in `from`; X-Forwarded-For is ignored. From any
 * other address the header is a spoofing attempt: throws `identity_header_untrusted`. Keeps no state between requests.
 */
export function createHeaderAuthenticator(deps: {
  readonly config: HeaderConfig;
  readonly log: Pick<Log, 'warn'>;
}): Authenticator {
  const { config, log } = deps;
  const proxies = addressList(config.from);

  return async (ctx) => {
    const name = headerValue(ctx, config.user);
    if (name === undefined) return undefined;
    const address = ctx.req.socket.remoteAddress ?? '';
    if (!includesAddress(proxies, address)) {
      log.warn(
        { event: 'header_spoofed', header: config.user, address },
        'AN IDENTITY HEADER CAME FROM AN ADDRESS OUTSIDE signIn.header.from',
      );
      throw new PortholeError('identity_header_untrusted', { detail: `from ${address}` });
    }
    if (name.length > maxLength)
      throw new PortholeError('identity_header_untrusted', { detail: 'the name is too long' });
    const displayName = headerValue(ctx, config.displayName)?.slice(0, maxLength);
    const id = `header:${name}`;
    return {
      user: {
        id,
        name,
        ...(displayName === undefined || displayName === name ? {} : { displayName }),
        groups: groupsIn(headerValue(ctx, config.groups)),
      },
      // The proxy holds the sign-in, so the reference depends only on the user.
      loginRef: digest(`header login/${id}`).slice(0, 32),
    };
  };
}

/** Node joins a repeated header with a comma. The comma then is part of the name, which matches no user. */
function headerValue(ctx: Context, header: string): string | undefined {
  const value = ctx.get(header).trim();
  return value === '' ? undefined : value.normalize('NFC');
}

function groupsIn(text: string | undefined): string[] {
  return (text ?? '')
    .split(/[,|]/)
    .map((group) => group.trim())
    .filter((group) => group !== '' && group.length <= maxLength)
    .slice(0, maxGroups);
}

function addressList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** BlockList also matches IPv4-mapped addresses (::ffff:10.0.0.1), which dual-stack sockets report. */
function includesAddress(list: BlockList, address: string): boolean {
  if (isIPv4(address)) return list.check(address, 'ipv4');
  return isIPv6(address) && list.check(address, 'ipv6');
}
