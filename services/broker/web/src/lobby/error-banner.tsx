import { AlertIcon, CloseIcon } from '../components/icons.tsx';

/** What did not work, until somebody has read it. Its place is always there, so that screen readers speak of it. */
export function ErrorBanner({
  said,
  forget,
}: {
  readonly said: string | undefined;
  readonly forget: () => void;
}) {
  return (
    <div class="problems" role="alert">
      {said === undefined ? null : (
        <p>
          <AlertIcon />
          <span>{said}</span>
          <button type="button" class="icon-button" aria-label="Close" onClick={forget}>
            <CloseIcon />
          </button>
        </p>
      )}
    </div>
  );
}
