import type { Router } from '@koa/router';
import type { RequestState, Step } from '../http/context.ts';
import type { LoginResolver } from './logins/login-resolver.ts';

/** A sign-in method as the sign-in page shows it. */
export type SignInMethodInfo =
  | { readonly kind: 'local' }
  | { readonly kind: 'oidc'; readonly title: string; readonly url: string }
  | {
      readonly kind: 'proxmox';
      /** The page posts the password here. */
      readonly url: string;
      readonly realms: readonly { readonly name: string; readonly title: string }[];
    };

/** A sign-in method that has routes of its own. */
export interface SignInMethod {
  readonly resolver: LoginResolver;
  readonly info: SignInMethodInfo;
  /** Adds its routes below /api/v1. */
  mount(router: Router<RequestState>): void;
}

/** GET /api/v1/login: lists the sign-in methods. */
export function listSignInMethods(methods: readonly SignInMethodInfo[]): Step {
  return async (ctx) => {
    ctx.state.route = 'login';
    ctx.body = { methods };
  };
}
