import { useEffect, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { connectionLost, countdown, offline } from '../../texts/console.ts';
import type { View } from '../connection/view.ts';
import { MachinesLink, SupportId } from './card-parts.tsx';

interface ReconnectingProps {
  readonly view: View;
  /** The pause before the next attempt; undefined while an attempt is under way. */
  readonly retry?: Extract<View, { state: 'retrying' }>;
  readonly open: () => void;
}

/** Covers the dimmed last frame while the connection is lost. */
export function ReconnectingCard({ view, retry, open }: ReconnectingProps) {
  const message = retry?.offline ? offline : (retry?.message ?? connectionLost);
  return (
    <div class="veil">
      <section class="card">
        <div class="porthole searching" aria-hidden="true" />
        <h1>{message === connectionLost ? t('message.lostReconnecting') : message.title}</h1>
        <p>{message.advice}</p>
        {retry?.offline ? null : <Countdown until={retry?.retryAt} />}
        <div class="actions">
          <button type="button" class="button primary" onClick={open}>
            {t('console.tryNow')}
          </button>
          <MachinesLink />
        </div>
        <SupportId view={view} />
      </section>
    </div>
  );
}

/** Without `until`, an attempt is under way. The line keeps its place, so that the card does not jump. */
function Countdown({ until }: { readonly until: number | undefined }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return (
    <p class="countdown" role="timer" aria-live="off">
      {countdown(until === undefined ? 0 : Math.ceil((until - now) / 1000))}
    </p>
  );
}
