import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { AlertIcon } from '../../components/icons.tsx';
import { consolePath, parseConsolePath, signInPath } from '../../paths.ts';
import type { View } from '../connection/view.ts';
import { MachinesLink, SupportId } from './card-parts.tsx';

interface EndedProps {
  readonly view: Extract<View, { state: 'ended' }>;
  readonly open: () => void;
  readonly openWithConsent: () => void;
}

export function EndedCard({ view, open, openWithConsent }: EndedProps) {
  const actions = useRef<HTMLDivElement>(null);
  const address = parseConsolePath(location.pathname, location.search);
  // The page offers nothing else, so the first action gets the focus.
  useLayoutEffect(() => actions.current?.querySelector<HTMLElement>('.primary')?.focus(), []);
  return (
    <div class="veil">
      <section class="card" role="alert">
        <span class="card-icon">
          <AlertIcon />
        </span>
        <h1>{view.message.title}</h1>
        <p>{view.message.advice}</p>
        <div class="actions" ref={actions}>
          {view.offer === 'reopen' ? (
            <button type="button" class="button primary" onClick={open}>
              {t('console.openAgain')}
            </button>
          ) : null}
          {view.offer === 'consent' ? (
            <button type="button" class="button primary" onClick={openWithConsent}>
              {t('console.agree')}
            </button>
          ) : null}
          {view.offer === 'terminal' && address ? (
            <a
              class="button primary"
              href={consolePath(address.cluster, address.vmid, address.mode, 'terminal')}
            >
              {t('console.openTerminal')}
            </a>
          ) : null}
          {view.offer === 'sign-in' ? (
            <a class="button primary" href={signInPath(location.pathname + location.search, 'expired')}>
              {t('signIn')}
            </a>
          ) : (
            <MachinesLink primary={view.offer === 'list'} />
          )}
        </div>
        <SupportId view={view} />
      </section>
    </div>
  );
}
