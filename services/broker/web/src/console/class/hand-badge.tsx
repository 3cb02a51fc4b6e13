import { RaisedHandIcon } from '../../components/icons.tsx';
import { handText } from '../../texts/class.ts';
import type { Help } from './class-info.ts';

/** The place of the user's raised hand. Always there, so that screen readers announce changes. */
export function HandBadge({ help }: { readonly help: Help | undefined }) {
  return (
    <div class="hand" role="status" aria-live="polite">
      {help?.raised ? (
        <p class="hand-badge">
          <RaisedHandIcon /> {handText(help.position)}
        </p>
      ) : null}
    </div>
  );
}
