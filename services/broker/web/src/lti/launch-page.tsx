import type { ErrorCode } from '@porthole/shared/errors';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../language/t.ts';
import { useLanguage } from '../language/use-language.ts';
import { basePath } from '../base-path.ts';
import { problemTitle } from '../texts/server-texts.ts';
import { SelectForm } from './select-form.tsx';
import type { PlatformStorage, Step } from './step.ts';

export interface LaunchPorts {
  /** Stores or reads a value at the platform. */
  readonly askPlatform: (
    storage: PlatformStorage,
    subject: 'lti.put_data' | 'lti.get_data',
    value?: string,
  ) => Promise<string | undefined>;
  /** Sends JSON to a path below /lti. */
  readonly post: (path: string, body: object) => Promise<Step>;
  readonly goTo: (url: string) => void;
}

/** The page of a launch: does what the broker says, step by step. */
export function LaunchPage({ first, ports }: { readonly first: Step; readonly ports: LaunchPorts }) {
  useLanguage();
  const [step, setStep] = useState(first);
  useEffect(() => {
    document.body.dataset['step'] = step.step;
    void proceed(step, ports).then((next) => next && setStep(next));
  }, [step]);
  switch (step.step) {
    case 'store':
    case 'confirm':
    case 'open':
      return <p role="status">{t('lti.progress')}</p>;
    case 'choose':
      return (
        <>
          <h1>{t('lti.choose')}</h1>
          <ul>
            {step.machines.map(({ name, url }) => (
              <li key={url}>
                <a href={url}>{name}</a>
              </li>
            ))}
          </ul>
        </>
      );
    case 'sign-in':
      return <OpenClass {...step} />;
    case 'select':
      return (
        <SelectForm
          step={step}
          onSelect={(selection) => void ports.post('select', { code: step.code, ...selection }).then(setStep)}
        />
      );
    case 'submit':
      return <SubmitForm {...step} />;
    case 'error':
      return (
        <div role="alert">
          <h1>{problemTitle({ code: step.code as ErrorCode, title: step.title })}</h1>
          <p class="fine-print">{t('lti.support', { code: step.code, requestId: step.requestId })}</p>
        </div>
      );
    default:
      return step satisfies never;
  }
}

/** Resolves with the next step, or undefined if the page is left or the user decides. */
async function proceed(step: Step, ports: LaunchPorts): Promise<Step | undefined> {
  switch (step.step) {
    case 'store':
      // Without an answer, the platform has nothing to tell later, and the error is shown then.
      await ports.askPlatform(step, 'lti.put_data', step.secret);
      ports.goTo(step.next);
      return undefined;
    case 'confirm': {
      const secret = await ports.askPlatform(step, 'lti.get_data');
      return ports.post('confirm', { code: step.code, secret: secret ?? '' });
    }
    case 'open':
      ports.goTo(step.url);
      return undefined;
    default:
      return undefined;
  }
}

/** A window of its own, because a frame on another site can't have a sign-in. */
function OpenClass({ title, code }: { readonly title: string; readonly code: string }) {
  const [opened, setOpened] = useState(false);
  return (
    <form
      method="post"
      action={`${basePath}lti/sign-in`}
      target="_blank"
      // After the browser has read the form.
      onSubmit={() => setTimeout(() => setOpened(true))}
    >
      <h1>{t('lti.class', { title })}</h1>
      <p>{t(opened ? 'lti.opened' : 'lti.classAdvice')}</p>
      <input type="hidden" name="code" value={code} />
      <button class="button primary" disabled={opened}>
        {t('lti.openClass')}
      </button>
    </form>
  );
}

/** The browser takes the signed answer to the platform. */
function SubmitForm({ url, jwt }: { readonly url: string; readonly jwt: string }) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.submit(), []);
  return (
    <form ref={form} method="post" action={url}>
      <p role="status">{t('lti.progress')}</p>
      <input type="hidden" name="JWT" value={jwt} />
    </form>
  );
}
