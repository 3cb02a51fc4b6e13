import { useEffect, useState } from 'preact/hooks';
import { api, type Problem, type SignInOffer, type User } from '../api.ts';
import type { SignInReason } from '../paths.ts';
import { signInLead, signInNotes, signInProblem } from '../texts.ts';
import { Brand, sceneUrl } from './brand.tsx';
import { PasswordForm } from './password-form.tsx';

interface SignInProps {
  readonly note: SignInReason | undefined;
  readonly entered: (user: User) => void;
}

/** After these the person should see why they are here, instead of being sent on at once. */
const goesOnAtOnce = (note: SignInReason | undefined) => note === undefined || note === 'needed';

export function SignIn({ note, entered }: SignInProps) {
  const [offers, setOffers] = useState<readonly SignInOffer[] | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);

  async function look() {
    setProblem(undefined);
    const answer = await api.signInOffers();
    if (!answer.ok) return setProblem(answer.problem);
    const [only, ...others] = answer.value.methods;
    if (only?.kind === 'oidc' && others.length === 0 && goesOnAtOnce(note))
      return location.replace(issuerPath(only.url));
    setOffers(answer.value.methods);
  }
  useEffect(() => void look(), []);

  const issuers = offers?.filter((offer) => offer.kind === 'oidc') ?? [];
  const hasPassword = offers?.some(({ kind }) => kind === 'local') ?? false;
  return (
    <main class="entrance">
      <div class="entrance-scene">
        <img src={sceneUrl} alt="" />
      </div>
      <div class="entrance-form">
        <div class="entrance-box">
          <Brand />
          <h1 id="sign-in-title">Sign in</h1>
          <p class="lead">{note ? signInNotes[note] : signInLead}</p>
          {problem ? (
            <>
              <p class="form-error" role="alert">
                {signInProblem(problem)}
              </p>
              <button type="button" class="button wide" onClick={() => void look()}>
                Try again
              </button>
            </>
          ) : null}
          {issuers.map(({ title, url }, index) => (
            <a
              key={url}
              class={index === 0 && !hasPassword ? 'button primary wide' : 'button wide'}
              href={issuerPath(url)}
            >
              Sign in with {title}
            </a>
          ))}
          {hasPassword && issuers.length > 0 ? <p class="or">or</p> : null}
          {hasPassword ? <PasswordForm entered={entered} /> : null}
        </div>
      </div>
    </main>
  );
}

/** The way back leads to where the person wanted to go. */
function issuerPath(url: string): string {
  const wanted = new URLSearchParams(location.search).get('return');
  return wanted === null ? url : `${url}?${new URLSearchParams({ return: wanted }).toString()}`;
}
