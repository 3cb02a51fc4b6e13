import { signInPath } from '../../paths.ts';

/** Leads to the sign-in page and back to this console. */
export function consoleSignInPath(): string {
  return signInPath(location.pathname + location.search, 'expired');
}
