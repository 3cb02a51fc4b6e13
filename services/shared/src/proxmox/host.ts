import type { DialTarget } from './dial.ts';

/** A host of a cluster that receives API calls and console connections. */
export interface ProxmoxHost {
  readonly base: URL;
  /** Unknown for the entry points of the configuration. */
  readonly nodeName?: string | undefined;
}

/** Where a host is dialled: its address without the brackets of IPv6, and port 443 unless the URL has another one. */
export function dialTargetOf({ base, nodeName }: ProxmoxHost): DialTarget {
  return { host: base.hostname.replace(/^\[|\]$/g, ''), port: Number(base.port) || 443, nodeName };
}
