import { useLayoutEffect } from 'preact/hooks';
import { CloseIcon } from '../../components/icons.tsx';
import type { Screen } from '../display/screen.ts';
import { KeyButton } from './key-button.tsx';
import { HiddenTextField } from './hidden-text-field.tsx';
import { modifierKeys, namedKeys, type Modifier } from './keysyms.ts';
import { useModifiers } from './use-modifiers.ts';

const keyLabels: Readonly<Record<string, string>> = {
  Escape: 'Esc',
  ArrowLeft: '←',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowRight: '→',
  Delete: 'Del',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
};
const keyNames = [
  'Escape',
  'Tab',
  'ArrowLeft',
  'ArrowUp',
  'ArrowDown',
  'ArrowRight',
  'Enter',
  'Delete',
  'Home',
  'End',
  'PageUp',
  'PageDown',
  ...Array.from({ length: 12 }, (_, index) => `F${index + 1}`),
];

interface KeysProps {
  readonly screen: Screen;
  readonly close: () => void;
}

/** Keys that phones and tablets lack, and the on-screen keyboard. */
export function KeysPanel({ screen, close }: KeysProps) {
  const modifiers = useModifiers(screen);
  useLayoutEffect(() => modifiers.release, []);

  const press = (name: string) => {
    const key = namedKeys[name];
    if (key) screen.sendKey(key.keysym, key.code);
    modifiers.release();
  };

  // A button that takes the focus from the field would close the on-screen keyboard.
  const keepFocus = (event: Event) => event.preventDefault();

  return (
    <section class="keys" role="group" aria-label="Special keys">
      <HiddenTextField screen={screen} press={press} onTyped={modifiers.release} />
      <div class="keys-row" onPointerDown={keepFocus} onMouseDown={keepFocus}>
        {(Object.keys(modifierKeys) as Modifier[]).map((name) => (
          <button
            key={name}
            type="button"
            class="key"
            aria-pressed={modifiers.held.has(name)}
            onClick={() => modifiers.toggle(name)}
          >
            {name}
          </button>
        ))}
        {keyNames.map((name) => (
          <KeyButton key={name} label={keyLabels[name] ?? name} name={name} onClick={() => press(name)} />
        ))}
      </div>
      <button type="button" class="tool keys-close" aria-label="Close the keyboard" onClick={close}>
        <CloseIcon />
      </button>
    </section>
  );
}
