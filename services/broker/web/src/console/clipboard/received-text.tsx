import { useRef } from 'preact/hooks';

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
      setStatus('Copied.');
    } catch {
      // Browsers can refuse to write to the clipboard.
      field.current?.select();
      setStatus('Selected. Press Ctrl+C to copy.');
    }
  }

  return (
    <>
      <label for="incoming">From the machine</label>
      <textarea id="incoming" ref={field} rows={3} readOnly placeholder={placeholder} value={received} />
      <div class="actions">
        <button type="button" class="button" disabled={!received} onClick={() => void copy()}>
          Copy
        </button>
      </div>
    </>
  );
}
