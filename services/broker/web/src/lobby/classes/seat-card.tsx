import { aroundElement, elementMark } from '../../language/around-element.tsx';
import { t } from '../../language/t.ts';
import type { ClassDetails, Seat } from '../../class-types.ts';
import { RaisedHandIcon } from '../../components/icons.tsx';
import { memberName, seatName } from '../../texts/class-page.ts';
import { SeatPicture } from '../wall/seat-picture.tsx';
import { seatKey } from './sort-seats.ts';
import type { Wall } from '../wall/wall.ts';
import { elapsedText } from '../../texts/sessions.ts';

interface SeatCardProps {
  readonly seat: Seat;
  readonly may: ClassDetails['may'];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly marked: boolean;
  readonly mark: (marked: boolean) => void;
  /** Writes a message to this seat's member only. */
  readonly write: () => void;
  /** Opens the large view. */
  readonly look: () => void;
  /** The member has been helped. */
  readonly done: () => void;
  /** Whether this machine is shown to the class. */
  readonly isShown: boolean;
  /** Shows it to the class, or stops that. */
  readonly show: (shown: boolean) => void;
  readonly wall: Wall;
  /** Whether Tab reaches the picture. */
  readonly tabbable: boolean;
  readonly onPictureFocus: () => void;
}

export function SeatCard(props: SeatCardProps) {
  const { seat, may, now, marked, mark, wall, tabbable, onPictureFocus, look } = props;
  const { machine, member, state, help, control } = seat;
  const name = seatName(seat);
  const hasMember = member?.id !== undefined;
  return (
    <li class="seat" data-state={state} data-help={help !== undefined} data-seat={seatKey(seat)}>
      <div class="seat-head">
        {may.includes('message') ? (
          <input
            type="checkbox"
            class="seat-mark"
            aria-label={t('seat.mark', { name })}
            checked={marked}
            disabled={!hasMember}
            onChange={(event) => mark(event.currentTarget.checked)}
          />
        ) : null}
        <span class="seat-names">
          <span class="seat-name">{name}</span>
          {member ? <span class="seat-machine">{machine.name}</span> : null}
        </span>
        <span class="seat-state" data-state={state}>
          {t(`seat.${state}`)}
        </span>
      </div>
      <SeatPicture
        seat={seat}
        wall={wall}
        name={name}
        tabbable={tabbable}
        onFocus={onPictureFocus}
        look={look}
      />
      {control ? (
        <p class="seat-control">
          {control.mine ? t('seat.haveControl') : t('seat.hasControl', { name: memberName(control.user) })}
        </p>
      ) : null}
      {help ? (
        <p class="seat-help">
          <RaisedHandIcon />
          <span>
            {aroundElement(
              t('joined', { first: elementMark, second: elapsedText(help.since, now) }),
              <strong>{t('seat.asksForHelp')}</strong>,
            )}
            {help.text ? <span class="class-quote">{help.text}</span> : null}
          </span>
        </p>
      ) : null}
      <SeatActions {...props} name={name} hasMember={hasMember} />
    </li>
  );
}

interface SeatActionsProps extends Pick<
  SeatCardProps,
  'seat' | 'may' | 'write' | 'done' | 'isShown' | 'show'
> {
  readonly name: string;
  readonly hasMember: boolean;
}

function SeatActions({ seat, may, name, hasMember, write, done, isShown, show }: SeatActionsProps) {
  const { state, help } = seat;
  return (
    <div class="seat-actions">
      {help && may.includes('lower') ? (
        <button type="button" class="button" aria-label={t('seat.doneWith', { name })} onClick={done}>
          {t('seat.done')}
        </button>
      ) : null}
      {may.includes('show') && (isShown || state !== 'off') ? (
        <button
          type="button"
          class="button"
          aria-label={t(isShown ? 'seat.stopShowingLong' : 'seat.showLong', { name })}
          onClick={() => show(!isShown)}
        >
          {t(isShown ? 'class.stopShowing' : 'seat.show')}
        </button>
      ) : null}
      {hasMember && may.includes('message') ? (
        <button type="button" class="button" aria-label={t('seat.messageTo', { name })} onClick={write}>
          {t('class.message')}
        </button>
      ) : null}
    </div>
  );
}
