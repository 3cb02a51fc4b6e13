import { t } from '../../language/t.ts';
import { ListSkeleton } from '../list-skeleton.tsx';

interface SessionListStateProps {
  readonly loaded: boolean;
  readonly failed: boolean;
  readonly total: number;
  readonly found: number;
  readonly clear: () => void;
  readonly reload: () => void;
}

/** Replaces the list of consoles when there is nothing to list. */
export function SessionListState({ loaded, failed, total, found, clear, reload }: SessionListStateProps) {
  if (!loaded && failed)
    return (
      <div class="notice" role="alert">
        <h2>{t('sessions.failed')}</h2>
        <p>{t('sessions.failedAdvice')}</p>
        <button type="button" class="button primary" onClick={reload}>
          {t('tryAgain')}
        </button>
      </div>
    );
  if (!loaded) return <ListSkeleton />;
  if (total === 0)
    return (
      <div class="notice" data-empty>
        <h2>{t('sessions.none')}</h2>
        <p>{t('sessions.noneAdvice')}</p>
      </div>
    );
  if (found > 0) return null;
  return (
    <div class="notice">
      <h2>{t('sessions.noMatch')}</h2>
      <p>{t('sessions.noMatchAdvice')}</p>
      <button type="button" class="button" onClick={clear}>
        {t('showAll')}
      </button>
    </div>
  );
}
