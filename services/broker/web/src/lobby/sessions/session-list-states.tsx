import { noSessions } from '../../texts/sessions.ts';
import { ListSkeleton } from '../list-skeleton.tsx';

interface SessionListStateProps {
  readonly loaded: boolean;
  readonly failed: boolean;
  readonly total: number;
  readonly found: number;
  readonly clear: () => void;
  readonly reload: () => void;
}

/** Replaces the list of consoles when there is nothing to list. */
export function SessionListState({ loaded, failed, total, found, clear, reload }: SessionListStateProps) {
  if (!loaded && failed)
    return (
      <div class="notice" role="alert">
        <h2>The consoles could not be loaded</h2>
        <p>You may lack the permission, or Porthole is not responding. Porthole keeps trying.</p>
        <button type="button" class="button primary" onClick={reload}>
          Try again
        </button>
      </div>
    );
  if (!loaded) return <ListSkeleton />;
  if (total === 0)
    return (
      <div class="notice" data-empty>
        <h2>{noSessions}</h2>
        <p>Consoles appear here automatically when users open them.</p>
      </div>
    );
  if (found > 0) return null;
  return (
    <div class="notice">
      <h2>No matching consoles</h2>
      <p>The search covers users, machines, numbers, nodes and relays.</p>
      <button type="button" class="button" onClick={clear}>
        Show all
      </button>
    </div>
  );
}
