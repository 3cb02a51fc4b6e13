import { useEffect, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { CheckIcon } from '../../components/icons.tsx';
import { openingStepText, progressSteps, queueText } from '../../texts/console.ts';
import type { View } from '../connection/view.ts';

const order = ['requesting', 'connecting', 'opening', 'awaiting-frame'] as const;
const slowFrameMs = 8000;

/** The steps to an open console. A queued console is at the step "Opening". */
export function ProgressCard({ view, name }: { readonly view: View; readonly name: string }) {
  const state = view.state === 'queued' ? 'opening' : view.state;
  const current = order.findIndex((step) => step === state);
  const detail = useDetail(view);
  return (
    <div class="veil">
      <section class="card progress">
        <div class="porthole" aria-hidden="true" />
        <h1>{t('console.opening', { name })}</h1>
        <ol class="steps">
          {order.map((step, index) => (
            <li
              key={step}
              data-done={index < current}
              data-current={index === current}
              aria-current={index === current ? 'step' : undefined}
            >
              <span class="step-mark">{index < current ? <CheckIcon /> : null}</span>
              <span>
                {t(progressSteps[step])}
                {index === current && detail ? <small class="step-detail">{detail}</small> : null}
              </span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

function useDetail(view: View): string {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (view.state !== 'awaiting-frame') return;
    const timer = setTimeout(() => setSlow(true), slowFrameMs);
    return () => clearTimeout(timer);
  }, [view.state]);
  if (view.state === 'queued') return queueText(view.position, view.waitSeconds);
  if (view.state === 'opening' && view.step) return openingStepText(view.step);
  return slow ? t('console.slowFrame') : '';
}
