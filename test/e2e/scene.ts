import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import { eventually } from '../eventually.ts';
import { createBuiltinGuest, type BuiltinGuest } from '../fakes/guests/builtin.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { openBrowserUser, type BrowserUser, type UserName } from './browser-user.ts';
import { startStack, type Stack, type StackOptions } from './stack.ts';

/** Short enough for a test and long enough for a slow computer. */
const deadlines = { firstByte: 1500, console: 3000, diagnose: 3000, unwatchedScreen: 2000 };

/** A stack with two machines for all tests of a `describe`, and a signed-in student for each test. */
export interface Scene {
  readonly stack: Stack;
  /** 100 on pve1. */
  readonly one: BuiltinGuest;
  /** 101 on pve2. */
  readonly two: BuiltinGuest;
  /** Signed in. New for each test. */
  readonly student: BrowserUser;
  /** Another signed-in user, whose browser is closed after the test. */
  signInAs(name: UserName): Promise<BrowserUser>;
}

export function useBrowser(): () => Browser {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  return () => browser;
}

export function useScene(
  browser: () => Browser,
  options: Omit<StackOptions, 'machines'> & { readonly moreMachines?: StackOptions['machines'] } = {},
): Scene {
  const one = createBuiltinGuest({ name: 'student-one' });
  const two = createBuiltinGuest({ name: 'student-two' });
  let stack: Stack;
  let student: BrowserUser;
  let users: BrowserUser[] = [];

  async function signInAs(name: UserName): Promise<BrowserUser> {
    const user = await openBrowserUser(browser(), stack.origin);
    users.push(user);
    await user.signIn(name);
    return user;
  }

  beforeAll(async () => {
    // Here, because some tests find out their ports and addresses right before.
    const { moreMachines = [], ...others } = options;
    stack = await startStack({
      machines: [
        { vmid: 100, node: 'pve1', name: 'student-one', guest: one },
        { vmid: 101, node: 'pve2', name: 'student-two', guest: two },
        ...moreMachines,
      ],
      separate: true,
      deadlines,
      ...others,
    });
  });
  beforeEach(async () => {
    users = [];
    student = await signInAs('student');
  });
  afterEach(async () => {
    for (const user of users) await user.close();
    expect(users.flatMap(({ faults }) => faults)).toEqual([]);
    await eventually('all consoles are closed', () => stack.proxmox.openConsoles() === 0);
    expect(stack.proxmox.violations).toEqual([]);
  });
  afterAll(() => stack.stop());

  return {
    one,
    two,
    get stack() {
      return stack;
    },
    get student() {
      return student;
    },
    signInAs,
  };
}

/** Waits until the page shows the message of an error and has received its close code. */
export async function showsError(person: BrowserUser, code: ErrorCode): Promise<void> {
  const { close, text } = errorKinds[code];
  await person.closedWith(closeCodes[close].code);
  await person.hasHeading(text);
}

/** Waits until the console has ended. `canReopen`: whether the page offers to reopen it. */
export async function showsEnd(person: BrowserUser, { canReopen }: { canReopen: boolean }): Promise<void> {
  await person.waitForState('ended');
  await person.page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
  expect(await person.page.getByRole('button', { name: 'Open again' }).count()).toBe(canReopen ? 1 : 0);
  // The number that users quote to support.
  expect(await person.page.locator('.support code').innerText()).toMatch(/^[\w-]{8,}$/);
}

export const openAgain = (person: BrowserUser) =>
  person.page.getByRole('button', { name: 'Open again' }).click();
export const tryNow = (person: BrowserUser) => person.page.getByRole('button', { name: 'Try now' }).click();

/** Holds back the broker's next grant until `release`. */
export async function holdGrant(person: BrowserUser): Promise<{ granted: Promise<string>; release(): void }> {
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  let give: (body: string) => void;
  const granted = new Promise<string>((resolve) => (give = resolve));
  await person.page.route(
    '**/grants',
    async (route) => {
      const response = await route.fetch();
      give(await response.text());
      await gate;
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  return { granted, release: () => release() };
}
