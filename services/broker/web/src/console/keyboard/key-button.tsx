interface KeyButtonProps {
  /** What the key cap shows. */
  readonly label: string;
  /** The name of the key, if the label is a symbol or an abbreviation. */
  readonly name: string;
  readonly onClick: () => void;
}

/** A key of the on-screen keys. Its accessible name contains what it shows, so that voice control finds it. */
export function KeyButton({ label, name, onClick }: KeyButtonProps) {
  const isWord = /^[a-z\d]+$/i.test(label);
  return (
    <button type="button" class="key" aria-label={isWord ? undefined : name} title={name} onClick={onClick}>
      {label}
    </button>
  );
}
