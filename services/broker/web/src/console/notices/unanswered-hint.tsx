import { t } from '../../language/t.ts';

/** Says that the terminal does not answer, although its connection is open. */
export function UnansweredHint() {
  return (
    <p class="hint" role="status">
      {t('console.unanswered')}
    </p>
  );
}
