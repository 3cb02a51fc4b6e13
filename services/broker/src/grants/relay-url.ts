import { basePathOf } from '@porthole/shared/http/base-path';
import { consolePath, wallPath } from '@porthole/shared/protocol/subprotocols';

/** The WebSocket URL where browsers open consoles: `relayUrl`, or a path of `publicUrl`. */
export function relayUrlOf(config: { readonly publicUrl: URL; readonly relayUrl?: URL | undefined }): URL {
  const url = new URL(config.relayUrl ?? config.publicUrl);
  if (!config.relayUrl) url.pathname = basePathOf(config.publicUrl) + consolePath;
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (url.pathname === '/') url.pathname = consolePath;
  url.search = '';
  url.hash = '';
  return url;
}

/** The WebSocket URL of walls: beside that of consoles. */
export function wallUrlOf(config: Parameters<typeof relayUrlOf>[0]): URL {
  const url = relayUrlOf(config);
  url.pathname = url.pathname.endsWith(consolePath)
    ? url.pathname.slice(0, -consolePath.length) + wallPath
    : `${url.pathname.replace(/\/console$/, '')}/wall`;
  return url;
}
