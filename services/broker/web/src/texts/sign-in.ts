import type { Factor, Problem } from '../api.ts';
import { t, type PlainKey } from '../language/t.ts';

/** Names Porthole's own accounts in the list of account sources. */
export const localAccounts = 'Porthole';

export const factorLabels = {
  totp: { label: 'signIn.totp', switchTo: 'signIn.useTotp' },
  recovery: { label: 'signIn.recovery', switchTo: 'signIn.useRecovery' },
  yubico: { label: 'signIn.yubico', switchTo: 'signIn.useYubico' },
} as const satisfies Record<Factor, { readonly label: PlainKey; readonly switchTo: PlainKey }>;

export function signInProblem(problem: Problem): string {
  switch (problem.code) {
    case 'wrong_password':
    case 'not_signed_in':
      return t('signIn.wrongPassword');
    case 'wrong_code':
      return t('signIn.wrongCode');
    case 'second_factor_unusable':
      return t('signIn.unusableFactor');
    case 'sign_in_expired':
      return t('signIn.tookTooLong');
    case 'proxmox_unreachable':
    case 'proxmox_timeout':
      return t('signIn.serverSilent');
    case 'rate_limited':
      return problem.retryAfter === undefined
        ? t('signIn.tooManyAttempts')
        : t('signIn.tooManyAttemptsFor', { seconds: problem.retryAfter });
    case 'network':
      return t('signIn.portholeSilent');
    default:
      return t('signIn.impossible');
  }
}
