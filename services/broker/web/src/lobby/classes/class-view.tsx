import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { ClassDetails, Seat } from '../../class-types.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { endClassConfirmation } from '../../texts/class-page.ts';
import { ErrorBanner } from '../error-banner.tsx';
import { BeginAndEnd } from './begin-and-end.tsx';
import { LargeView } from './large-view.tsx';
import { MessageForm } from './message-form.tsx';
import { PauseForm } from './pause-form.tsx';
import { ShownPanel } from './shown-panel.tsx';
import { SeatCard } from './seat-card.tsx';
import { seatKey, sortSeats } from './sort-seats.ts';
import { useWall } from '../wall/use-wall.ts';
import type { Wall } from '../wall/wall.ts';
import { useClassActions } from './use-class-actions.ts';

const endNoticeSeconds = 60;

/** One class: what its instructor does, and its seats. */
export function ClassView({
  details,
  reload,
}: {
  readonly details: ClassDetails;
  readonly reload: () => void;
}) {
  const actions = useClassActions(details.name, reload);
  const [markedKeys, setMarkedKeys] = useState<ReadonlySet<string>>(new Set());
  const [shownKey, setShownKey] = useState<string | undefined>(undefined);
  const [asksToEnd, setAsksToEnd] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const seats = useMemo(() => sortSeats(details.seats), [details]);
  // A member who has left can't be sent a message.
  const marked = seats.filter((seat) => seat.member?.id !== undefined && markedKeys.has(seatKey(seat)));
  const { may } = details;
  const running = seats.filter(({ state }) => state !== 'off');
  const shown = seats.find((seat) => seatKey(seat) === shownKey);
  const wall = useWall(details.name, reload);
  const open = seats.filter(({ state }) => state === 'open').length;

  function mark(seat: Seat, isMarked: boolean) {
    const next = new Set(markedKeys);
    if (isMarked) next.add(seatKey(seat));
    else next.delete(seatKey(seat));
    setMarkedKeys(next);
  }

  function write(seat: Seat) {
    setMarkedKeys(new Set([seatKey(seat)]));
    field.current?.focus();
  }

  return (
    <>
      <ShownPanel {...actions} details={details} />
      <div class="class-panels">
        {may.includes('pause') ? <PauseForm {...actions} paused={details.paused} /> : null}
        {may.includes('message') ? (
          <MessageForm
            {...actions}
            field={field}
            marked={marked}
            unmarkAll={() => setMarkedKeys(new Set())}
          />
        ) : null}
        <BeginAndEnd {...actions} details={details} askToEnd={() => setAsksToEnd(true)} />
      </div>
      <Seats
        wall={wall}
        seats={seats}
        may={may}
        markedKeys={markedKeys}
        mark={mark}
        write={write}
        look={(seat) => setShownKey(seatKey(seat))}
        isShown={({ machine }) =>
          machine.cluster === details.shown?.cluster && machine.vmid === details.shown.vmid
        }
        show={({ machine: { cluster, vmid } }, shown) =>
          void actions.act(shown ? { action: 'show', cluster, vmid } : { action: 'stop_showing' })
        }
        done={(seat) => {
          const id = seat.member?.id;
          if (id !== undefined) void actions.act({ action: 'lower', users: [id] });
        }}
      />
      {shown ? (
        <LargeView
          seat={shown}
          seats={running}
          mayTakeControl={may.includes('pause')}
          write={
            may.includes('message')
              ? (seat) => {
                  // A dialog keeps the focus while it is open.
                  document.querySelector<HTMLDialogElement>('dialog.large-view')?.close();
                  setShownKey(undefined);
                  write(seat);
                }
              : undefined
          }
          select={(seat) => setShownKey(seatKey(seat))}
          onClose={() => {
            setShownKey(undefined);
            returnFocusTo(shown);
          }}
        />
      ) : null}
      <ErrorBanner error={actions.error} dismiss={actions.dismissError} />
      {asksToEnd ? (
        <ConfirmDialog
          confirmation={{
            ...endClassConfirmation(details.title, open),
            onConfirm: () => void actions.act({ action: 'end', seconds: endNoticeSeconds }),
          }}
          onClose={() => setAsksToEnd(false)}
        />
      ) : null}
    </>
  );
}

/** The browser returns the focus to the seat where the large view was opened, which can be another one. */
function returnFocusTo(seat: Seat): void {
  const focused = document.activeElement;
  if (focused && focused !== document.body && !focused.matches('.seat-picture')) return;
  document.querySelector<HTMLElement>(`[data-seat="${CSS.escape(seatKey(seat))}"] .seat-picture`)?.focus();
}

interface SeatsProps {
  readonly wall: Wall;
  readonly seats: readonly Seat[];
  readonly may: ClassDetails['may'];
  readonly markedKeys: ReadonlySet<string>;
  readonly mark: (seat: Seat, marked: boolean) => void;
  readonly write: (seat: Seat) => void;
  readonly look: (seat: Seat) => void;
  readonly done: (seat: Seat) => void;
  readonly isShown: (seat: Seat) => boolean;
  readonly show: (seat: Seat, shown: boolean) => void;
}

function Seats(props: SeatsProps) {
  const { wall, seats, may, markedKeys, mark, write, look, done, isShown, show } = props;
  const now = useNow();
  const [focusedKey, setFocusedKey] = useState<string | undefined>(undefined);
  const running = seats.filter(({ state }) => state !== 'off');
  const tabbable = running.find((seat) => seatKey(seat) === focusedKey) ?? running[0];
  if (seats.length === 0)
    return (
      <div class="notice">
        <h2>{t('class.noMachines')}</h2>
        <p>{t('class.noMachinesAdvice')}</p>
      </div>
    );
  return (
    <ul class="seats" aria-label={t('class.seats')}>
      {seats.map((seat) => (
        <SeatCard
          key={seatKey(seat)}
          seat={seat}
          may={may}
          now={now}
          marked={markedKeys.has(seatKey(seat)) && seat.member?.id !== undefined}
          mark={(isMarked) => mark(seat, isMarked)}
          write={() => write(seat)}
          look={() => look(seat)}
          done={() => done(seat)}
          isShown={isShown(seat)}
          show={(shown) => show(seat, shown)}
          wall={wall}
          tabbable={seat === tabbable}
          onPictureFocus={() => setFocusedKey(seatKey(seat))}
        />
      ))}
    </ul>
  );
}

const clockIntervalMs = 15_000;

/** The time, often enough for durations in minutes. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), clockIntervalMs);
    return () => clearInterval(timer);
  }, []);
  return now;
}
