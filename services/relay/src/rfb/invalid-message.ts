import { PortholeError } from '@porthole/shared/errors';

/** An error about a message of the VNC server. */
export function invalidMessage(what: string): PortholeError {
  return new PortholeError('proxmox_invalid_response', { detail: `the VNC server sent ${what}` });
}
