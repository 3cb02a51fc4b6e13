import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { SearchIcon } from '../components/icons.tsx';

interface SearchFieldProps {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly label: string;
  readonly placeholder: string;
  readonly hidden: boolean;
  readonly value: string;
  readonly set: (search: string) => void;
}

/** The search above a list. The key "/" focuses it from anywhere on the page. */
export function SearchField({ field, label, placeholder, hidden, value, set }: SearchFieldProps) {
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const takesText =
        event.target instanceof HTMLElement &&
        event.target.matches('input, textarea, [role=menuitem], dialog *');
      if (event.key !== '/' || takesText || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);

  return (
    <div class="search" hidden={hidden}>
      <SearchIcon />
      <input
        ref={field}
        type="search"
        aria-label={label}
        aria-keyshortcuts="/"
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') set('');
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}
