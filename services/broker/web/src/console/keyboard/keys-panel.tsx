import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { CloseIcon } from '../../components/icons.tsx';
import { modifierKeys, namedKeys, type Modifier } from './keysyms.ts';
import type { Screen } from '../display/screen.ts';
import { typeCharacter } from './text-entry.ts';

interface KeysProps {
  readonly screen: Screen;
  readonly close: () => void;
}

const labels: Readonly<Record<string, string>> = {
  Escape: 'Esc',
  ArrowLeft: '←',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowRight: '→',
  Delete: 'Del',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
};
const basic = [
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
];
const functionKeys = Array.from({ length: 12 }, (_, index) => `F${index + 1}`);

/** Something to delete: an empty field gives no event for Backspace. */
const padding = '_'.repeat(50);

/**
 * Keys for those who have none. The field is there to raise a phone's keyboard; what phones report about their
 * keys is worthless, so what happens to the text tells what was typed.
 */
export function KeysPanel({ screen, close }: KeysProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const last = useRef(padding);
  const [held, setHeld] = useState<ReadonlySet<Modifier>>(new Set());
  const holding = useRef(held);
  holding.current = held;

  const letGo = () => {
    for (const each of holding.current)
      screen.sendKey(modifierKeys[each].keysym, modifierKeys[each].code, false);
    setHeld(new Set());
  };
  useLayoutEffect(() => {
    field.current?.focus();
    return letGo;
  }, []);

  /** Text appears at the end, or the padding would count as typed. */
  const toTheEnd = (area: HTMLTextAreaElement) =>
    area.setSelectionRange(area.value.length, area.value.length);

  const press = (name: string) => {
    const key = namedKeys[name];
    if (key) screen.sendKey(key.keysym, key.code);
    letGo();
  };

  const toggle = (name: Modifier) => {
    const down = !held.has(name);
    screen.sendKey(modifierKeys[name].keysym, modifierKeys[name].code, down);
    const next = new Set(held);
    if (down) next.add(name);
    else next.delete(name);
    setHeld(next);
  };

  const onInput = (area: HTMLTextAreaElement) => {
    const now = area.value;
    let same = 0;
    while (same < now.length && now[same] === last.current[same]) same += 1;
    const gone = last.current.length - same;
    const back = namedKeys['Backspace'];
    for (let count = 0; count < gone; count += 1) if (back) screen.sendKey(back.keysym, back.code);
    for (const character of now.slice(same)) typeCharacter(screen, character);
    last.current = now;
    if (now.length < 10 || now.length > 500) {
      area.value = padding;
      last.current = padding;
      toTheEnd(area);
    }
    if (now.length !== same || gone > 0) letGo();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // A real keyboard: its special keys change no text. Escape goes to the machine; the panel has a button.
    if (event.key === 'Enter' || event.key === 'Backspace' || !namedKeys[event.key]) return;
    event.preventDefault();
    press(event.key);
  };

  // Buttons must not take the focus from the field, or the phone's keyboard would close at each of them.
  const stay = (event: Event) => event.preventDefault();

  return (
    <section class="keys" role="group" aria-label="Special keys">
      <textarea
        ref={field}
        class="keys-field"
        aria-label="Type here to type into the machine"
        autocapitalize="off"
        autocomplete="off"
        autocorrect="off"
        spellcheck={false}
        defaultValue={padding}
        onFocus={(event) => toTheEnd(event.currentTarget)}
        onInput={(event) => onInput(event.currentTarget)}
        onKeyDown={onKeyDown}
      />
      <div class="keys-row" onPointerDown={stay} onMouseDown={stay}>
        {(Object.keys(modifierKeys) as Modifier[]).map((name) => (
          <button
            key={name}
            type="button"
            class="key"
            aria-pressed={held.has(name)}
            onClick={() => toggle(name)}
          >
            {name}
          </button>
        ))}
        {[...basic, ...functionKeys].map((name) => (
          <button key={name} type="button" class="key" aria-label={name} onClick={() => press(name)}>
            {labels[name] ?? name}
          </button>
        ))}
      </div>
      <button type="button" class="tool keys-close" aria-label="Close the keyboard" onClick={close}>
        <CloseIcon />
      </button>
    </section>
  );
}
