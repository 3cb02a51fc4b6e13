import type { ErrorCode } from '../errors.ts';

/**
 * Errors of an attempt to open a console that are the fault of Porthole or Proxmox, not of the viewer, an access rule or
 * a stopped machine. The service-level objective in docs/monitoring.md counts them. Metrics initialize each series with
 * 0, because a rate does not see the failure with which a series begins.
 */
export const openFailures: readonly ErrorCode[] = [
  'internal',
  'store_unavailable',
  'relay_full',
  'queue_full',
  'queue_timeout',
  'recording_unavailable',
  'proxmox_credential',
  'proxmox_permission',
  'proxmox_tls',
  'proxmox_invalid_response',
  'proxmox_unreachable',
  'proxmox_timeout',
  'console_timeout',
  'console_auth_failed',
  'console_unresponsive',
  'console_lost',
  'terminal_refused',
];
