import type { Problem } from '../../api.ts';
import { listMissingText } from '../../texts.ts';
import { logoUrl } from '../brand.tsx';

export function Skeleton() {
  return (
    <ul class="machines skeleton" aria-hidden="true" data-loading>
      {[0, 1, 2, 3, 4].map((row) => (
        <li key={row} class="machine">
          <span class="machine-icon" />
          <span class="machine-main">
            <span class="bone" />
            <span class="bone short" />
          </span>
        </li>
      ))}
    </ul>
  );
}

export function EmptyList() {
  return (
    <div class="notice" data-empty>
      <img src={logoUrl} alt="" width={72} height={72} />
      <h2>No machines are assigned to you yet</h2>
      <p>
        As soon as somebody gives you one, it shows up here by itself. If you expected one, ask your
        instructor.
      </p>
    </div>
  );
}

export function NoMatch({ clear }: { readonly clear: () => void }) {
  return (
    <div class="notice">
      <h2>Nothing matches</h2>
      <p>No machine has that in its name, number, tags or pool.</p>
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
