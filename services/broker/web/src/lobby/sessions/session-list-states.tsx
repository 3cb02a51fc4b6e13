import { Skeleton } from '../machines/machine-list-states.tsx';

interface SessionStatesProps {
  readonly loaded: boolean;
  readonly failed: boolean;
  readonly total: number;
  readonly found: number;
  readonly clear: () => void;
  readonly reload: () => void;
}

/** What is there instead of a list of consoles. */
export function SessionListState({ loaded, failed, total, found, clear, reload }: SessionStatesProps) {
  if (!loaded && failed)
    return (
      <div class="notice" role="alert">
        <h2>The consoles could not be loaded</h2>
        <p>You may not see these, or Porthole does not answer as it should. We keep trying.</p>
        <button type="button" class="button primary" onClick={reload}>
          Try again
        </button>
      </div>
    );
  if (!loaded) return <Skeleton />;
  if (total === 0)
    return (
      <div class="notice" data-empty>
        <h2>Nobody has a console open</h2>
        <p>As soon as somebody opens one, it shows up here by itself.</p>
      </div>
    );
  if (found > 0) return null;
  return (
    <div class="notice">
      <h2>Nothing matches</h2>
      <p>No console has that in its person, machine, number or node.</p>
      <button type="button" class="button" onClick={clear}>
        Show all
      </button>
    </div>
  );
}
