import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import { eventually } from '../eventually.ts';
import { createBuiltinGuest, type BuiltinGuest } from '../fakes/guests/builtin.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { aPerson, type Person } from './person.ts';
import { startStack, type Stack, type StackOptions } from './stack.ts';

/** Short enough for a test, and long enough for a slow computer to do the work in. */
const deadlines = { firstByte: 1500, console: 3000, diagnose: 3000 };

/** A stack with two machines and a student who is signed in, for all tests of one `describe`. */
export interface Scene {
  readonly stack: Stack;
  /** 100 on pve1. */
  readonly one: BuiltinGuest;
  /** 101 on pve2. */
  readonly two: BuiltinGuest;
  /** New for each test. */
  readonly student: Person;
  /** One more person, signed in, who leaves at the end of the test. */
  somebody(name: 'student' | 'instructor'): Promise<Person>;
}

export function useBrowser(): () => Browser {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  return () => browser;
}

export function useScene(browser: () => Browser, options: Omit<StackOptions, 'machines'> = {}): Scene {
  const one = createBuiltinGuest({ name: 'student-one' });
  const two = createBuiltinGuest({ name: 'student-two' });
  let stack: Stack;
  let student: Person;
  let people: Person[] = [];

  async function somebody(name: 'student' | 'instructor'): Promise<Person> {
    const person = await aPerson(browser(), stack.origin);
    people.push(person);
    await person.signIn(name);
    return person;
  }

  beforeAll(async () => {
    stack = await startStack({
      machines: [
        { vmid: 100, node: 'pve1', name: 'student-one', guest: one },
        { vmid: 101, node: 'pve2', name: 'student-two', guest: two },
      ],
      apart: true,
      deadlines,
      ...options,
    });
  });
  beforeEach(async () => {
    people = [];
    student = await somebody('student');
  });
  afterEach(async () => {
    for (const person of people) await person.leave();
    expect(people.flatMap(({ faults }) => faults)).toEqual([]);
    await eventually('no console stays behind', () => stack.proxmox.openConsoles() === 0);
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
    somebody,
  };
}

/** The page says what the relay's error says, and knows its code. */
export async function isTold(person: Person, code: ErrorCode): Promise<void> {
  const { close, text } = errorKinds[code];
  await person.closedWith(closeCodes[close].code);
  await person.reads(text);
}

/** The console is over, and the page offers to open it again, or only the way back. */
export async function isOver(person: Person, { openAgain }: { openAgain: boolean }): Promise<void> {
  await person.reaches('ended');
  await person.page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
  expect(await person.page.getByRole('button', { name: 'Reopen console' }).count()).toBe(openAgain ? 1 : 0);
  // What to quote to those who run the service.
  expect(await person.page.locator('.support code').innerText()).toMatch(/^[\w-]{8,}$/);
}

export const openAgain = (person: Person) =>
  person.page.getByRole('button', { name: 'Reopen console' }).click();
export const tryNow = (person: Person) => person.page.getByRole('button', { name: 'Try now' }).click();

/** Keeps the next grant from the page, after the broker gave it, until `release`. */
export async function holdGrant(person: Person): Promise<{ granted: Promise<string>; release(): void }> {
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
