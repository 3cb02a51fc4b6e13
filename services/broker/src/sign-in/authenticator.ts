import type { Context } from '../http/context.ts';
import type { Identity } from '../identity/identity.ts';

/**
 * Returns the identity of a request, or undefined if the request has no credential of this kind. Throws if the
 * credential is not valid.
 */
export type Authenticator = (ctx: Context) => Promise<Identity | undefined>;
