import { AlertIcon, CloseIcon } from '../../components/icons.tsx';
import { powerProgress } from '../../texts/power.ts';
import type { MachinePower } from './machine-power.ts';

/** The progress of a power action, or why it failed. */
export function PowerStatus({ power }: { readonly power: MachinePower }) {
  return (
    <>
      {power.pendingAction ? (
        <p class="hint" role="status">
          {powerProgress[power.pendingAction]}
        </p>
      ) : null}
      {power.error ? (
        <p class="power-error" role="alert">
          <AlertIcon /> {power.error}
          <button type="button" class="icon-button" aria-label="Close" onClick={power.dismissError}>
            <CloseIcon />
          </button>
        </p>
      ) : null}
    </>
  );
}
