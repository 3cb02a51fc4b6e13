import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Machine, PowerAction } from '../../api.ts';
import { EyeIcon, MoreIcon, ScreenIcon, TerminalIcon, WindowIcon } from '../../components/icons.tsx';
import { consolePath } from '../../paths.ts';
import { availableActions } from '../../power-actions.ts';
import { PowerActionIcon } from '../../components/power-icon.tsx';
import { powerLabels } from '../../texts.ts';
import { defaultConsolePath } from './best-path.ts';
import { menuItemForKey } from './menu-keys.ts';

interface Entry {
  readonly label: string;
  /** Where it leads; undefined for what is done right here. */
  readonly href?: string | undefined;
  readonly action?: PowerAction;
  readonly newWindow?: boolean;
  readonly icon: ComponentChildren;
}

/** What this person may not do is not in the menu. */
function entriesOf(machine: Machine): Entry[] {
  const { cluster, vmid, allow, kinds, status, type } = machine;
  const path = defaultConsolePath(machine);
  return [
    ...(allow.includes('control') ? [{ label: 'Open console', href: path, icon: <ScreenIcon /> }] : []),
    ...(kinds.includes('terminal')
      ? [
          {
            label: 'Terminal',
            href: consolePath(cluster, vmid, 'control', 'terminal'),
            icon: <TerminalIcon />,
          },
        ]
      : []),
    ...(kinds.length > 0
      ? [{ label: 'Open in new window', href: path, newWindow: true, icon: <WindowIcon /> }]
      : []),
    ...(kinds.includes('screen')
      ? [
          {
            label: allow.includes('watch') ? 'Look on' : 'View only',
            href: consolePath(cluster, vmid, 'view'),
            icon: <EyeIcon />,
          },
        ]
      : []),
    ...(allow.includes('power')
      ? availableActions(status, type).map((action) => ({
          label: powerLabels[action],
          action,
          icon: <PowerActionIcon action={action} />,
        }))
      : []),
  ];
}

interface MachineMenuProps {
  readonly machine: Machine;
  readonly power: (action: PowerAction) => void;
}

/** A menu button as in the ARIA authoring practices: arrows, Home, End, first letters, Escape, Tab. */
export function MachineMenu({ machine, power }: MachineMenuProps) {
  const [open, setOpen] = useState<'no' | 'first' | 'last'>('no');
  const root = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = `menu-${machine.cluster}-${machine.vmid}`;
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];

  const close = (refocus: boolean) => {
    setOpen('no');
    if (refocus) button.current?.focus();
  };

  // Before the next key can come, not after the next frame.
  useLayoutEffect(() => {
    if (open === 'no') return;
    items()
      .at(open === 'first' ? 0 : -1)
      ?.focus();
    const outside = (event: Event) => {
      if (!(event.target instanceof Node && root.current?.contains(event.target))) close(false);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);

  const onButtonKey = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    setOpen(event.key === 'ArrowDown' ? 'first' : 'last');
  };

  const onMenuKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.preventDefault();
      return close(true);
    }
    if (event.key === 'Tab') return close(true);
    if (event.key === ' ') {
      event.preventDefault();
      (event.target as HTMLElement).click();
      return;
    }
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = menuItemForKey(
      event,
      at,
      all.map((item) => item.textContent ?? ''),
    );
    if (next === undefined) return;
    event.preventDefault();
    all[next]?.focus();
  };

  return (
    <span class="menu" ref={root} data-open={open !== 'no'}>
      <button
        ref={button}
        type="button"
        class="icon-button"
        aria-label={`More for ${machine.name}`}
        aria-haspopup="menu"
        aria-expanded={open !== 'no'}
        aria-controls={id}
        onClick={() => setOpen(open === 'no' ? 'first' : 'no')}
        onKeyDown={onButtonKey}
      >
        <MoreIcon />
      </button>
      {open === 'no' ? null : (
        <span id={id} class="menu-list" role="menu" aria-label={machine.name} onKeyDown={onMenuKey}>
          {entriesOf(machine).map(({ label, href, action, newWindow, icon }) =>
            action ? (
              <button
                key={label}
                type="button"
                role="menuitem"
                tabIndex={-1}
                onClick={() => {
                  close(true);
                  power(action);
                }}
              >
                {icon}
                {label}
              </button>
            ) : (
              <a
                key={label}
                role="menuitem"
                tabIndex={-1}
                href={href ?? ''}
                {...(newWindow ? { target: '_blank', rel: 'noopener' } : {})}
                onClick={() => close(false)}
              >
                {icon}
                {label}
              </a>
            ),
          )}
        </span>
      )}
    </span>
  );
}
