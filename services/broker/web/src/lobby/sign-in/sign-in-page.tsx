import { useEffect, useState } from 'preact/hooks';
import { LanguageMenu } from '../../language/language-menu.tsx';
import { t } from '../../language/t.ts';
import { api, type Problem, type SecondFactor, type SignInMethod, type SignInStep } from '../../api.ts';
import type { SignInReason } from '../../paths.ts';
import { localAccounts, signInProblem } from '../../texts/sign-in.ts';
import { Brand, sceneUrl } from '../brand.tsx';
import { CodeForm } from './code-form.tsx';
import { PasswordForm, type AccountSource } from './password-form.tsx';

interface SignInProps {
  /** Why the user sees this page. */
  readonly reason: SignInReason | undefined;
  readonly onSignedIn: () => void;
}

/** After other reasons, the user must be able to read them before going to the identity provider. */
const mayRedirect = (reason: SignInReason | undefined) => reason === undefined || reason === 'needed';

export function SignInPage({ reason, onSignedIn }: SignInProps) {
  const [methods, setMethods] = useState<readonly SignInMethod[] | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [secondStep, setSecondStep] = useState<
    { readonly url: string; readonly secondFactor: SecondFactor } | undefined
  >(undefined);

  async function load() {
    setProblem(undefined);
    const answer = await api.signInMethods();
    if (!answer.ok) return setProblem(answer.problem);
    const [only, ...others] = answer.value.methods;
    if (only?.kind === 'oidc' && others.length === 0 && mayRedirect(reason))
      return location.replace(providerPath(only.url));
    setMethods(answer.value.methods);
  }
  useEffect(() => void load(), []);

  function onPassword(step: SignInStep, { url }: AccountSource) {
    if ('user' in step) return onSignedIn();
    setProblem(undefined);
    setSecondStep({ url, secondFactor: step.secondFactor });
  }

  function startOver(why?: Problem) {
    setSecondStep(undefined);
    setProblem(why);
  }

  const intro = secondStep
    ? 'signIn.secondFactor'
    : reason
      ? (`signIn.why.${reason}` as const)
      : 'signIn.intro';
  return (
    <main class="sign-in">
      <div class="sign-in-scene">
        <img src={sceneUrl} alt="" />
      </div>
      <div class="sign-in-form">
        <div class="sign-in-box">
          <div class="sign-in-head">
            <Brand />
            <LanguageMenu />
          </div>
          <h1 id="sign-in-title">{t('signIn')}</h1>
          <p class="sign-in-intro">{t(intro)}</p>
          {problem && !methods ? <LoadError problem={problem} retry={() => void load()} /> : null}
          {secondStep ? (
            <CodeForm {...secondStep} onSignedIn={onSignedIn} startOver={startOver} />
          ) : (
            <Methods methods={methods ?? []} initialProblem={problem} onPassword={onPassword} />
          )}
        </div>
      </div>
    </main>
  );
}

function LoadError({ problem, retry }: { readonly problem: Problem; readonly retry: () => void }) {
  return (
    <>
      <p class="form-error" role="alert">
        {signInProblem(problem)}
      </p>
      <button type="button" class="button wide" onClick={retry}>
        {t('tryAgain')}
      </button>
    </>
  );
}

interface MethodsProps {
  readonly methods: readonly SignInMethod[];
  readonly initialProblem: Problem | undefined;
  readonly onPassword: (step: SignInStep, source: AccountSource) => void;
}

/** Links to identity providers, and the form for accounts with a password. */
function Methods({ methods, initialProblem, onPassword }: MethodsProps) {
  const providers = methods.filter((method) => method.kind === 'oidc');
  const sources = accountSourcesOf(methods);
  const hasPassword = sources.length > 0;
  return (
    <>
      {providers.map(({ title, url }, index) => (
        <a
          key={url}
          class={index === 0 && !hasPassword ? 'button primary wide' : 'button wide'}
          href={providerPath(url)}
        >
          {t('signIn.with', { provider: title })}
        </a>
      ))}
      {hasPassword && providers.length > 0 ? <p class="or">{t('signIn.or')}</p> : null}
      {hasPassword ? (
        <PasswordForm sources={sources} initialProblem={initialProblem} onAccepted={onPassword} />
      ) : null}
    </>
  );
}

/** The broker returns the user to the page of `return` after the sign-in. */
function providerPath(url: string): string {
  const returnTo = new URLSearchParams(location.search).get('return');
  return returnTo === null ? url : `${url}?${new URLSearchParams({ return: returnTo }).toString()}`;
}

/** The account sources with a password, in the order of the methods. */
function accountSourcesOf(methods: readonly SignInMethod[]): readonly AccountSource[] {
  return methods.flatMap((method): AccountSource[] => {
    if (method.kind === 'oidc') return [];
    if (method.kind === 'local') return [{ title: localAccounts, url: '', signIn: api.signIn }];
    const { url } = method;
    return method.realms.map(({ name, title }) => ({
      title,
      url,
      signIn: (user, password) => api.signInAtProxmox(url, name, user, password),
    }));
  });
}
