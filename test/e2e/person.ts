import type { BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import type { Picture } from '../fakes/guests/ppm.ts';
import { waitForState, type Browser } from '../web/browser.ts';
import { password } from './stack.ts';

/** All that a browser was given, for whoever wants to search it. */
export interface Received {
  /** Headers and bodies of all answers. */
  readonly answers: readonly string[];
  /** Frames of all WebSockets, as they came. */
  readonly frames: readonly (string | Buffer)[];
  /** Resolves when the bodies of all answers so far are in `answers`. */
  complete(): Promise<void>;
}

/** Somebody at a browser of their own. */
export interface Person {
  readonly page: Page;
  /** What the pages did wrong; must stay empty. */
  readonly faults: string[];
  readonly received: Received;
  /** How many WebSockets this browser has opened so far. */
  sockets(): number;
  signIn(name: 'student' | 'instructor'): Promise<void>;
  visitConsole(vmid: number, mode?: 'view'): Promise<void>;
  /** Visits it and waits for its picture. */
  openConsole(vmid: number, mode?: 'view'): Promise<void>;
  /** Another tab of the same browser. */
  anotherTab(): Promise<Person>;
  reaches(state: string): Promise<void>;
  closedWith(code: number): Promise<void>;
  /** Waits until that is a heading on the page. */
  reads(title: string | RegExp): Promise<void>;
  canvas(): ReturnType<Page['locator']>;
  /** The pixels that noVNC shows now. */
  picture(): Promise<Picture>;
  /** Into the machine. */
  type(text: string): Promise<void>;
  /** Closes the browser's window, after a look at what went wrong. */
  leave(): Promise<void>;
}

export async function aPerson(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const { page, faults, context } = await browser.open({
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  await context.addInitScript(watchForNumbers);
  return createPerson(page, origin, faults, () => context.close());
}

function createPerson(page: Page, origin: string, faults: string[], leave: () => Promise<void>): Person {
  const received = record(page);
  let sockets = 0;
  page.on('websocket', () => sockets++);
  // A tool for tests, told by the page below whenever a close code was put where people read.
  page.on('console', (message) => {
    if (message.text().startsWith(numberShown)) faults.push(message.text());
  });

  const person: Person = {
    page,
    faults,
    received,
    sockets: () => sockets,
    async signIn(name) {
      await page.goto(origin);
      await signInHere(person, name);
      await page.locator('body[data-page=machines]').waitFor();
    },
    async visitConsole(vmid, mode) {
      await page.goto(`${origin}/console/lab/${vmid}${mode ? `?mode=${mode}` : ''}`);
    },
    async openConsole(vmid, mode) {
      await person.visitConsole(vmid, mode);
      await waitForState(page, 'open');
    },
    async anotherTab() {
      const tab = await page.context().newPage();
      return createPerson(tab, origin, faults, () => tab.close());
    },
    reaches: (state) => waitForState(page, state),
    closedWith: (code) => page.locator(`body[data-close="${code}"]`).waitFor({ state: 'attached' }),
    reads: (title) => page.getByRole('heading', { name: title }).waitFor(),
    canvas: () => page.locator('#screen canvas'),
    picture: () => pictureOf(page),
    async type(text) {
      await person.canvas().focus();
      await page.keyboard.type(text);
    },
    leave,
  };
  return person;
}

/** Fills in the sign-in page that is shown. */
export async function signInHere(
  { page }: Pick<Person, 'page'>,
  name = 'student',
  secret = password,
): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const numberShown = 'A number is shown: ';

/** Runs in each page: reports any text, ever so short, that has the number of a broken connection in it. */
function watchForNumbers() {
  const look = () => {
    const found = /.{0,20}\b100[56]\b.{0,20}/.exec(document.getElementById('app')?.textContent ?? '');
    // The page's own console is how the test hears of it.
    if (found) console.log(`A number is shown: ${found[0]}`);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}

function record(page: Page): Received {
  const answers: string[] = [];
  const frames: (string | Buffer)[] = [];
  const pending = new Set<Promise<void>>();
  page.on('response', (response) => {
    const work = (async () => {
      answers.push(JSON.stringify([response.url(), await response.headersArray()]));
      // Redirects have none, and a page that was left may have taken its own along.
      const body = await response.body().catch(() => Buffer.alloc(0));
      answers.push(body.toString('latin1'));
    })().catch(() => {});
    pending.add(work);
    void work.then(() => pending.delete(work));
  });
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(payload)));
  return {
    answers,
    frames,
    async complete() {
      await eventually('all answers are read', () => pending.size === 0);
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
