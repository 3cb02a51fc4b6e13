import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import type { Page } from 'playwright-core';
import { reaches, startBrowser, type Browser } from './browser.ts';
import { describeWith } from '../needs.ts';
import { aMachine, openAtOnce, startSite, type Opened, type Site } from './site.ts';

let browser: Browser;
let site: Site;
let page: Page;
let faults: string[];

const newest = () => site.opened.at(-1) as Opened;
const said = (text: string) => page.getByRole('heading', { name: text }).waitFor();
const closedWith = (code: number) =>
  page.locator(`body[data-close="${code}"]`).waitFor({ state: 'attached' });
const namesWith = (action: string) =>
  (Object.keys(closeCodes) as CloseName[]).filter((name) => closeCodes[name].pageAction === action);

async function openConsole(path = '/console/lab/100'): Promise<void> {
  await page.goto(site.origin + path);
  await reaches(page, 'open');
}

/** Messages of one type that the machine got from the viewer. */
const got = (type: number) => newest().heard.filter((each) => each.type === type);

/** Keys that went down in the machine, as keysyms. */
const keysDown = () =>
  got(4)
    .filter(({ bytes }) => bytes[1] === 1)
    .map(({ bytes }) => bytes.readUInt32BE(4));

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 500) throw new Error(`This never came true: ${condition.toString()}`);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The colour in the middle of the screen. */
const colour = () =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#screen canvas');
    const middle = canvas?.getContext('2d')?.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
    return [...(middle ?? [])];
  });

describeWith('chromium')('the console', () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    ({ page, faults } = await browser.open({ viewport: { width: 1280, height: 800 } }));
  });
  afterEach(async () => {
    expect(await page.locator('body').innerText()).not.toMatch(/1006|1005/);
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  test('says where it is on the way, then shows the picture in full size', async () => {
    site.script = ({ say }) => say({ type: 'queued', position: 3 });
    await page.goto(`${site.origin}/console/lab/100`);
    await reaches(page, 'queued');
    await page.getByText('2 people before you', { exact: true }).waitFor();
    newest().say({ type: 'opening', step: 'authenticate' });
    await page.getByText('Unlocking the console', { exact: true }).waitFor();
    newest().say({ type: 'opened', mode: 'control' });
    await reaches(page, 'picture');
    newest().rfb.start();
    await reaches(page, 'open');
    expect(await page.title()).toBe('web-1 – Porthole');
    expect(await colour()).toEqual([31, 122, 120, 255]);
    const box = await page.locator('#screen canvas').boundingBox();
    expect(Math.round(box?.height ?? 0)).toBe(800);
    expect(site.grants).toEqual([{ vmid: '100', mode: 'control' }]);
  });

  test('a message that a newer relay sends does no harm', async () => {
    site.script = (opened) => {
      opened.say({ type: 'from the future', value: 1 });
      opened.socket.send('not even JSON');
      openAtOnce(opened);
    };
    await openConsole();
  });

  test('a change of resolution is followed', async () => {
    await openConsole();
    newest().rfb.resize(100, 40);
    await page.waitForFunction(
      () => document.querySelector<HTMLCanvasElement>('#screen canvas')?.width === 100,
    );
    await page.waitForFunction(() => {
      const box = document.querySelector('#screen canvas')?.getBoundingClientRect();
      return Math.round(box?.width ?? 0) === innerWidth;
    });
  });

  describe('each close code', () => {
    test.each([...namesWith('show-message'), ...namesWith('offer-reopen')])(
      '%s says its sentence',
      async (name) => {
        await openConsole();
        const { code, text, pageAction } = closeCodes[name];
        newest().close(code);
        await reaches(page, 'ended');
        await said(text);
        await page.getByText('support-1').waitFor();
        await page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
        expect(await page.getByRole('button', { name: 'Open again' }).count()).toBe(
          pageAction === 'show-message' ? 0 : 1,
        );
        if (pageAction === 'show-message') return;
        await page.keyboard.press('Enter');
        await reaches(page, 'open');
        expect(site.opened).toHaveLength(2);
      },
    );

    test.each(namesWith('retry'))('%s is tried again, with a countdown', async (name) => {
      await openConsole();
      site.grantReplies.push({ status: 503, code: 'store_unavailable', retryAfter: 600 });
      newest().close(closeCodes[name].code);
      await said(closeCodes[name].text);
      // The broker's own pause is long enough to be read.
      await page.getByText(/Trying again in \d{3} s/).waitFor();
      await page.getByRole('button', { name: 'Try now' }).click();
      await reaches(page, 'open');
    });

    test.each(namesWith('new-grant-once'))('%s asks for one new grant, then says it', async (name) => {
      await openConsole();
      site.script = ({ close }) => close(closeCodes[name].code);
      newest().close(closeCodes[name].code);
      await reaches(page, 'ended');
      await said(closeCodes[name].text);
      expect(site.grants).toHaveLength(2);
    });

    test.each(namesWith('wait-for-machine'))('%s waits until the machine runs', async (name) => {
      await openConsole();
      site.machines = [aMachine({ status: 'stopped' })];
      newest().close(closeCodes[name].code);
      await reaches(page, 'waiting');
      await said('The machine is off.');
      site.machines = [aMachine()];
      await reaches(page, 'open');
      expect(site.opened).toHaveLength(2);
    });

    test('moving: reconnects silently over the last picture', async () => {
      await openConsole();
      site.script = () => {};
      newest().close(closeCodes.moving.code);
      await closedWith(closeCodes.moving.code);
      await page.locator('body[data-quiet="true"]').waitFor({ state: 'attached' });
      expect(await page.locator('#still').isVisible()).toBe(true);
      expect(await page.getByRole('heading').count()).toBe(0);
      await until(() => site.opened.length === 2);
      openAtOnce(newest());
      await reaches(page, 'open');
      expect(await page.locator('#still').isVisible()).toBe(false);
    });
  });

  test('a connection that breaks comes back by itself, and nobody reads a number', async () => {
    await openConsole();
    newest().socket.terminate();
    await reaches(page, 'retrying');
    await said('The connection was lost.');
    expect(await page.locator('body').innerText()).not.toContain('1006');
    await reaches(page, 'open');
  });

  describe('an announced end', () => {
    const notice = () => page.locator('.notice');
    const texts: string[] = [];
    /** Open, and the relay has announced something. */
    async function announce(kind: 'idle' | 'time', extend: boolean): Promise<void> {
      await openConsole();
      texts.length = 0;
      newest().socket.on('message', (data, binary) => {
        if (!binary) texts.push((data as Buffer).toString());
      });
      newest().say({ type: 'notice', notice: kind, seconds: 90, extend });
      await notice().waitFor();
    }

    test('is said beside the screen, with the time that is left, while work goes on', async () => {
      await announce('idle', true);
      expect(await notice().innerText()).toMatch(/Are you still there\?.*1:(30|2\d)/s);
      await page.keyboard.press('x');
      await until(() => keysDown().includes(0x78));
      await notice().getByText(/1:2\d/).waitFor();
      newest().say({ type: 'notice_over', notice: 'idle' });
      await notice().waitFor({ state: 'detached' });
      expect(faults).toEqual([]);
    });

    test('can be put off by the mouse, and the keyboard is the machine’s again', async () => {
      await announce('time', true);
      await page.getByRole('button', { name: 'Keep it open' }).click();
      await until(() => texts.length > 0);
      expect(texts).toEqual(['{"type":"extend"}']);
      await page.keyboard.press('y');
      await until(() => keysDown().includes(0x79));
      expect(faults).toEqual([]);
    });

    test('can be put off without a mouse', async () => {
      await announce('idle', true);
      await page.keyboard.press('Control+Alt+Shift');
      await page.locator('.notice button:focus').waitFor();
      await page.keyboard.press('Enter');
      await until(() => texts.length > 0);
      expect(texts).toEqual(['{"type":"extend"}']);
    });

    test('that can not be put off offers nothing', async () => {
      await announce('time', false);
      expect(await notice().innerText()).toContain('The time for this console is nearly over.');
      expect(await notice().getByRole('button').count()).toBe(0);
      expect(await page.locator('.visually-hidden[role=status]').innerText()).toContain('nearly over');
    });
  });

  test('a lost relay costs a moment of "Reconnecting": the picture stays, and the token is used', async () => {
    await openConsole();
    newest().say({ type: 'resume', token: 'r'.repeat(43) });
    newest().say({ type: 'moving' });
    // What came before is read when this is shown.
    newest().say({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
    await page.locator('.notice').waitFor();
    const offered = new Promise<string>((resolve) => {
      site.script = (opened) => {
        resolve(site.offered.at(-1) ?? '');
        openAtOnce(opened);
      };
    });
    newest().socket.terminate();
    expect(await offered).toContain(`porthole.grant.${'r'.repeat(43)}`);
    await reaches(page, 'open');
    expect(site.grants).toHaveLength(1);
    expect(await page.locator('.veil').count()).toBe(0);
  });

  test('without a network it waits for one', async () => {
    await openConsole();
    await page.context().setOffline(true);
    newest().socket.terminate();
    await said('You are offline.');
    await page.context().setOffline(false);
    await reaches(page, 'open');
  });

  test('something that is not a screen is treated like a broken connection', async () => {
    site.script = ({ say, socket }) => {
      say({ type: 'opened', mode: 'control' });
      socket.send(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
    };
    await page.goto(`${site.origin}/console/lab/100`);
    await reaches(page, 'retrying');
    // noVNC itself reports this one, rightly.
    expect(faults.splice(0).join()).toContain('Invalid server version');
  });

  describe('what the broker refuses', () => {
    test('a machine of somebody else', async () => {
      site.grantReplies.push({ status: 404, code: 'machine_not_found' });
      await page.goto(`${site.origin}/console/lab/999`);
      await said('This machine does not exist or is not yours.');
    });

    test('too many tries: waits as long as it is told', async () => {
      site.grantReplies.push({ status: 429, code: 'rate_limited', retryAfter: 1 });
      await page.goto(`${site.origin}/console/lab/100`);
      await reaches(page, 'open');
    });

    test('a session that ended meanwhile: leads to the sign-in page and back', async () => {
      await openConsole();
      site.signedIn = false;
      newest().close(closeCodes.moving.code);
      await page.getByText('You were signed out.').waitFor();
      await page.fill('#username', 'ada');
      await page.fill('#password', 'sesame');
      await page.keyboard.press('Enter');
      await reaches(page, 'open');
    });

    test('an address that is none', async () => {
      await page.goto(`${site.origin}/console/lab`);
      await said('This address leads nowhere.');
    });
  });

  describe('the toolbar', () => {
    test('Ctrl+Alt+Shift leads out of the screen, Escape back in, and no key stays down', async () => {
      await openConsole();
      await page.waitForFunction(() => document.activeElement?.tagName === 'CANVAS');
      await page.keyboard.press('a');
      await page.keyboard.down('Control');
      await page.keyboard.down('Alt');
      await page.keyboard.down('Shift');
      await page.keyboard.up('Shift');
      await page.waitForFunction(() => document.activeElement?.closest('[role=toolbar]') !== null);
      await page.keyboard.up('Alt');
      await page.keyboard.up('Control');
      await until(() => {
        const downs = new Map<number, number>();
        for (const { bytes } of got(4)) downs.set(bytes.readUInt32BE(4), bytes[1] ?? 0);
        return downs.size >= 4 && [...downs.values()].every((down) => down === 0);
      });
      expect(keysDown()).toContain(0x61);
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Escape');
      await page.waitForFunction(() => document.activeElement?.tagName === 'CANVAS');
    });

    test('hides by itself and comes back at the upper edge', async () => {
      await openConsole();
      await page.mouse.move(600, 400);
      await page.locator('.bar[data-shown="false"]').waitFor({ state: 'attached' });
      await page.mouse.move(600, 1);
      await page.locator('.bar[data-shown="true"]').waitFor();
    });

    test('sends Ctrl-Alt-Del', async () => {
      await openConsole();
      await page.getByRole('button', { name: 'Send Ctrl-Alt-Del' }).click();
      await until(() => keysDown().length === 3);
      expect(keysDown()).toEqual([0xffe3, 0xffe9, 0xffff]);
      // What is typed next is meant for the machine, not for the button.
      await page.keyboard.press('Space');
      await until(() => keysDown().includes(0x20));
    });

    test('the clipboard goes both ways', async () => {
      await openConsole();
      await page.getByRole('button', { name: 'Clipboard' }).click();
      await page.getByLabel('To the machine').fill('hello');
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await until(() => got(6).length === 1);
      expect(got(6)[0]?.bytes.subarray(8).toString()).toBe('hello');
      newest().rfb.cutText('from there');
      await page.waitForFunction(
        () => document.querySelector<HTMLTextAreaElement>('#incoming')?.value === 'from there',
      );
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    });

    test('text can be typed key by key', async () => {
      await openConsole();
      await page.getByRole('button', { name: 'Clipboard' }).click();
      await page.getByLabel('To the machine').fill('aB\n');
      await page.getByRole('button', { name: 'Type it as keys' }).click();
      await page.getByText('Typed.').waitFor();
      await until(() => keysDown().length === 4);
      expect(keysDown()).toEqual([0x61, 0xffe1, 0x42, 0xff0d]);
    });

    test('reconnects on demand, over the last picture', async () => {
      await openConsole();
      await page.getByRole('button', { name: 'Reconnect' }).click();
      await until(() => site.opened.length === 2);
      await reaches(page, 'open');
    });

    test('shows the original size', async () => {
      await openConsole();
      await page.getByRole('button', { name: 'Original size' }).click();
      await page.waitForFunction(
        () => document.querySelector('#screen canvas')?.getBoundingClientRect().width === 64,
      );
    });
  });

  describe('where the clipboard is limited', () => {
    const opens = (clipboard: 'in' | 'out' | 'none') => {
      site.script = ({ say, rfb }) => {
        say({ type: 'opened', mode: 'control', clipboard });
        rfb.start();
      };
      return openConsole();
    };
    const clipboard = () => page.getByRole('button', { name: 'Clipboard' });

    test('it offers to paste alone', async () => {
      await opens('in');
      await clipboard().click();
      await page.getByLabel('To the machine').waitFor();
      expect(await page.getByLabel('From the machine').count()).toBe(0);
    });

    test('it offers to copy alone, and no way around it', async () => {
      await opens('out');
      await clipboard().click();
      await page.getByLabel('From the machine').waitFor();
      expect(await page.getByLabel('To the machine').count()).toBe(0);
      expect(await page.getByRole('button', { name: 'Type it as keys' }).count()).toBe(0);
    });

    test('it offers nothing that would do nothing', async () => {
      await opens('none');
      await page.getByRole('button', { name: 'Keyboard' }).waitFor();
      expect(await clipboard().count()).toBe(0);
    });
  });

  test('who looks on is said as long as they do, where a screen reader hears it', async () => {
    await openConsole();
    const status = page.locator('.watched-place[role=status]');
    expect(await status.textContent()).toBe('');
    newest().say({ type: 'observers', by: ['Ina Instructor'], others: 0 });
    await status.getByText('Ina Instructor is watching', { exact: true }).waitFor();
    newest().say({ type: 'observers', by: ['Bo', 'Cleo', 'Dan', 'Eva'], others: 2 });
    await status.getByText('Bo, Cleo, Dan, Eva and 2 others are watching', { exact: true }).waitFor();
    newest().say({ type: 'observers', by: [], others: 0 });
    await page.locator('.watched').waitFor({ state: 'detached' });
    // Whoever reconnects is told anew.
    newest().say({ type: 'observers', by: ['Ina Instructor'], others: 0 });
    await status.getByText('Ina Instructor is watching', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Reconnect' }).click();
    await until(() => site.opened.length === 2);
    await reaches(page, 'open');
    expect(await status.textContent()).toBe('');
  });

  test('view only: no key, no click, no clipboard reaches the machine, and it says so', async () => {
    site.script = ({ say, rfb }) => {
      say({ type: 'opened', mode: 'view' });
      rfb.start();
    };
    await openConsole('/console/lab/100?mode=view');
    expect(site.grants[0]?.mode).toBe('view');
    await page.getByText('View only', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Send Ctrl-Alt-Del' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Keyboard' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Clipboard' }).click();
    expect(await page.getByLabel('To the machine').count()).toBe(0);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.mouse.click(640, 400);
    await page.keyboard.press('a');
    newest().rfb.resize(80, 60);
    await page.waitForFunction(
      () => document.querySelector<HTMLCanvasElement>('#screen canvas')?.width === 80,
    );
    expect(newest().heard.filter(({ type }) => type >= 4)).toEqual([]);
  });

  test('a relay that grants less than was asked for makes it view only', async () => {
    site.script = ({ say, rfb }) => {
      say({ type: 'opened', mode: 'view' });
      rfb.start();
    };
    await openConsole();
    await page.getByText('View only', { exact: true }).waitFor();
  });
});

describeWith('chromium')('the console on a phone', () => {
  beforeAll(async () => {
    browser = await startBrowser();
    site = await startSite();
    const phone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };
    ({ page, faults } = await browser.open(phone));
  });
  afterAll(async () => {
    await browser.stop();
    await site.stop();
  });

  test('has a keyboard with the keys that phones lack', async () => {
    await openConsole();
    await page.getByRole('button', { name: 'Keyboard', exact: true }).tap();
    const field = page.getByLabel('Type here to type into the machine');
    await field.waitFor({ state: 'attached' });
    await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    // As an on-screen keyboard does it: text appears, no key is reported.
    await page.keyboard.insertText('hi');
    await page.getByRole('button', { name: 'Ctrl', exact: true }).tap();
    await page.getByRole('button', { name: 'F2', exact: true }).tap();
    await until(() => keysDown().length >= 4);
    expect(keysDown()).toEqual([0x68, 0x69, 0xffe3, 0xffbf]);
    await page.keyboard.press('Backspace');
    await until(() => keysDown().includes(0xff08));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
    expect(faults).toEqual([]);
  });

  test('the toolbar comes back by its handle', async () => {
    await openConsole();
    await page.locator('.bar[data-shown="false"]').waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Show the toolbar' }).tap();
    await page.locator('.bar[data-shown="true"]').waitFor();
    expect(faults).toEqual([]);
  });
});
