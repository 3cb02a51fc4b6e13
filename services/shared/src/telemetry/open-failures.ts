import type { ErrorCode } from '../errors.ts';

/**
 * How an attempt to open a console fails when Porthole and what is behind it are to blame, not the viewer, a rule
 * or a machine that is off. The goal of docs/monitoring.md counts these. Metrics show each from the start, as 0:
 * a rate over a series that only begins with its first failure would not see that failure.
 */
export const openFailures: readonly ErrorCode[] = [
  'internal',
  'store_unavailable',
  'relay_full',
  'queue_full',
  'queue_timeout',
  'proxmox_credential',
  'proxmox_permission',
  'proxmox_tls',
  'proxmox_invalid_response',
  'proxmox_unreachable',
  'proxmox_timeout',
  'console_timeout',
  'console_auth_failed',
  'console_lost',
  'terminal_refused',
];
