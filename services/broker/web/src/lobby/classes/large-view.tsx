import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { arrowStep } from '../../language/arrow-step.ts';
import { t } from '../../language/t.ts';
import type { Seat } from '../../class-types.ts';
import { CloseIcon } from '../../components/icons.tsx';
import { seatName } from '../../texts/class-page.ts';
import { SeatScreen } from './seat-screen.tsx';
import { seatKey } from './sort-seats.ts';

interface LargeViewProps {
  readonly seat: Seat;
  /** The seats whose machines run, in the order of the page. */
  readonly seats: readonly Seat[];
  readonly mayTakeControl: boolean;
  /** Writes a message to the member of the seat, on the page. Undefined: the user may not. */
  readonly write: ((seat: Seat) => void) | undefined;
  readonly select: (seat: Seat) => void;
  readonly onClose: () => void;
}

/** One seat at a time over the class page. Arrow keys go on to the next seat, and Escape returns to the page. */
export function LargeView({ seat, seats, mayTakeControl, write, select, onClose }: LargeViewProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [hasControl, setHasControl] = useState(false);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const name = seatName(seat);
  const at = seats.findIndex((each) => seatKey(each) === seatKey(seat));

  function go(by: 1 | -1) {
    const next = seats[(at + by + seats.length) % seats.length];
    if (next && seats.length > 1) select(next);
  }

  return (
    <dialog
      ref={dialog}
      class="large-view"
      aria-labelledby="large-view-title"
      onClose={onClose}
      onCancel={(event) => {
        // The key is for the machine.
        if (hasControl) event.preventDefault();
      }}
      onKeyDown={(event) => {
        if (hasControl || event.altKey || event.ctrlKey || event.metaKey) return;
        const step = arrowStep(event.key);
        if (step === undefined) return;
        go(step);
        event.preventDefault();
      }}
    >
      <header class="large-view-head">
        <h2 id="large-view-title" aria-live="polite">
          {name}
          {name === seat.machine.name ? null : <span class="seat-machine"> {seat.machine.name}</span>}
        </h2>
        <div class="large-view-nav">
          <button type="button" class="button" disabled={seats.length < 2} onClick={() => go(-1)}>
            {t('seat.previous')}
          </button>
          <button type="button" class="button" disabled={seats.length < 2} onClick={() => go(1)}>
            {t('seat.next')}
          </button>
          <button
            type="button"
            class="icon-button"
            autofocus
            aria-label={t('close')}
            onClick={() => dialog.current?.close()}
          >
            <CloseIcon />
          </button>
        </div>
      </header>
      <SeatScreen
        key={seatKey(seat)}
        seat={seat}
        name={name}
        mayTakeControl={mayTakeControl}
        write={write && seat.member?.id !== undefined ? () => write(seat) : undefined}
        onControl={setHasControl}
      />
    </dialog>
  );
}
