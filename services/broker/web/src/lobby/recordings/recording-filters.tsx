import { t } from '../../language/t.ts';
import type { RecordingFilter } from '../../recording-types.ts';

const fields = [
  { name: 'user', label: 'recordings.user', type: 'search' },
  { name: 'machine', label: 'recordings.machine', type: 'search' },
  { name: 'class', label: 'recordings.class', type: 'search' },
  { name: 'from', label: 'recordings.from', type: 'date' },
  { name: 'to', label: 'recordings.to', type: 'date' },
] as const;

/** Searching reads from the storage, so it waits for the button or the Enter key. */
export function RecordingFilters({ set }: { readonly set: (filter: RecordingFilter) => void }) {
  return (
    <form
      class="recording-filters"
      role="search"
      aria-label={t('recordings')}
      onSubmit={(event) => {
        event.preventDefault();
        set(readFilter(new FormData(event.currentTarget)));
      }}
      onReset={() => set({})}
    >
      {fields.map(({ name, label, type }) => (
        <label key={name}>
          <span>{t(label)}</span>
          {type === 'date' ? (
            <input name={name} type="date" />
          ) : (
            <input name={name} type="search" maxlength={64} autocomplete="off" spellcheck={false} />
          )}
        </label>
      ))}
      <span class="recording-filter-buttons">
        <button type="submit" class="button primary">
          {t('recordings.search')}
        </button>
        <button type="reset" class="button quiet">
          {t('recordings.clear')}
        </button>
      </span>
    </form>
  );
}

/** Days are those of the browser's time zone. */
function readFilter(form: FormData): RecordingFilter {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const [from, to] = [text('from'), text('to')];
  const entries = {
    user: text('user'),
    machine: text('machine'),
    class: text('class'),
    from: from && new Date(`${from}T00:00:00`).toISOString(),
    to: to && new Date(`${to}T23:59:59.999`).toISOString(),
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== ''));
}
