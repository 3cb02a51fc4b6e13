import type { Problem } from '../../api.ts';
import { listMissingText } from '../../texts/machines.ts';
import { logoUrl } from '../brand.tsx';

export function EmptyList() {
  return (
    <div class="notice" data-empty>
      <img src={logoUrl} alt="" width={72} height={72} />
      <h2>No machines are assigned to you yet</h2>
      <p>New machines appear here automatically. If you expect one, ask your instructor.</p>
    </div>
  );
}

export function NoMatch({ clear }: { readonly clear: () => void }) {
  return (
    <div class="notice">
      <h2>No matching machines</h2>
      <p>The search covers names, numbers, tags and pools.</p>
      <button type="button" class="button" onClick={clear}>
        Show all
      </button>
    </div>
  );
}

export function FailedList({ problem, retry }: { readonly problem: Problem; readonly retry: () => void }) {
  return (
    <div class="notice" role="alert">
      <h2>Your machines could not be loaded</h2>
      <p>{listMissingText(problem)}</p>
      <button type="button" class="button primary" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
