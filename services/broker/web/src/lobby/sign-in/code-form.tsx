import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { api, type Factor, type Problem, type SecondFactor } from '../../api.ts';
import { factorLabels, signInProblem } from '../../texts/sign-in.ts';

interface CodeFormProps {
  readonly url: string;
  readonly secondFactor: SecondFactor;
  readonly onSignedIn: () => void;
  /** Returns to the password form. */
  readonly startOver: (problem?: Problem) => void;
}

/** The second step of a sign-in: a code or a recovery key. */
export function CodeForm({ url, secondFactor, onSignedIn, startOver }: CodeFormProps) {
  const field = useRef<HTMLInputElement>(null);
  const [factor, setFactor] = useState<Factor>(secondFactor.factors[0] ?? 'totp');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);

  useLayoutEffect(() => field.current?.focus(), [factor]);

  async function submit(event: Event) {
    event.preventDefault();
    const code = field.current?.value.trim() ?? '';
    if (busy) return;
    if (!code) return field.current?.focus();
    setBusy(true);
    setProblem(undefined);
    const answer = await api.secondFactor(url, secondFactor.id, factor, code);
    if (answer.ok) return onSignedIn();
    if (answer.problem.code === 'sign_in_expired') return startOver(answer.problem);
    setBusy(false);
    setProblem(answer.problem);
    field.current?.focus();
    field.current?.select();
  }

  function switchTo(other: Factor) {
    setProblem(undefined);
    setFactor(other);
    if (field.current) field.current.value = '';
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate aria-labelledby="sign-in-title">
      {problem ? (
        <p class="form-error" role="alert" id="sign-in-error">
          {signInProblem(problem)}
        </p>
      ) : null}
      <label for="code">{t(factorLabels[factor].label)}</label>
      <input
        id="code"
        ref={field}
        name="code"
        type="text"
        inputMode={factor === 'totp' ? 'numeric' : 'text'}
        autocomplete={factor === 'totp' ? 'one-time-code' : 'off'}
        autocapitalize="none"
        spellcheck={false}
        required
        aria-invalid={problem?.code === 'wrong_code'}
        aria-describedby={problem ? 'sign-in-error' : undefined}
      />
      <button type="submit" class="button primary wide" aria-disabled={busy}>
        {t(busy ? 'signIn.busy' : 'signIn')}
      </button>
      <p class="form-links">
        {secondFactor.factors
          .filter((other) => other !== factor)
          .map((other) => (
            <button key={other} type="button" class="plain-link" onClick={() => switchTo(other)}>
              {t(factorLabels[other].switchTo)}
            </button>
          ))}
        <button type="button" class="plain-link" onClick={() => startOver()}>
          {t('signIn.startOver')}
        </button>
      </p>
    </form>
  );
}
