import { t } from '../language/t.ts';
import { Brand } from './brand.tsx';

export function UnreachablePage({ retry }: { readonly retry: () => void }) {
  return (
    <main class="message-page">
      <Brand />
      <div class="notice" role="alert">
        <h1>{t('unreachable.title')}</h1>
        <p>{t('unreachable.advice')}</p>
        <button type="button" class="button primary" onClick={retry}>
          {t('tryAgain')}
        </button>
      </div>
    </main>
  );
}
