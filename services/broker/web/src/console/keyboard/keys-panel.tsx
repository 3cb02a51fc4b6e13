import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t, type PlainKey } from '../../language/t.ts';
import { CloseIcon } from '../../components/icons.tsx';
import type { Screen } from '../display/screen.ts';
import { KeyButton } from './key-button.tsx';
import { HiddenTextField } from './hidden-text-field.tsx';
import { modifierKeys, namedKeys, type Modifier } from './keysyms.ts';
import { LayoutSelect, type LayoutChoice } from './layouts/layout-select.tsx';
import { layoutOnSystem, layoutTitle } from './layouts/layout-title.ts';
import { loadStrokes } from './layouts/load-strokes.ts';
import { missingCharacters, typeCharacter, typedText } from './text-entry.ts';
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
/** Names of keys whose labels are symbols. The others are named as on keyboards. */
const spokenNames: Readonly<Record<string, PlainKey>> = {
  ArrowLeft: 'keys.left',
  ArrowUp: 'keys.up',
  ArrowDown: 'keys.down',
  ArrowRight: 'keys.right',
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
  readonly layouts: LayoutChoice;
  readonly close: () => void;
}

/** Keys that phones and tablets lack, and the on-screen keyboard. */
export function KeysPanel({ screen, layouts, close }: KeysProps) {
  const modifiers = useModifiers(screen);
  const panel = useRef<HTMLElement>(null);
  const [missing, setMissing] = useState('');
  const { layout } = layouts;
  // Without its table, everything is missing.
  const strokes = useMemo(() => loadStrokes(layout).catch(() => new Map()), [layout]);
  useLayoutEffect(() => modifiers.release, []);

  /** Waits for the table, so that what the user types meanwhile keeps its order. */
  const type = async (deleted: number, text: string) => {
    const known = await strokes;
    const backspace = namedKeys['Backspace'];
    for (let count = 0; count < deleted; count += 1)
      if (backspace) screen.sendKey(backspace.keysym, backspace.code);
    for (const character of typedText(text)) typeCharacter(screen, known, character);
    modifiers.release();
    setMissing([...missingCharacters(text, known).keys()].join(' '));
  };

  const press = (name: string) => {
    const key = namedKeys[name];
    if (key) screen.sendKey(key.keysym, key.code);
    modifiers.release();
  };

  // A button that takes the focus from the field would close the on-screen keyboard.
  const keepFocus = (event: Event) => event.preventDefault();

  return (
    <section ref={panel} class="keys" role="group" aria-label={t('keys.label')}>
      <HiddenTextField press={press} onChange={(deleted, text) => void type(deleted, text)} />
      <div class="keys-layout" title={layoutOnSystem(layout)}>
        <span aria-hidden="true">{layout.id}</span>
        <LayoutSelect
          layout={layout}
          choose={(chosen) => {
            layouts.choose(chosen);
            panel.current?.querySelector('textarea')?.focus();
          }}
          label={t('typing.layout')}
        />
      </div>
      <p class="keys-note" role="status">
        {missing
          ? t('typing.missingCharacters', { layout: layoutTitle(layout.id), characters: missing })
          : ''}
      </p>
      <div class="keys-row" dir="ltr" onPointerDown={keepFocus} onMouseDown={keepFocus}>
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
          <KeyButton
            key={name}
            label={keyLabels[name] ?? name}
            name={spokenNames[name] ? t(spokenNames[name]) : name}
            onClick={() => press(name)}
          />
        ))}
      </div>
      <button type="button" class="tool keys-close" aria-label={t('keys.close')} onClick={close}>
        <CloseIcon />
      </button>
    </section>
  );
}
