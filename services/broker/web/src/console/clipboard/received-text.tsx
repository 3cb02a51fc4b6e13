import { useRef } from 'preact/hooks';
import { t } from '../../language/t.ts';

interface ReceivedTextProps {
  readonly received: string;
  readonly placeholder: string;
  readonly setStatus: (status: string) => void;
}

/** Text from the machine's clipboard, or the selection in its terminal. */
export function ReceivedText({ received, placeholder, setStatus }: ReceivedTextProps) {
  const field = useRef<HTMLTextAreaElement>(null);

  async function copy() {
    try {
      await navigator.clipboard.writeText(received);
      setStatus(t('clipboard.copied'));
    } catch {
      // Browsers can refuse to write to the clipboard.
      field.current?.select();
      setStatus(t('clipboard.selected'));
    }
  }

  return (
    <>
      <label for="incoming">{t('clipboard.fromMachine')}</label>
      <textarea id="incoming" ref={field} rows={3} readOnly placeholder={placeholder} value={received} />
      <div class="actions">
        <button type="button" class="button" disabled={!received} onClick={() => void copy()}>
          {t('clipboard.copy')}
        </button>
      </div>
    </>
  );
}
