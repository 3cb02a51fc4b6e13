import type { SeatState } from '@porthole/shared/protocol/wall-messages';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { Seat } from '../../class-types.ts';
import { pictureLabel, pictureText } from '../../texts/wall.ts';
import { seatKey } from '../classes/sort-seats.ts';
import { moveFocus } from './move-focus.ts';
import type { Wall } from './wall.ts';

interface SeatPictureProps {
  readonly seat: Seat;
  readonly wall: Wall;
  /** The member, or the machine. */
  readonly name: string;
  /** Whether Tab reaches it. The arrow keys reach the others. */
  readonly tabbable: boolean;
  readonly onFocus: () => void;
  /** Opens the large view. */
  readonly look: () => void;
}

/** The small picture of a seat, which opens the large view. It is drawn without the page being rendered, so that scrolling stays smooth. */
export function SeatPicture({ seat, wall, name, tabbable, onFocus, look }: SeatPictureProps) {
  const button = useRef<HTMLButtonElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [state, setState] = useState<SeatState | undefined>(undefined);
  const [hasPicture, setHasPicture] = useState(false);
  const key = seatKey(seat);
  const isOn = seat.state !== 'off';
  const hasWall = isOn && seat.machine.type === 'qemu';

  useEffect(() => {
    const element = button.current;
    if (!hasWall || !element) return undefined;
    const remove = wall.add(key, {
      draw(picture) {
        const target = canvas.current;
        if (!target) return;
        if (target.width !== picture.width) target.width = picture.width;
        if (target.height !== picture.height) target.height = picture.height;
        target.getContext('2d')?.drawImage(picture, 0, 0);
        setHasPicture(true);
      },
      setState,
    });
    const observer = new IntersectionObserver(
      (entries) => wall.setVisible(key, entries.at(-1)?.isIntersecting === true),
      { rootMargin: '160px' },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      remove();
      setState(undefined);
      setHasPicture(false);
    };
  }, [wall, key, hasWall]);

  const text = pictureText(seat, state, hasPicture);
  if (!isOn) return <div class="seat-picture">{text ? <span>{text}</span> : null}</div>;
  return (
    <button
      ref={button}
      type="button"
      class="seat-picture"
      data-picture={hasPicture ? (state ?? 'opening') : 'none'}
      aria-label={pictureLabel(name, text, hasPicture)}
      aria-haspopup="dialog"
      data-look={t('seat.look')}
      tabIndex={tabbable ? 0 : -1}
      onFocus={onFocus}
      onClick={look}
      onKeyDown={(event) => moveFocus(event)}
    >
      <canvas ref={canvas} aria-hidden="true" hidden={!hasPicture} />
      {text ? <span aria-hidden="true">{text}</span> : null}
    </button>
  );
}
