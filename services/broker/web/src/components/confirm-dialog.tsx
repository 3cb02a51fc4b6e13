import { useLayoutEffect, useRef } from 'preact/hooks';

export interface Confirmation {
  readonly title: string;
  readonly advice: string;
  /** What the button says that does it. */
  readonly confirmLabel: string;
  readonly onConfirm: () => void;
}

/** Asks before something that can't be taken back. The browser keeps the focus inside, and Escape says no. */
export function ConfirmDialog({
  question,
  done,
}: {
  readonly question: Confirmation;
  readonly done: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      // Whoever asked gets the focus back, unless the browser saw to that when the dialog closed: then the next key may
      // have led on already.
      const at = document.activeElement;
      if (before instanceof HTMLElement && (!at || at === document.body || shown?.contains(at)))
        before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" onClose={done}>
      <h2 id="confirm-title">{question.title}</h2>
      <p>{question.advice}</p>
      <div class="confirm-actions">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button
          type="button"
          class="button danger"
          onClick={() => {
            question.onConfirm();
            dialog.current?.close();
          }}
        >
          {question.confirmLabel}
        </button>
      </div>
    </dialog>
  );
}
