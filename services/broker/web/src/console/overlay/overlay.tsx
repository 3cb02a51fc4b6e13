import { t } from '../../language/t.ts';
import { queueText } from '../../texts/console.ts';
import type { Interruption, View } from '../connection/view.ts';
import type { MachinePower } from '../power/machine-power.ts';
import { EndedCard } from './ended-card.tsx';
import { MachineOffCard } from './machine-off-card.tsx';
import { ProgressCard } from './progress-card.tsx';
import { ReconnectingCard } from './reconnecting-card.tsx';

interface OverlayProps {
  readonly view: View;
  readonly name: string;
  readonly open: () => void;
  readonly openWithConsent: () => void;
  readonly power: MachinePower | undefined;
}

/** What covers the screen while the console is not open. */
export function Overlay({ view, name, open, openWithConsent, power }: OverlayProps) {
  switch (view.state) {
    case 'open':
      return null;
    case 'machine-off':
      return <MachineOffCard view={view} open={open} power={power} />;
    case 'retrying':
      return <ReconnectingCard view={view} retry={view} open={open} />;
    case 'parked':
      return <Paused view={view} />;
    case 'ended':
      return <EndedCard view={view} open={open} openWithConsent={openWithConsent} />;
    default:
      return <Opening view={view} name={name} open={open} interruption={view.interruption} />;
  }
}

interface OpeningProps extends Pick<OverlayProps, 'name' | 'open'> {
  readonly view: View;
  readonly interruption: Interruption;
}

function Opening({ view, name, open, interruption }: OpeningProps) {
  if (interruption === 'brief') return <p class="hint">{t('console.reconnecting')}</p>;
  if (interruption === 'parked') return <Paused view={view} />;
  if (interruption === 'lost') return <ReconnectingCard view={view} open={open} />;
  return <ProgressCard view={view} name={name} />;
}

/** Dims the last frame of a page that was hidden for a long time, also while its console opens again. */
function Paused({ view }: { readonly view: View }) {
  return (
    <div class="veil">
      <p class="hint">
        {t('console.parked')}
        {view.state === 'parked' ? null : ` ${t('console.reconnecting')}`}
        {view.state === 'queued' ? ` ${queueText(view.position, view.waitSeconds)}.` : null}
      </p>
    </div>
  );
}
