import type { Factor, Problem } from '../api.ts';
import type { SignInReason } from '../paths.ts';

export const signInIntro = 'Sign in to see your machines.';

/** Names Porthole's own accounts in the list of account sources. */
export const localAccounts = 'Porthole';

export const secondFactorIntro = 'Enter your second factor.';

export const factorLabels = {
  totp: { label: 'Code from your authenticator app', switchTo: 'Use the authenticator app' },
  recovery: { label: 'Recovery key', switchTo: 'Use a recovery key' },
  yubico: { label: 'Code from your YubiKey', switchTo: 'Use a YubiKey' },
} as const satisfies Record<Factor, { readonly label: string; readonly switchTo: string }>;

/** Why the user sees the sign-in page. */
export const signInNotes = {
  needed: 'Sign in to open the console.',
  expired: 'You were signed out. Sign in again to continue.',
  'signed-out': 'You have signed out.',
  sign_in_refused: 'The sign-in service denied access. If you need access, contact its administrator.',
  sign_in_expired: 'The sign-in took too long or was started in another browser. Try again.',
  sign_in_provider_unavailable: 'The sign-in service is not responding. Try again later.',
  rate_limited: 'Too many people are signing in right now. Try again in a minute.',
} as const satisfies Record<SignInReason, string>;

export function signInProblem(problem: Problem): string {
  switch (problem.code) {
    case 'wrong_password':
    case 'not_signed_in':
      return 'The name or password is incorrect.';
    case 'wrong_code':
      return 'The code is incorrect or was already used.';
    case 'second_factor_unusable':
      return 'Your second factor works only in the Proxmox web interface. Add an authenticator app or recovery keys there.';
    case 'sign_in_expired':
      return 'The sign-in took too long. Sign in again.';
    case 'proxmox_unreachable':
    case 'proxmox_timeout':
      return 'The server for your account is not responding. Try again later.';
    case 'rate_limited':
      return problem.retryAfter === undefined
        ? 'Too many attempts. Try again in a minute.'
        : `Too many attempts. Try again in ${problem.retryAfter} s.`;
    case 'network':
      return 'Porthole is not responding. Check your network and try again.';
    default:
      return 'Signing in is not possible right now. Try again later.';
  }
}
