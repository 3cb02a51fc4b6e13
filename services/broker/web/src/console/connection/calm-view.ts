import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { View } from './view.ts';

/** A console that continues elsewhere is usually back within this time. */
const calmMs = 1000;

const calmStates: ReadonlySet<View['state']> = new Set([
  'requesting',
  'connecting',
  'queued',
  'opening',
  'awaiting-frame',
]);

/**
 * Passes views on to `show`, but keeps that of the open console during the first moment of a brief interruption: the
 * toolbar would appear over the picture and go again, and screen readers would say so.
 */
export function createCalmView(clock: Clock, show: (view: View) => void): (view: View) => void {
  let open: View | undefined;
  let newest: View | undefined;
  let cancel: Cancel | undefined;

  function passOn(view: View): void {
    cancel?.();
    cancel = undefined;
    open = view.state === 'open' ? view : undefined;
    show(view);
  }

  return (view) => {
    newest = view;
    if (!open || view.interruption !== 'brief' || !calmStates.has(view.state)) return passOn(view);
    cancel ??= clock.after(calmMs, () => {
      if (newest) passOn(newest);
    });
  };
}
