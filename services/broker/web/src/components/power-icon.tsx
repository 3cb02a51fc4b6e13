import { PowerIcon, ReloadIcon, StopIcon } from './icons.tsx';
import type { PowerAction } from '../api.ts';

/** The sign of each action. */
export function PowerActionIcon({ action }: { readonly action: PowerAction }) {
  if (action === 'reboot' || action === 'reset') return <ReloadIcon />;
  return action === 'stop' ? <StopIcon /> : <PowerIcon />;
}
