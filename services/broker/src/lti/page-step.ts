import { PortholeError } from '@porthole/shared/errors';
import type { Context } from '../http/context.ts';
import { inLanguage, type PageFile } from '../pages/load-pages.ts';
import { requestLanguage } from '../pages/request-language.ts';

/** What the page of a launch does next. The page in web/src/lti reads it. */
export type PageStep =
  /** Asks the platform to keep a secret for this browser, and then goes to the platform. */
  | ({ readonly step: 'store'; readonly secret: string; readonly next: string } & PlatformStorage)
  /** Asks the platform for the secret, and sends it with the code to /lti/confirm. */
  | ({ readonly step: 'confirm'; readonly code: string } & PlatformStorage)
  | { readonly step: 'open'; readonly url: string }
  /** The user opens one of several machines. */
  | { readonly step: 'choose'; readonly machines: readonly { readonly name: string; readonly url: string }[] }
  /** The user opens the page of a class in a window of its own, where it can have a sign-in. */
  | { readonly step: 'sign-in'; readonly title: string; readonly code: string }
  /** A teacher chooses what a link opens. */
  | {
      readonly step: 'select';
      readonly code: string;
      readonly multiple: boolean;
      readonly machines: readonly { readonly id: string; readonly name: string }[];
      readonly classes: readonly { readonly name: string; readonly title: string }[];
    }
  /** Sends the choice back to the platform. */
  | { readonly step: 'submit'; readonly url: string; readonly jwt: string }
  | { readonly step: 'error'; readonly code: string; readonly title: string; readonly requestId: string };

/** The frame of the platform that keeps data for this browser, if it blocks cookies (1EdTech postMessage Storage 0.1). */
interface PlatformStorage {
  readonly target: string;
  /** The only origin to which the page sends the secret. */
  readonly origin: string;
  readonly key: string;
}

const placeholder = '<script type="application/json" id="step"></script>';

/** Responds with the page and what it does. `page` is undefined until the broker has started. */
export function sendStep(ctx: Context, page: PageFile | undefined, step: PageStep): void {
  if (!page) throw new PortholeError('not_found', { detail: 'the page of LTI launches is not loaded' });
  // JSON in an element ends at the first "</script".
  const data = JSON.stringify(step).replaceAll('<', String.raw`\u003C`);
  const html = inLanguage(page, requestLanguage(ctx)).plain.toString('utf8');
  ctx.type = 'html';
  ctx.set('cache-control', 'no-store');
  ctx.body = html.replace(placeholder, () => placeholder.replace('></', () => `>${data}</`));
}
