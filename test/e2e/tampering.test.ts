import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import type { Person } from './person.ts';
import { useBrowser, useScene } from './scene.ts';

/** Gives whoever sits at the browser the console's WebSocket, as developer tools do. */
async function openTheBonnet({ page }: Person): Promise<void> {
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

const send = ({ page }: Person, bytes: readonly number[]) =>
  page.evaluate((message) => {
    (Reflect.get(window, 'line') as WebSocket).send(new Uint8Array(message));
  }, bytes);

const x = 0x78;
const pressX = [4, 1, 0, 0, 0, 0, 0, x, 4, 0, 0, 0, 0, 0, 0, x];
const click = [5, 1, 0, 50, 0, 50, 5, 0, 0, 50, 0, 50];
const clipboard = [6, 0, 0, 0, 0, 0, 0, 2, x, x];

describeWith('chromium')('somebody who tampers with the page', () => {
  const browser = useBrowser();
  const scene = useScene(browser);

  test('can not type, click or paste into a machine that they may only watch', async () => {
    const { student, one, stack } = scene;
    await openTheBonnet(student);
    await student.openConsole(100, 'view');
    await send(student, [...pressX, ...click, ...clipboard]);
    await student.page.goto(stack.origin);
    // Then the relay has read all that was sent.
    await eventually('the console is over', () =>
      stack.logged.some((line) => line.includes('console ended')),
    );
    expect(one.keys()).toBe('');
    expect(one.pointer()).toMatchObject({ x: 0, y: 0, buttons: 0 });
    expect(one.clipboard()).toBe('');
  });

  test('the same bytes do all that for somebody in control', async () => {
    const { student, two } = scene;
    await openTheBonnet(student);
    await student.openConsole(101);
    await eventually('it asks for commands', () => two.text().some((row) => row.includes(':~$')));
    await send(student, [...pressX, ...click, ...clipboard]);
    await eventually('all of it arrives', () => two.keys() === 'x' && two.clipboard() === 'xx');
    expect(two.pointer()).toMatchObject({ x: 50, y: 50 });
  });

  test('ends their own console with bytes that are no message of a viewer, and nothing else', async () => {
    const { student, stack } = scene;
    const instructor = await scene.somebody('instructor');
    await instructor.openConsole(100);
    await openTheBonnet(student);
    await student.openConsole(100);
    await send(student, [0xee, 0xee, 0xee, 0xee]);
    await student.closedWith(1002);
    await student.reads('The viewer violated the protocol.');
    await instructor.reaches('open');
    expect(stack.proxmox.openConsoles(100)).toBe(1);
  });

  test('can not make the relay take in more than it should', async () => {
    const { student } = scene;
    await openTheBonnet(student);
    await student.openConsole(100);
    // Of harmless update requests, so that nothing is wrong with the message but its size.
    await student.page.evaluate(() => {
      const request = [3, 1, 0, 0, 0, 0, 0, 1, 0, 1];
      const message = Uint8Array.from({ length: 8 * 1024 * 1024 }, (_, at) => request[at % 10] ?? 0);
      (Reflect.get(window, 'line') as WebSocket).send(message);
    });
    await student.closedWith(1009);
    await student.reaches('ended');
  });
});
