import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { MoreIcon } from '../../components/icons.tsx';
import { ToolButton } from './tool-button.tsx';

/**
 * The tools that are used less often. They stand beside the others on wide screens, and in a menu with their names on
 * narrow ones, where all of them would leave no room for the machine's name (toolbar.css).
 */
export function MoreTools({ children }: { readonly children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);

  // Before the next tap, which may close the menu.
  useLayoutEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>('.more-tools button')?.focus();
    const onOutside = (event: Event) => {
      if (!(event.target instanceof Node && root.current?.contains(event.target))) setOpen(false);
    };
    // Captured, because the screen keeps what it handles.
    document.addEventListener('pointerdown', onOutside, true);
    document.addEventListener('focusin', onOutside);
    return () => {
      document.removeEventListener('pointerdown', onOutside, true);
      document.removeEventListener('focusin', onOutside);
    };
  }, [open]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !open) return;
    // Closes the menu, not the toolbar.
    event.stopPropagation();
    setOpen(false);
    root.current?.querySelector('button')?.focus();
  };

  return (
    <div ref={root} class="more" onKeyDown={onKeyDown}>
      <ToolButton label={t('tools.more')} expanded={open} onClick={() => setOpen(!open)}>
        <MoreIcon />
      </ToolButton>
      <div class="more-tools" data-open={open} onClick={() => setOpen(false)}>
        {children}
      </div>
    </div>
  );
}
