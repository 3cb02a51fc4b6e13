import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { Answer, Problem, SignInStep } from '../../api.ts';
import { signInProblem } from '../../texts/sign-in.ts';
import { PasswordField } from './password-field.tsx';

/** A place that holds accounts with passwords: Porthole itself or a Proxmox realm. */
export interface AccountSource {
  readonly title: string;
  /** The API's path for second factors. */
  readonly url: string;
  readonly signIn: (name: string, password: string) => Promise<Answer<SignInStep>>;
}

interface PasswordFormProps {
  readonly sources: readonly AccountSource[];
  /** Why the user starts over. */
  readonly initialProblem: Problem | undefined;
  readonly onAccepted: (step: SignInStep, source: AccountSource) => void;
}

export function PasswordForm({ sources, initialProblem, onAccepted }: PasswordFormProps) {
  const [title, setTitle] = useState(sources[0]?.title);
  const source = sources.find((each) => each.title === title) ?? sources[0];
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(initialProblem);

  // Before the first paint, so that the first key goes into the field.
  useLayoutEffect(() => name.current?.focus(), []);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy || !source) return;
    const [user, secret] = [name.current?.value.trim() ?? '', password.current?.value ?? ''];
    if (!user) return name.current?.focus();
    if (!secret) return password.current?.focus();
    setBusy(true);
    setProblem(undefined);
    const answer = await source.signIn(user, secret);
    if (answer.ok) return onAccepted(answer.value, source);
    setBusy(false);
    setProblem(answer.problem);
    // The password is the most likely mistake.
    password.current?.focus();
    password.current?.select();
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate aria-labelledby="sign-in-title">
      {problem ? (
        <p class="form-error" role="alert" id="sign-in-error">
          {signInProblem(problem)}
        </p>
      ) : null}
      {sources.length > 1 ? (
        <>
          <label for="source">{t('signIn.account')}</label>
          <select
            id="source"
            value={source?.title}
            onChange={({ currentTarget }) => setTitle(currentTarget.value)}
          >
            {sources.map((each) => (
              <option key={each.title}>{each.title}</option>
            ))}
          </select>
        </>
      ) : null}
      <label for="username">{t('signIn.name')}</label>
      <input
        id="username"
        ref={name}
        name="username"
        type="text"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        required
        aria-describedby={problem ? 'sign-in-error' : undefined}
      />
      <PasswordField field={password} invalid={problem?.code === 'wrong_password'} />
      <button type="submit" class="button primary wide" aria-disabled={busy}>
        {t(busy ? 'signIn.busy' : 'signIn')}
      </button>
    </form>
  );
}
