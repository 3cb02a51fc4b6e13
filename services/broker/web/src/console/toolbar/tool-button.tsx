import type { ComponentChildren } from 'preact';

interface ToolButtonProps {
  readonly label: string;
  readonly hint?: string;
  readonly short?: string;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}

/** A toolbar button. `hint` is its tooltip, `short` its visible label. In a menu, `label` is visible. */
export function ToolButton({
  label,
  hint = label,
  short,
  pressed,
  expanded,
  onClick,
  children,
}: ToolButtonProps) {
  return (
    <button
      type="button"
      class="tool"
      aria-label={label}
      data-tip={hint}
      aria-pressed={pressed}
      aria-expanded={expanded}
      onClick={onClick}
    >
      {children}
      {short ? <span class="tool-text">{short}</span> : null}
      <span class="tool-name" aria-hidden="true">
        {label}
      </span>
    </button>
  );
}
