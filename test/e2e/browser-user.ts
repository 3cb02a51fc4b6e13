import type { BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import type { Picture } from '../fakes/guests/ppm.ts';
import { waitForState, type Browser } from '../web/browser.ts';
import { password } from './stack-config.ts';

export interface BrowserUserOptions extends BrowserContextOptions {
  /** Whether `received` has the HTTP answers. To read the bodies of all scripts takes longer than to run them. */
  readonly recordAnswers?: boolean;
}

/** Everything that a browser received, for searches. */
export interface Received {
  /** URLs, headers and bodies of all HTTP answers. Throws an error without `recordAnswers`. */
  readonly answers: readonly string[];
  /** Received frames of all WebSockets. */
  readonly frames: readonly (string | Buffer)[];
  /** Waits until the bodies of all answers so far are in `answers`. */
  complete(): Promise<void>;
}

export type UserName = 'student' | 'friend' | 'instructor';

/** A user with a browser context of their own. */
export interface BrowserUser {
  readonly page: Page;
  /** What the pages did wrong. Must stay empty. */
  readonly faults: string[];
  readonly received: Received;
  /** The number of WebSockets that the page has opened so far. */
  sockets(): number;
  /** Signs in without the page for it, which would take as long as a console. */
  signIn(name: UserName): Promise<void>;
  /** Visits the list of machines. */
  visitMachines(): Promise<void>;
  visitConsole(vmid: number, mode?: 'view'): Promise<void>;
  /** Visits the console and waits for its picture. */
  openConsole(vmid: number, mode?: 'view'): Promise<void>;
  /** Another tab of the same browser. */
  anotherTab(): Promise<BrowserUser>;
  waitForState(state: string): Promise<void>;
  closedWith(code: number): Promise<void>;
  /** Waits for a heading on the page. */
  hasHeading(title: string | RegExp): Promise<void>;
  canvas(): ReturnType<Page['locator']>;
  /** The pixels that noVNC shows now. */
  picture(): Promise<Picture>;
  /** Types into the machine. */
  type(text: string): Promise<void>;
  /** Closes the browser context. */
  close(): Promise<void>;
}

export async function openBrowserUser(
  browser: Browser,
  origin: string,
  { recordAnswers = false, ...options }: BrowserUserOptions = {},
): Promise<BrowserUser> {
  const { page, faults, context } = await browser.open({
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  await context.addInitScript(reportCloseCodes);
  return createBrowserUser(page, { origin, faults, recordAnswers, leave: () => context.close() });
}

function createBrowserUser(
  page: Page,
  context: {
    readonly origin: string;
    readonly faults: string[];
    readonly recordAnswers: boolean;
    readonly leave: () => Promise<void>;
  },
): BrowserUser {
  const { origin, faults, recordAnswers, leave } = context;
  const received = recordAnswers ? record(page) : recordFrames(page);
  let sockets = 0;
  page.on('websocket', () => sockets++);
  // `reportCloseCodes` logs this in the page.
  page.on('console', (message) => {
    if (message.text().startsWith(closeCodeShown)) faults.push(message.text());
  });

  const user: BrowserUser = {
    page,
    faults,
    received,
    sockets: () => sockets,
    async signIn(name) {
      const answer = await page.context().request.post(`${origin}/api/v1/login`, {
        headers: { 'sec-fetch-site': 'same-origin' },
        data: { username: name, password },
      });
      if (!answer.ok()) throw new Error(`${name} can't sign in: ${await answer.text()}`);
    },
    async visitMachines() {
      await page.goto(origin);
      await page.locator('body[data-page=machines]').waitFor();
    },
    async visitConsole(vmid, mode) {
      await page.goto(`${origin}/console/lab/${vmid}${mode ? `?mode=${mode}` : ''}`);
    },
    async openConsole(vmid, mode) {
      await user.visitConsole(vmid, mode);
      await waitForState(page, 'open');
    },
    async anotherTab() {
      const tab = await page.context().newPage();
      return createBrowserUser(tab, { ...context, leave: () => tab.close() });
    },
    waitForState: (state) => waitForState(page, state),
    closedWith: (code) => page.locator(`body[data-close="${code}"]`).waitFor({ state: 'attached' }),
    hasHeading: (title) => page.getByRole('heading', { name: title }).waitFor(),
    canvas: () => page.locator('#screen canvas'),
    picture: () => pictureOf(page),
    async type(text) {
      await user.canvas().focus();
      await page.keyboard.type(text);
    },
    close: leave,
  };
  return user;
}

/** Fills in and submits the sign-in page. */
export async function signInHere(
  { page }: Pick<BrowserUser, 'page'>,
  name = 'student',
  secret = password,
): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const closeCodeShown = 'A number is shown: ';

/** Runs in each page and reports every text that contains the close code of a broken connection. */
function reportCloseCodes() {
  const look = () => {
    const found = /.{0,20}\b100[56]\b.{0,20}/.exec(document.getElementById('app')?.textContent ?? '');
    // The test reads the page's console.
    if (found) console.log(`A number is shown: ${found[0]}`);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}

function recordFrames(page: Page): Received {
  const frames: (string | Buffer)[] = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(payload)));
  return {
    frames,
    get answers(): never {
      throw new Error('The answers are recorded with `recordAnswers` only.');
    },
    complete: () => Promise.resolve(),
  };
}

function record(page: Page): Received {
  const answers: string[] = [];
  const pending = new Set<Promise<void>>();
  page.on('response', (response) => {
    const work = (async () => {
      answers.push(JSON.stringify([response.url(), await response.headersArray()]));
      // Redirects have no body, and the body of a page that was left can be gone.
      const body = await response.body().catch(() => Buffer.alloc(0));
      answers.push(body.toString('latin1'));
    })().catch(() => {});
    pending.add(work);
    void work.then(() => pending.delete(work));
  });
  return {
    answers,
    frames: recordFrames(page).frames,
    async complete() {
      await eventually('all answers were read', () => pending.size === 0);
    },
  };
}

async function pictureOf(page: Page): Promise<Picture> {
  const { width, height, pixels } = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#screen canvas');
    const context = canvas?.getContext('2d');
    if (!canvas || !context || canvas.width === 0) return { width: 0, height: 0, pixels: '' };
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const parts: string[] = [];
    for (let at = 0; at < data.length; at += 0x8000)
      parts.push(String.fromCharCode(...data.subarray(at, at + 0x8000)));
    return { width: canvas.width, height: canvas.height, pixels: btoa(parts.join('')) };
  });
  const rgba = Buffer.from(pixels, 'base64');
  const data = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) rgba.copy(data, pixel * 3, pixel * 4, pixel * 4 + 3);
  return { width, height, data };
}
