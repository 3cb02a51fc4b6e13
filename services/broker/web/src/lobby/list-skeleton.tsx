/** Stands for a list that is being loaded. */
export function ListSkeleton() {
  return (
    <ul class="machines skeleton" aria-hidden="true" data-loading>
      {[0, 1, 2, 3, 4].map((row) => (
        <li key={row} class="machine">
          <span class="machine-icon" />
          <span class="machine-main">
            <span class="skeleton-text" />
            <span class="skeleton-text short" />
          </span>
        </li>
      ))}
    </ul>
  );
}
