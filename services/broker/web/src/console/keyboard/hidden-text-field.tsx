import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { namedKeys } from './keysyms.ts';

/** Text to delete: browsers report no Backspace in an empty field. */
const padding = '_'.repeat(50);
/** Outside these lengths, the field starts with fresh padding. */
const minLength = 10;
const maxLength = 500;

interface HiddenTextFieldProps {
  /** Presses a key by its `KeyboardEvent.key`. */
  readonly press: (name: string) => void;
  /** The user has deleted so many characters and typed this text. */
  readonly onChange: (deleted: number, typed: string) => void;
}

/**
 * Opens the on-screen keyboard. On-screen keyboards report few keys, so the changes of the field's text tell what was
 * typed.
 */
export function HiddenTextField({ press, onChange }: HiddenTextFieldProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const before = useRef(padding);
  useLayoutEffect(() => field.current?.focus(), []);

  /** Typed text must be at the end, behind the padding. */
  const moveCursorToEnd = (area: HTMLTextAreaElement) =>
    area.setSelectionRange(area.value.length, area.value.length);

  const onInput = (area: HTMLTextAreaElement) => {
    const text = area.value;
    let same = 0;
    while (same < text.length && text[same] === before.current[same]) same += 1;
    const deleted = before.current.length - same;
    before.current = text;
    if (text.length < minLength || text.length > maxLength) {
      area.value = padding;
      before.current = padding;
      moveCursorToEnd(area);
    }
    if (text.length !== same || deleted > 0) onChange(deleted, text.slice(same));
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // Special keys of a real keyboard do not change the text. Escape goes to the machine too.
    if (event.key === 'Enter' || event.key === 'Backspace' || !namedKeys[event.key]) return;
    event.preventDefault();
    press(event.key);
  };

  return (
    <textarea
      ref={field}
      class="keys-field"
      aria-label={t('keys.text')}
      autocapitalize="off"
      autocomplete="off"
      autocorrect="off"
      spellcheck={false}
      defaultValue={padding}
      onFocus={(event) => moveCursorToEnd(event.currentTarget)}
      onInput={(event) => onInput(event.currentTarget)}
      onKeyDown={onKeyDown}
    />
  );
}
