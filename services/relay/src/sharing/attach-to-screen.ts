import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SharedScreen } from '../screen/shared-screen-contract.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import type { ScreenNotice } from './contracts.ts';
import type { SharingDeps } from './sharing-deps.ts';

type ViewerClaims = Pick<
  GrantClaims,
  'cluster' | 'vmid' | 'sessionId' | 'inputWhenTaken' | 'mode' | 'thumbnail'
>;

export interface AttachRequest {
  readonly claims: ViewerClaims;
  readonly onNotice: (notice: ScreenNotice) => void;
}

/**
 * Attaches a viewer to a shared screen, or a consumer of thumbnails. Input of a viewer passes as its mode and control of
 * the machine allow, until `stopControl`. Throws `screen_full`.
 */
export function attachToScreen(
  screen: SharedScreen,
  control: SharingDeps['control'],
  claims: ViewerClaims,
): { readonly link: MachineLink; readonly stopControl: () => void } {
  if (claims.thumbnail) return { link: screen.attachThumbnail(), stopControl() {} };
  const { link, setControl } = screen.attach({ control: false });
  if (claims.mode !== 'control') return { link, stopControl() {} };
  return { link, stopControl: control.registerPlace({ claims, setControl }) };
}
