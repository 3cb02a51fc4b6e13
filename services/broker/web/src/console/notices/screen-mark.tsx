import { t } from '../../language/t.ts';
import type { View } from '../connection/view.ts';

/** Says that the picture is an old one, because the relay is opening the console of the machine again. */
export function ScreenMark({ view }: { readonly view: View }) {
  return (
    <div class="screen-mark" role="status">
      {isOutdated(view) ? <p class="hint">{t('console.screenReconnecting')}</p> : null}
    </div>
  );
}

/** Whether the page shows the last picture of a console that was lost. */
export function isOutdated({ state, sessionInfo }: View): boolean {
  return state === 'open' && sessionInfo.reconnecting;
}
