import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api, type Factor, type Problem, type SecondFactor, type User } from '../../api.ts';
import { factorLabels, signInProblem } from '../../texts.ts';

interface CodeFormProps {
  readonly url: string;
  readonly wanted: SecondFactor;
  readonly entered: (user: User) => void;
  /** From the password on again. */
  readonly startOver: (problem?: Problem) => void;
}

/** The second step: a code from an app, or one of the keys that were kept for the day on which it is not there. */
export function CodeForm({ url, wanted, entered, startOver }: CodeFormProps) {
  const field = useRef<HTMLInputElement>(null);
  const [factor, setFactor] = useState<Factor>(wanted.factors[0] ?? 'totp');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const words = factorLabels[factor];

  useLayoutEffect(() => field.current?.focus(), [factor]);

  async function submit(event: Event) {
    event.preventDefault();
    const code = field.current?.value.trim() ?? '';
    if (busy) return;
    if (!code) return field.current?.focus();
    setBusy(true);
    setProblem(undefined);
    const answer = await api.secondFactor(url, wanted.id, factor, code);
    if (answer.ok) return entered(answer.value.user);
    if (answer.problem.code === 'sign_in_expired') return startOver(answer.problem);
    setBusy(false);
    setProblem(answer.problem);
    field.current?.focus();
    field.current?.select();
  }

  function choose(other: Factor) {
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
      <label for="code">{words.label}</label>
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
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
      <p class="other-ways">
        {wanted.factors
          .filter((other) => other !== factor)
          .map((other) => (
            <button key={other} type="button" class="plain-link" onClick={() => choose(other)}>
              {factorLabels[other].instead}
            </button>
          ))}
        <button type="button" class="plain-link" onClick={() => startOver()}>
          Start over
        </button>
      </p>
    </form>
  );
}
