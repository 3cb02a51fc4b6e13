import { t } from '../../language/t.ts';
import type { SessionList } from '../../api.ts';

interface ClassFilterProps {
  readonly classes: SessionList['classes'];
  /** Undefined: all consoles. */
  readonly selected: string | undefined;
  readonly select: (name: string | undefined) => void;
  /** Ends all consoles of the selected class; undefined if there are none to end. */
  readonly endAll: (() => void) | undefined;
}

export function ClassFilter({ classes, selected, select, endAll }: ClassFilterProps) {
  const title = classes.find(({ name }) => name === selected)?.title;
  return (
    <div class="class-filter">
      <div role="group" aria-label={t('sessions.which')}>
        {[{ name: undefined, title: t('sessions.all') }, ...classes].map((each) => (
          <button
            key={each.name ?? ''}
            type="button"
            class="class-button"
            aria-pressed={each.name === selected}
            onClick={() => select(each.name)}
          >
            {each.title}
          </button>
        ))}
      </div>
      {title !== undefined && endAll ? (
        <button type="button" class="button quiet bad" onClick={endAll}>
          {t('sessions.endAllOf', { title })}
        </button>
      ) : null}
    </div>
  );
}
