import { useEffect, useState } from 'preact/hooks';
import {
  api,
  type SignInStep,
  type Problem,
  type SecondFactor,
  type SignInMethod,
  type User,
} from '../../api.ts';
import type { SignInReason } from '../../paths.ts';
import { secondFactorIntro, localAccounts, signInIntro, signInNotes, signInProblem } from '../../texts.ts';
import { Brand, sceneUrl } from '../brand.tsx';
import { CodeForm } from './code-form.tsx';
import { PasswordForm, type AccountSource } from './password-form.tsx';

interface SignInProps {
  readonly note: SignInReason | undefined;
  readonly entered: (user: User) => void;
}

/** After these the person should see why they are here, instead of being sent on at once. */
const goesOnAtOnce = (note: SignInReason | undefined) => note === undefined || note === 'needed';

export function SignInPage({ note, entered }: SignInProps) {
  const [offers, setOffers] = useState<readonly SignInMethod[] | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);

  const [second, setSecond] = useState<{ readonly url: string; readonly wanted: SecondFactor } | undefined>(
    undefined,
  );

  async function look() {
    setProblem(undefined);
    const answer = await api.signInMethods();
    if (!answer.ok) return setProblem(answer.problem);
    const [only, ...others] = answer.value.methods;
    if (only?.kind === 'oidc' && others.length === 0 && goesOnAtOnce(note))
      return location.replace(issuerPath(only.url));
    setOffers(answer.value.methods);
  }
  useEffect(() => void look(), []);

  const issuers = offers?.filter((offer) => offer.kind === 'oidc') ?? [];
  const places = placesOf(offers ?? []);
  const hasPassword = places.length > 0;

  function step(done: SignInStep, { url }: AccountSource) {
    if ('user' in done) return entered(done.user);
    setProblem(undefined);
    setSecond({ url, wanted: done.secondFactor });
  }

  function startOver(why?: Problem) {
    setSecond(undefined);
    setProblem(why);
  }

  const firstStep = (
    <>
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
      {hasPassword ? <PasswordForm places={places} before={problem} entered={step} /> : null}
    </>
  );
  return (
    <main class="entrance">
      <div class="entrance-scene">
        <img src={sceneUrl} alt="" />
      </div>
      <div class="entrance-form">
        <div class="entrance-box">
          <Brand />
          <h1 id="sign-in-title">Sign in</h1>
          <p class="lead">{second ? secondFactorIntro : note ? signInNotes[note] : signInIntro}</p>
          {problem && !offers ? (
            <>
              <p class="form-error" role="alert">
                {signInProblem(problem)}
              </p>
              <button type="button" class="button wide" onClick={() => void look()}>
                Try again
              </button>
            </>
          ) : null}
          {second ? <CodeForm {...second} entered={entered} startOver={startOver} /> : firstStep}
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

/** Where an account with a password may be, in the order in which the offers came. */
function placesOf(offers: readonly SignInMethod[]): readonly AccountSource[] {
  return offers.flatMap((offer): AccountSource[] => {
    if (offer.kind === 'oidc') return [];
    if (offer.kind === 'local') return [{ title: localAccounts, url: '', signIn: api.signIn }];
    const { url } = offer;
    return offer.realms.map(({ name, title }) => ({
      title,
      url,
      signIn: (user, password) => api.signInAtProxmox(url, name, user, password),
    }));
  });
}
