import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import type { BrowserUser } from './browser-user.ts';
import { useBrowser, useScene } from './scene.ts';

/** Exposes the console's WebSocket, as developer tools can. */
async function openTheBonnet({ page }: BrowserUser): Promise<void> {
  await page.context().addInitScript(() => {
    const Original = WebSocket;
    window.WebSocket = class extends Original {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        Object.assign(window, { line: this });
      }
    };
  });
}

const send = ({ page }: BrowserUser, bytes: readonly number[]) =>
  page.evaluate((message) => {
    (Reflect.get(window, 'line') as WebSocket).send(new Uint8Array(message));
  }, bytes);

const x = 0x78;
const pressX = [4, 1, 0, 0, 0, 0, 0, x, 4, 0, 0, 0, 0, 0, 0, x];
const click = [5, 1, 0, 50, 0, 50, 5, 0, 0, 50, 0, 50];
const clipboard = [6, 0, 0, 0, 0, 0, 0, 2, x, x];

describeWith('chromium')('a user who tampers with the page', () => {
  const browser = useBrowser();
  const scene = useScene(browser);

  test("can't type, click or paste into a view-only machine", async () => {
    const { student, one, stack } = scene;
    await openTheBonnet(student);
    await student.openConsole(100, 'view');
    await send(student, [...pressX, ...click, ...clipboard]);
    await student.page.goto(stack.origin);
    // By then, the relay has read everything that was sent.
    await eventually('the console has ended', () =>
      stack.logged.some((line) => line.includes('console ended')),
    );
    expect(one.keys()).toBe('');
    expect(one.pointer()).toMatchObject({ x: 0, y: 0, buttons: 0 });
    expect(one.clipboard()).toBe('');
  });

  test('can do all that with the same bytes in control mode', async () => {
    const { student, two } = scene;
    await openTheBonnet(student);
    await student.openConsole(101);
    await eventually('the machine shows its prompt', () => two.text().some((row) => row.includes(':~$')));
    await send(student, [...pressX, ...click, ...clipboard]);
    await eventually('everything arrives', () => two.keys() === 'x' && two.clipboard() === 'xx');
    expect(two.pointer()).toMatchObject({ x: 50, y: 50 });
  });

  test('ends only their own console by sending invalid RFB messages', async () => {
    const { student, stack } = scene;
    const instructor = await scene.signInAs('instructor');
    await instructor.openConsole(100);
    await openTheBonnet(student);
    await student.openConsole(100);
    await send(student, [0xee, 0xee, 0xee, 0xee]);
    await student.closedWith(1002);
    await student.hasHeading('The viewer violated the protocol.');
    await instructor.waitForState('open');
    expect(stack.proxmox.openConsoles(100)).toBe(1);
  });

  test("can't make the relay buffer too much", async () => {
    const { student } = scene;
    await openTheBonnet(student);
    await student.openConsole(100);
    // Valid update requests: only the size of the message is wrong.
    await student.page.evaluate(() => {
      const request = [3, 1, 0, 0, 0, 0, 0, 1, 0, 1];
      const message = Uint8Array.from({ length: 8 * 1024 * 1024 }, (_, at) => request[at % 10] ?? 0);
      (Reflect.get(window, 'line') as WebSocket).send(message);
    });
    await student.closedWith(1009);
    await student.waitForState('ended');
  });
});
