import { t } from '../../language/t.ts';
import type { View } from '../connection/view.ts';
import type { MachinePower } from '../power/machine-power.ts';
import { MachinesLink } from './card-parts.tsx';

interface MachineOffProps {
  readonly view: Extract<View, { state: 'machine-off' }>;
  readonly open: () => void;
  readonly power: MachinePower | undefined;
}

/** The console opens when the machine starts. Users with the `power` right can start it here. */
export function MachineOffCard({ view, open, power }: MachineOffProps) {
  const starting = power?.pendingAction === 'start';
  return (
    <div class="veil">
      <section class="card">
        <div class="porthole asleep" aria-hidden="true" />
        <h1>{view.message.title}</h1>
        <p role="status">{starting ? t('console.starting') : view.message.advice}</p>
        {power?.error ? (
          <p class="power-error" role="alert">
            {power.error}
          </p>
        ) : null}
        <div class="actions">
          {power ? (
            <button
              type="button"
              class="button primary"
              aria-disabled={starting}
              onClick={() => {
                if (!starting) power.request('start');
              }}
            >
              {t(starting ? 'power.startBusy' : 'console.start')}
            </button>
          ) : (
            <button type="button" class="button" onClick={open}>
              {t('console.tryNow')}
            </button>
          )}
          <MachinesLink />
        </div>
      </section>
    </div>
  );
}
