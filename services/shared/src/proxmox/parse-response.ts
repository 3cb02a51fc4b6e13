import type { z } from 'zod';
import { PortholeError } from '../errors.ts';
import type { ProxmoxResponse } from './http.ts';
import { saysMachineIsMissing } from './missing-machine.ts';

/**
 * Returns the body of a 200 response as the schema parses it. Throws the PortholeError for any other response, with
 * `call` (method and path) in its detail.
 */
export function parseResponse<T>(response: ProxmoxResponse, schema: z.ZodType<T>, call: string): T {
  const detail = `${call}: ${response.status} ${response.reason}`;
  if (response.status === 200) {
    const parsed = schema.safeParse(response.json);
    if (parsed.success) return parsed.data;
    throw new PortholeError('proxmox_invalid_response', {
      detail: `${call}: ${parsed.error.issues[0]?.message ?? 'no JSON'}`,
    });
  }
  if (response.status === 401) throw new PortholeError('proxmox_credential', { detail });
  if (response.status === 403) throw new PortholeError('proxmox_permission', { detail });
  if (isGatewayError(response)) throw new PortholeError('proxmox_unreachable', { detail });
  // The reason phrase is the first line of Perl's `die`, and the only sign that the machine is not on this node.
  if (response.status === 500 && isNotOnNode(response.reason))
    throw new PortholeError('machine_not_found', { detail });
  throw new PortholeError('proxmox_invalid_response', { detail });
}

/** An unknown node has no address. */
function isNotOnNode(reason: string): boolean {
  return saysMachineIsMissing(reason) || reason.includes('hostname lookup');
}

/**
 * Whether the host could not reach another node, or its own pvedaemon. The statuses are those of AnyEvent::HTTP:
 * 595 connect, 596 TLS or no response, 597 body, 599 other.
 */
export function isGatewayError({ status }: ProxmoxResponse): boolean {
  return status >= 595 && status <= 599;
}
