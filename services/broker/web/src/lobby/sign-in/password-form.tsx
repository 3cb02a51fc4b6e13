import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Answer, SignInStep, Problem } from '../../api.ts';
import { EyeIcon, EyeOffIcon } from '../../components/icons.tsx';
import { signInProblem } from '../../texts.ts';

/** Where somebody's account may be. */
export interface AccountSource {
  readonly title: string;
  /** Where its codes go, should it want one. */
  readonly url: string;
  readonly signIn: (name: string, password: string) => Promise<Answer<SignInStep>>;
}

interface PasswordFormProps {
  readonly places: readonly AccountSource[];
  /** Why somebody begins again. */
  readonly before: Problem | undefined;
  readonly entered: (entered: SignInStep, place: AccountSource) => void;
}

export function PasswordForm({ places, before, entered }: PasswordFormProps) {
  const [title, setTitle] = useState(places[0]?.title);
  const place = places.find((one) => one.title === title) ?? places[0];
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [visible, setVisible] = useState(false);
  const [caps, setCaps] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(before);

  // Before it is painted: who types at once must not type beside it.
  useLayoutEffect(() => name.current?.focus(), []);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy || !place) return;
    const [user, secret] = [name.current?.value.trim() ?? '', password.current?.value ?? ''];
    if (!user) return name.current?.focus();
    if (!secret) return password.current?.focus();
    setBusy(true);
    setProblem(undefined);
    const answer = await place.signIn(user, secret);
    if (answer.ok) return entered(answer.value, place);
    setBusy(false);
    setProblem(answer.problem);
    // Ready for the next try: what was typed is most likely wrong.
    password.current?.focus();
    password.current?.select();
  }

  const watchCaps = (event: KeyboardEvent | MouseEvent) => setCaps(event.getModifierState('CapsLock'));

  // The types know no field that is now one, now the other.
  const fieldType = (visible ? 'text' : 'password') as 'password';

  return (
    <form onSubmit={(event) => void submit(event)} noValidate aria-labelledby="sign-in-title">
      {problem ? (
        <p class="form-error" role="alert" id="sign-in-error">
          {signInProblem(problem)}
        </p>
      ) : null}
      {places.length > 1 ? (
        <>
          <label for="place">Account</label>
          <select
            id="place"
            value={place?.title}
            onChange={({ currentTarget }) => setTitle(currentTarget.value)}
          >
            {places.map((one) => (
              <option key={one.title}>{one.title}</option>
            ))}
          </select>
        </>
      ) : null}
      <label for="username">Name</label>
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
      <label for="password">Password</label>
      <div class="password">
        <input
          id="password"
          ref={password}
          name="password"
          type={fieldType}
          autocomplete="current-password"
          autocapitalize="none"
          spellcheck={false}
          required
          aria-invalid={problem?.code === 'wrong_password'}
          aria-describedby={caps ? 'caps' : undefined}
          onKeyDown={watchCaps}
          onKeyUp={watchCaps}
          onBlur={() => setCaps(false)}
        />
        <button
          type="button"
          class="icon-button"
          aria-label="Show password"
          aria-pressed={visible}
          title={visible ? 'Hide password' : 'Show password'}
          onClick={() => setVisible(!visible)}
        >
          {visible ? <EyeOffIcon /> : <EyeIcon />}
        </button>
      </div>
      <p class="caps" id="caps" role="status">
        {caps ? 'Caps Lock is on.' : ''}
      </p>
      <button type="submit" class="button primary wide" aria-disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}
