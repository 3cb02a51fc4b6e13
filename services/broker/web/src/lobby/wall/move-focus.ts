import { arrowStep } from '../../language/arrow-step.ts';

/** Moves the focus between the pictures of seats: left and right to the next one, up and down by rows, Home and End. */
export function moveFocus(event: KeyboardEvent): void {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const current = event.currentTarget;
  if (!(current instanceof HTMLElement)) return;
  const pictures = [...document.querySelectorAll<HTMLElement>('button.seat-picture')];
  const target = targetOf(event.key, pictures, current);
  if (!target) return;
  event.preventDefault();
  target.focus();
}

function targetOf(
  key: string,
  pictures: readonly HTMLElement[],
  current: HTMLElement,
): HTMLElement | undefined {
  const index = pictures.indexOf(current);
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowRight':
      return pictures[index + (arrowStep(key) ?? 0)];
    case 'Home':
      return pictures[0];
    case 'End':
      return pictures.at(-1);
    case 'ArrowUp':
      return nearest(current, pictures.slice(0, Math.max(0, index)).toReversed());
    case 'ArrowDown':
      return nearest(current, pictures.slice(index + 1));
    default:
      return undefined;
  }
}

/** The first one of another row that is in the same column. `others` begin with the closest. */
function nearest(current: HTMLElement, others: readonly HTMLElement[]): HTMLElement | undefined {
  const { left, top } = current.getBoundingClientRect();
  const distance = (other: HTMLElement) => Math.abs(other.getBoundingClientRect().left - left);
  const rest = others.filter((other) => other.getBoundingClientRect().top !== top);
  const closest = Math.min(...rest.map(distance));
  return rest.find((other) => distance(other) === closest);
}
