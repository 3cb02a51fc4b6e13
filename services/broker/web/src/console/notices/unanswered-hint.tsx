import { unansweredText } from '../../texts/console.ts';

/** Says that the terminal does not answer, although its connection is open. */
export function UnansweredHint() {
  return (
    <p class="hint" role="status">
      {unansweredText}
    </p>
  );
}
