import type { ComponentChildren } from 'preact';
import { t } from '../../language/t.ts';
import type { Machine, PowerAction } from '../../api.ts';
import { EyeIcon, PowerActionIcon, ScreenIcon, TerminalIcon, WindowIcon } from '../../components/icons.tsx';
import { consolePath, defaultConsolePath } from '../../paths.ts';
import { availableActions } from '../../power-actions.ts';

export type MenuEntry = { readonly label: string; readonly icon: ComponentChildren } & (
  | { readonly href: string; readonly newWindow?: boolean; readonly action?: undefined }
  | { readonly action: PowerAction }
);

/** The menu of a machine. It holds only what the user may do. */
export function menuEntriesOf(machine: Machine): MenuEntry[] {
  const { cluster, vmid, allow, kinds, status, type } = machine;
  const entries: MenuEntry[] = [];
  const href = defaultConsolePath(machine);
  if (allow.includes('control')) entries.push({ label: t('machine.open'), href, icon: <ScreenIcon /> });
  if (kinds.includes('terminal')) {
    const terminal = consolePath(cluster, vmid, 'control', 'terminal');
    entries.push({ label: t('machine.terminal'), href: terminal, icon: <TerminalIcon /> });
  }
  if (kinds.length > 0)
    entries.push({ label: t('machine.newWindow'), href, newWindow: true, icon: <WindowIcon /> });
  if (kinds.includes('screen')) {
    const label = allow.includes('watch') ? t('machine.observe') : t('machine.viewOnly');
    entries.push({ label, href: consolePath(cluster, vmid, 'view'), icon: <EyeIcon /> });
  }
  if (allow.includes('power'))
    for (const action of availableActions(status, type))
      entries.push({ label: t(`power.${action}`), action, icon: <PowerActionIcon action={action} /> });
  return entries;
}
