import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { Machine, PowerAction } from '../../api.ts';
import { MoreIcon } from '../../components/icons.tsx';
import { menuEntriesOf, type MenuEntry } from './menu-entries.tsx';
import { menuItemForKey } from './menu-keys.ts';

interface MachineMenuProps {
  readonly machine: Machine;
  readonly onPowerAction: (action: PowerAction) => void;
}

/** A menu button as in the ARIA Authoring Practices: arrow keys, Home, End, first letters, Escape and Tab. */
export function MachineMenu({ machine, onPowerAction }: MachineMenuProps) {
  /** Open with the focus on the first or the last item. */
  const [open, setOpen] = useState<'first' | 'last' | undefined>(undefined);
  const root = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = `menu-${machine.cluster}-${machine.vmid}`;
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];

  const close = (refocus: boolean) => {
    setOpen(undefined);
    if (refocus) button.current?.focus();
  };

  // A layout effect, because the next key can come before the next frame.
  useLayoutEffect(() => {
    if (!open) return;
    items()
      .at(open === 'first' ? 0 : -1)
      ?.focus();
    return onOutside(root.current, () => close(false));
  }, [open]);

  const onButtonKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    setOpen(event.key === 'ArrowDown' ? 'first' : 'last');
  };

  return (
    <span class="menu" ref={root} data-open={open !== undefined}>
      <button
        ref={button}
        type="button"
        class="icon-button"
        aria-label={t('machine.more', { name: machine.name })}
        aria-haspopup="menu"
        aria-expanded={open !== undefined}
        aria-controls={id}
        onClick={() => setOpen(open ? undefined : 'first')}
        onKeyDown={onButtonKeyDown}
      >
        <MoreIcon />
      </button>
      {open ? (
        <span
          id={id}
          class="menu-list"
          role="menu"
          aria-label={machine.name}
          onKeyDown={(event) => onMenuKeyDown(event, items(), () => close(true))}
        >
          {menuEntriesOf(machine).map((entry) => (
            <MenuItem key={entry.label} entry={entry} close={close} onPowerAction={onPowerAction} />
          ))}
        </span>
      ) : null}
    </span>
  );
}

function onMenuKeyDown(event: KeyboardEvent, items: readonly HTMLElement[], close: () => void): void {
  if (event.key === 'Tab') return close();
  if (event.key === 'Escape') {
    event.preventDefault();
    return close();
  }
  if (event.key === ' ') {
    event.preventDefault();
    (event.target as HTMLElement).click();
    return;
  }
  const current = items.indexOf(document.activeElement as HTMLElement);
  const labels = items.map((item) => item.textContent ?? '');
  const next = menuItemForKey(event, current, labels);
  if (next === undefined) return;
  event.preventDefault();
  items[next]?.focus();
}

interface MenuItemProps extends Pick<MachineMenuProps, 'onPowerAction'> {
  readonly entry: MenuEntry;
  readonly close: (refocus: boolean) => void;
}

function MenuItem({ entry, close, onPowerAction }: MenuItemProps) {
  const { label, icon } = entry;
  if (entry.action) {
    const onClick = () => {
      close(true);
      onPowerAction(entry.action);
    };
    return (
      <button type="button" role="menuitem" tabIndex={-1} onClick={onClick}>
        {icon}
        {label}
      </button>
    );
  }
  return (
    <a
      role="menuitem"
      tabIndex={-1}
      href={entry.href}
      {...(entry.newWindow ? { target: '_blank', rel: 'noopener' } : {})}
      onClick={() => close(false)}
    >
      {icon}
      {label}
    </a>
  );
}

/** Calls `listener` when the pointer or the focus goes to another part of the page. */
function onOutside(root: HTMLElement | null, listener: () => void): () => void {
  const onEvent = (event: Event) => {
    if (!(event.target instanceof Node && root?.contains(event.target))) listener();
  };
  document.addEventListener('pointerdown', onEvent);
  document.addEventListener('focusin', onEvent);
  return () => {
    document.removeEventListener('pointerdown', onEvent);
    document.removeEventListener('focusin', onEvent);
  };
}
