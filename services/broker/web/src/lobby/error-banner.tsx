import { t } from '../language/t.ts';
import { AlertIcon, CloseIcon } from '../components/icons.tsx';

interface ErrorBannerProps {
  readonly error: string | undefined;
  readonly dismiss: () => void;
}

/** An error until the user dismisses it. The element is always there, so that screen readers announce its content. */
export function ErrorBanner({ error, dismiss }: ErrorBannerProps) {
  return (
    <div class="error-banner" role="alert">
      {error === undefined ? null : (
        <p>
          <AlertIcon />
          <span>{error}</span>
          <button type="button" class="icon-button" aria-label={t('close')} onClick={dismiss}>
            <CloseIcon />
          </button>
        </p>
      )}
    </div>
  );
}
