import { t } from '../../language/t.ts';
import { AlertIcon, CloseIcon } from '../../components/icons.tsx';
import type { MachinePower } from './machine-power.ts';

/** The progress of a power action, or why it failed. */
export function PowerStatus({ power }: { readonly power: MachinePower }) {
  return (
    <>
      {power.pendingAction ? (
        <p class="hint" role="status">
          {t(`power.${power.pendingAction}Busy`)}
        </p>
      ) : null}
      {power.error ? (
        <p class="power-error" role="alert">
          <AlertIcon /> {power.error}
          <button type="button" class="icon-button" aria-label={t('close')} onClick={power.dismissError}>
            <CloseIcon />
          </button>
        </p>
      ) : null}
    </>
  );
}
