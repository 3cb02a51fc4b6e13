import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../language/t.ts';

/** What a dialog asks before an action that can't be undone. */
export interface Confirmation {
  readonly title: string;
  readonly advice: string;
  readonly confirmLabel: string;
  readonly onConfirm: () => void;
}

interface ConfirmDialogProps {
  readonly confirmation: Confirmation;
  readonly onClose: () => void;
}

/** Asks before an action that can't be undone. The browser keeps the focus inside, and Escape cancels. */
export function ConfirmDialog({ confirmation, onClose }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      // Returns the focus unless the browser did when the dialog closed: the next key may have moved it already.
      const focused = document.activeElement;
      const lost = !focused || focused === document.body || shown?.contains(focused);
      if (before instanceof HTMLElement && lost) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{confirmation.title}</h2>
      <p>{confirmation.advice}</p>
      <div class="confirm-actions">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          {t('cancel')}
        </button>
        <button
          type="button"
          class="button danger"
          onClick={() => {
            confirmation.onConfirm();
            dialog.current?.close();
          }}
        >
          {confirmation.confirmLabel}
        </button>
      </div>
    </dialog>
  );
}
