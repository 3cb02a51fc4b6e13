import type { ClassDetails, Seat } from '../../class-types.ts';
import { RaisedHandIcon } from '../../components/icons.tsx';
import { memberName, seatName, seatStates } from '../../texts/class-page.ts';
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
            aria-label={`Mark ${name}`}
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
          {seatStates[state]}
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
          {control.mine ? 'You have control' : `${memberName(control.user)} has control`}
        </p>
      ) : null}
      {help ? (
        <p class="seat-help">
          <RaisedHandIcon />
          <span>
            <strong>Asks for help</strong>, {elapsedText(help.since, now)}
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
        <button type="button" class="button" aria-label={`Done with ${name}`} onClick={done}>
          Done
        </button>
      ) : null}
      {may.includes('show') && (isShown || state !== 'off') ? (
        <button
          type="button"
          class="button"
          aria-label={isShown ? `Stop showing ${name}` : `Show to class: ${name}`}
          onClick={() => show(!isShown)}
        >
          {isShown ? 'Stop showing' : 'Show to class'}
        </button>
      ) : null}
      {hasMember && may.includes('message') ? (
        <button type="button" class="button" aria-label={`Message to ${name}`} onClick={write}>
          Message
        </button>
      ) : null}
    </div>
  );
}
