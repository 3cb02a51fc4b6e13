/** As much of oidc-provider 9 as the test issuer uses; the package brings no types. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export interface Configuration {
    readonly [option: string]: unknown;
    readonly fetch?: (
      input: URL | string,
      init: RequestInit & { readonly dispatcher?: unknown },
    ) => Promise<Response>;
    readonly findAccount?: (ctx: unknown, id: string) => Promise<unknown>;
  }

  export interface GrantContext {
    readonly oidc?: { readonly params?: Readonly<Record<string, unknown>> };
  }

  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    callback(): RequestListener;
    on(event: 'grant.success' | 'grant.error', listener: (ctx: GrantContext) => void): this;
    on(event: 'server_error' | 'backchannel.error', listener: (ctx: unknown, error: unknown) => void): this;
  }
}
