import {
  layoutKey,
  layoutLanguages,
  parseLayoutKey,
  systems,
  type GuestLayout,
  type LayoutId,
  type System,
} from './layout-list.ts';
import { layoutOnSystem } from './layout-title.ts';

/** The layout of the machine's keyboard, and how the user chooses it. */
export interface LayoutChoice {
  readonly layout: GuestLayout;
  readonly choose: (layout: GuestLayout) => void;
}

interface LayoutSelectProps extends LayoutChoice {
  readonly id?: string;
  readonly label?: string;
  readonly disabled?: boolean;
}

export function LayoutSelect({ layout, choose, id, label, disabled }: LayoutSelectProps) {
  return (
    <select
      id={id}
      aria-label={label}
      disabled={disabled}
      value={layoutKey(layout)}
      onChange={(event) => {
        const chosen = parseLayoutKey(event.currentTarget.value);
        if (chosen) choose(chosen);
      }}
    >
      {(Object.keys(systems) as System[]).map((system) => (
        <optgroup key={system} label={systems[system]}>
          {(Object.keys(layoutLanguages) as LayoutId[]).map((each) => (
            <option key={each} value={layoutKey({ id: each, system })}>
              {layoutOnSystem({ id: each, system })}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}
