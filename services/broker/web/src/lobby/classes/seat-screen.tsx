import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { api } from '../../api.ts';
import type { Seat } from '../../class-types.ts';
import type { View } from '../../console/connection/view.ts';
import { onToolbarKeyCombination } from '../../console/keyboard/key-combination.ts';
import { consolePath } from '../../paths.ts';
import { controlMeaning, controlTitle } from '../../texts/control.ts';
import { viewerText } from '../../texts/large-view.ts';
import { openSeatViewer, type SeatViewer } from './seat-viewer.ts';

interface SeatScreenProps {
  readonly seat: Seat;
  readonly name: string;
  readonly mayTakeControl: boolean;
  /** Writes a message to the member. Undefined: that is impossible. */
  readonly write: (() => void) | undefined;
  /** Whether keys go to the machine, and no longer to the dialog. */
  readonly onControl: (hasControl: boolean) => void;
}

/** The live screen of one seat in the large view, with the buttons that are about it. */
export function SeatScreen({ seat, name, mayTakeControl, write, onControl }: SeatScreenProps) {
  const { cluster, vmid } = seat.machine;
  const target = useRef<HTMLDivElement>(null);
  const lastFrame = useRef<HTMLCanvasElement>(null);
  const controlButton = useRef<HTMLButtonElement>(null);
  const viewer = useRef<SeatViewer | undefined>(undefined);
  const [view, setView] = useState<View | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  const [busy, setBusy] = useState(false);
  const control = view?.state === 'open' ? view.sessionInfo.control : undefined;
  const hasControl = control?.mine === true;

  useLayoutEffect(() => {
    if (!target.current || !lastFrame.current) return undefined;
    const opened = openSeatViewer({
      cluster,
      vmid,
      mayTakeControl,
      target: target.current,
      lastFrame: lastFrame.current,
      show: setView,
    });
    viewer.current = opened;
    return () => {
      viewer.current = undefined;
      opened.close();
    };
  }, [cluster, vmid, mayTakeControl]);
  // Before the next key.
  useLayoutEffect(() => {
    onControl(hasControl);
    viewer.current?.setControl(hasControl);
    if (hasControl) viewer.current?.focus();
    else if (target.current?.contains(document.activeElement)) controlButton.current?.focus();
  }, [hasControl]);
  useEffect(() => onToolbarKeyCombination(() => controlButton.current?.focus()), []);

  async function change(action: 'take' | 'release') {
    if (busy || !view?.supportId) return;
    setBusy(true);
    setFailed(!(await api.changeControl(view.supportId, action)).ok);
    setBusy(false);
  }

  return (
    <>
      <div class="large-view-stage" data-state={view?.state} data-control={hasControl}>
        {/* The dialog closes by Escape and changes seats by arrow keys, but not while the machine gets them. */}
        <div ref={target} class="large-view-screen" dir="ltr" inert={!hasControl} />
        <canvas ref={lastFrame} class="large-view-last-frame" hidden aria-hidden="true" />
      </div>
      <p class="large-view-state" role="status">
        {failed
          ? t('actionFailed')
          : control
            ? `${controlTitle(control)} ${controlMeaning(control)}`
            : viewerText(view)}
        {hasControl ? <span class="visually-hidden"> {t('seat.toButtons')}</span> : null}
      </p>
      <div class="large-view-actions">
        {mayTakeControl ? (
          <button
            ref={controlButton}
            type="button"
            class={`button ${hasControl ? 'primary' : ''}`}
            aria-disabled={busy || view?.state !== 'open'}
            onClick={() => void change(hasControl ? 'release' : 'take')}
          >
            {t(hasControl ? 'control.handBack' : 'control.take')}
          </button>
        ) : null}
        {write ? (
          <button type="button" class="button" onClick={write}>
            {t('class.message')}
          </button>
        ) : null}
        {view?.state === 'ended' ? (
          <button type="button" class="button" onClick={() => viewer.current?.open()}>
            {t('tryAgain')}
          </button>
        ) : null}
        <a
          class="button"
          href={consolePath(cluster, vmid, mayTakeControl ? undefined : 'view')}
          target="_blank"
          rel="noopener"
          aria-label={t('seat.ownTabLong', { name })}
        >
          {t('seat.ownTab')}
        </a>
      </div>
    </>
  );
}
