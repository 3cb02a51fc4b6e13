import { t } from '../../language/t.ts';
import type { Problem } from '../../api.ts';
import { listMissingText } from '../../texts/machines.ts';
import { logoUrl } from '../brand.tsx';

export function EmptyList() {
  return (
    <div class="notice" data-empty>
      <img src={logoUrl} alt="" width={72} height={72} />
      <h2>{t('machines.none')}</h2>
      <p>{t('machines.noneAdvice')}</p>
    </div>
  );
}

export function NoMatch({ clear }: { readonly clear: () => void }) {
  return (
    <div class="notice">
      <h2>{t('machines.noMatch')}</h2>
      <p>{t('machines.noMatchAdvice')}</p>
      <button type="button" class="button" onClick={clear}>
        {t('showAll')}
      </button>
    </div>
  );
}

export function FailedList({ problem, retry }: { readonly problem: Problem; readonly retry: () => void }) {
  return (
    <div class="notice" role="alert">
      <h2>{t('machines.failed')}</h2>
      <p>{listMissingText(problem)}</p>
      <button type="button" class="button primary" onClick={retry}>
        {t('tryAgain')}
      </button>
    </div>
  );
}
