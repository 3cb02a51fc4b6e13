import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { AlertIcon, CheckIcon } from '../../components/icons.tsx';
import { consoleSignInPath } from './sign-in-link.ts';
import type { MachinePower } from '../power/machine-power.ts';
import {
  countdown,
  offline,
  openingSteps,
  powerProgress,
  progress,
  queueText,
  slowPicture,
} from '../../texts.ts';
import type { View } from '../connection/view.ts';

interface OverlayProps {
  readonly view: View;
  readonly name: string;
  readonly open: () => void;
  readonly power: MachinePower | undefined;
}

/** Everything that is said in front of the screen. Nothing while the console is open. */
export function Overlay({ view, name, open, power }: OverlayProps) {
  if (view.state === 'open') return null;
  if (view.quiet) return <p class="hint">Reconnecting…</p>;
  switch (view.state) {
    case 'waiting':
      return <Waiting view={view} open={open} power={power} />;
    case 'retrying':
      return <Retrying view={view} open={open} />;
    case 'ended':
      return <Ended view={view} open={open} />;
    default:
      return <Progress view={view} name={name} />;
  }
}

const order = ['asking', 'connecting', 'opening', 'picture'] as const;

function Progress({ view, name }: { readonly view: View; readonly name: string }) {
  const at = view.state === 'queued' ? 2 : order.findIndex((step) => step === view.state);
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (view.state !== 'picture') return;
    const timer = setTimeout(() => setSlow(true), 8000);
    return () => clearTimeout(timer);
  }, [view.state]);
  let detail = '';
  if (view.state === 'queued') detail = queueText(view.position);
  else if (view.state === 'opening' && view.step) detail = openingSteps[view.step];
  else if (slow) detail = slowPicture;

  return (
    <div class="veil">
      <section class="card progress">
        <div class="porthole" aria-hidden="true" />
        <h1>Opening {name}</h1>
        <ol class="steps">
          {order.map((step, index) => (
            <li
              key={step}
              data-done={index < at}
              data-now={index === at}
              aria-current={index === at ? 'step' : undefined}
            >
              <span class="step-mark">{index < at ? <CheckIcon /> : null}</span>
              <span>
                {progress[step]}
                {index === at && detail ? <small class="step-detail">{detail}</small> : null}
              </span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

type Of<S extends View['state']> = Extract<View, { state: S }>;

interface WaitingProps {
  readonly view: Of<'waiting'>;
  readonly open: () => void;
  readonly power: MachinePower | undefined;
}

/** The machine is off. Whoever may, starts it here; for everybody it opens as soon as it runs. */
function Waiting({ view, open, power }: WaitingProps) {
  const starts = power?.pendingAction === 'start';
  return (
    <div class="veil">
      <section class="card">
        <div class="porthole asleep" aria-hidden="true" />
        <h1>{view.words.title}</h1>
        <p role="status">{starts ? 'It is being started, and opens here by itself.' : view.words.advice}</p>
        {power?.error ? (
          <p class="power-problem" role="alert">
            {power.error}
          </p>
        ) : null}
        <div class="actions">
          {power ? (
            <button
              type="button"
              class="button primary"
              aria-disabled={starts}
              onClick={() => {
                if (!starts) power.request('start');
              }}
            >
              {starts ? powerProgress.start : 'Start it'}
            </button>
          ) : (
            <button type="button" class="button" onClick={open}>
              Try now
            </button>
          )}
          <BackLink />
        </div>
      </section>
    </div>
  );
}

function Retrying({ view, open }: { readonly view: Of<'retrying'>; readonly open: () => void }) {
  const words = view.offline ? offline : view.words;
  return (
    <div class="veil">
      <section class="card">
        <div class="porthole searching" aria-hidden="true" />
        <h1>{words.title}</h1>
        <p>{words.advice}</p>
        {view.offline ? null : <Countdown until={view.retryAt} />}
        <div class="actions">
          <button type="button" class="button primary" onClick={open}>
            Try now
          </button>
          <BackLink />
        </div>
        <SupportId view={view} />
      </section>
    </div>
  );
}

function Countdown({ until }: { readonly until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return (
    <p class="countdown" role="timer" aria-live="off">
      {countdown(Math.ceil((until - now) / 1000))}
    </p>
  );
}

function Ended({ view, open }: { readonly view: Of<'ended'>; readonly open: () => void }) {
  const primary = useRef<HTMLElement>(null);
  // There is nothing else left to do on this page.
  useLayoutEffect(() => primary.current?.focus(), []);
  return (
    <div class="veil">
      <section class="card" role="alert">
        <span class="card-icon">
          <AlertIcon />
        </span>
        <h1>{view.words.title}</h1>
        <p>{view.words.advice}</p>
        <div class="actions">
          {view.offer === 'reopen' ? (
            <button
              ref={primary as { current: HTMLButtonElement | null }}
              type="button"
              class="button primary"
              onClick={open}
            >
              Open again
            </button>
          ) : null}
          {view.offer === 'sign-in' ? (
            <a
              ref={primary as { current: HTMLAnchorElement | null }}
              class="button primary"
              href={consoleSignInPath()}
            >
              Sign in
            </a>
          ) : (
            <BackLink main={view.offer === 'list'} focus={view.offer === 'list' ? primary : undefined} />
          )}
        </div>
        <SupportId view={view} />
      </section>
    </div>
  );
}

interface BackLinkProps {
  readonly main?: boolean;
  readonly focus?: { current: HTMLElement | null } | undefined;
}

function BackLink({ main = false, focus }: BackLinkProps) {
  return (
    <a
      ref={focus as { current: HTMLAnchorElement | null }}
      class={main ? 'button primary' : 'button'}
      href="/"
    >
      Your machines
    </a>
  );
}

function SupportId({ view }: { readonly view: View }) {
  if (!view.supportId) return null;
  return (
    <p class="support">
      Support number <code>{view.supportId}</code>
    </p>
  );
}
