import { describeWith } from '../../../needs.ts';
import { accessibilityFaults } from '../../axe.ts';
import { until, useConsole } from '../use-console.ts';

describeWith('chromium')('the clipboard panel', () => {
  const fixture = useConsole();

  test('sends text to the machine and shows text from it', async () => {
    await fixture.open();
    await fixture.page.getByRole('button', { name: 'Clipboard' }).click();
    await fixture.page.getByLabel('To the machine').fill('hello');
    await fixture.page.getByRole('button', { name: 'Send', exact: true }).click();
    await until(() => fixture.received(6).length === 1);
    expect(fixture.received(6)[0]?.bytes.subarray(8).toString()).toBe('hello');
    fixture.newest().rfb.cutText('from there');
    await fixture.page.waitForFunction(
      () => document.querySelector<HTMLTextAreaElement>('#incoming')?.value === 'from there',
    );
    await fixture.page.keyboard.press('Escape');
    await fixture.page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('types text key by key', async () => {
    await fixture.open();
    await fixture.page.getByRole('button', { name: 'Clipboard' }).click();
    await fixture.page.getByLabel('To the machine').fill('aB\n');
    await fixture.page.getByRole('button', { name: 'Type as keys' }).click();
    await fixture.page.getByText('Typed.').waitFor();
    await until(() => fixture.keysDown().length === 4);
    expect(fixture.keysDown()).toEqual([0x61, 0xffe1, 0x42, 0xff0d]);
  });

  describe('typing with the layout of the machine', () => {
    const page = () => fixture.page;
    const layout = () => page().getByLabel('Keyboard layout in the machine');
    const typeAsKeys = () => page().getByRole('button', { name: 'Type as keys' });
    const held = () => {
      const keys = new Set<number>();
      for (const { bytes } of fixture.received(4)) {
        if (bytes[1] === 1) keys.add(bytes.readUInt32BE(4));
        else keys.delete(bytes.readUInt32BE(4));
      }
      return [...keys];
    };
    async function openPanel(path?: string): Promise<void> {
      await fixture.open(path);
      // The toolbar hides.
      await page().mouse.move(600, 1);
      await page().getByRole('button', { name: 'Clipboard' }).click();
    }

    test('uses dead keys and AltGr, and remembers the layout of each machine', async () => {
      await openPanel();
      await layout().selectOption({ label: 'German, Linux' });
      await page().getByLabel('To the machine').fill('zé@');
      await typeAsKeys().click();
      await page().getByText('Typed.').waitFor();
      expect(fixture.keysDown()).toEqual([0x7a, 0xb4, 0x65, 0xfe03, 0x40]);
      expect(held()).toEqual([]);
      await openPanel();
      expect(await layout().inputValue()).toBe('linux:de');
      // Another machine starts with the last choice.
      await openPanel('/console/lab/101');
      expect(await layout().inputValue()).toBe('linux:de');
      await layout().selectOption('windows:fr');
      await openPanel();
      expect(await layout().inputValue()).toBe('linux:de');
    });

    test('names the characters that the layout lacks, and types nothing until the user decides', async () => {
      await openPanel();
      await page().getByLabel('To the machine').fill('a“b” €€\u00a0');
      await typeAsKeys().click();
      const missing = page().getByRole('group', { name: /has no key for/ });
      expect((await missing.innerText()).split(/\s+/).join(' ')).toBe(
        'English (US) has no key for 5 characters of this text: “ once ” once € 2 times U+00A0 once Type without them Cancel',
      );
      expect(await accessibilityFaults(page())).toEqual([]);
      // Escape closes the question, and not the panel.
      await page().keyboard.press('Escape');
      await missing.waitFor({ state: 'detached' });
      expect(fixture.keysDown()).toEqual([]);
      await typeAsKeys().click();
      await page().getByRole('button', { name: 'Type without them' }).click();
      await page().getByText('Typed.').waitFor();
      expect(fixture.keysDown()).toEqual([0x61, 0x62, 0x20]);
    });

    async function startLongText(): Promise<void> {
      await openPanel();
      await page().getByLabel('To the machine').fill('Ab'.repeat(1000));
      await typeAsKeys().click();
      await until(() => fixture.keysDown().length > 8);
    }

    test('stops with Escape, wherever the focus is, and leaves no key down', async () => {
      await startLongText();
      await page().getByLabel('From the machine').focus();
      await page().getByRole('progressbar', { name: 'Typed characters' }).waitFor();
      await page().keyboard.press('Escape');
      await page()
        .getByText(/^Stopped after \d+ of 2000 characters\.$/)
        .waitFor();
      expect(held()).toEqual([]);
      expect(fixture.keysDown()).not.toContain(0xff1b);
      await page().getByRole('dialog', { name: 'Clipboard' }).waitFor();
    });

    test.each([
      ['control is lost', { type: 'controlled', mine: false, by: 'Ina', ask: true }],
      ['the class is paused', { type: 'paused', seconds: 600, text: '', by: 'Ina' }],
    ])('stops when %s, and leaves no key down', async (_what, message) => {
      await startLongText();
      fixture.newest().sendControl(message);
      await page().getByRole('dialog', { name: 'Clipboard' }).waitFor({ state: 'detached' });
      // Typing that went on would never be quiet for so long.
      let typed = 0;
      while (typed !== fixture.keysDown().length) {
        typed = fixture.keysDown().length;
        // oxlint-disable-next-line no-await-in-loop
        await page().waitForTimeout(500);
      }
      expect(typed).toBeLessThan(2000);
      expect(held()).toEqual([]);
    });

    test('stops when the console moves, and does not go on at the next relay', async () => {
      await startLongText();
      const typedBefore = fixture.newest();
      typedBefore.close(1012);
      await page()
        .getByText(/^The connection broke after about \d+ of 2000 characters\. Check what has arrived\.$/)
        .waitFor();
      await until(() => fixture.site.opened.length === 2 && fixture.newest() !== typedBefore);
      await page().locator('body[data-state=open]').waitFor({ state: 'attached' });
      // Longer than between two characters.
      await page().waitForTimeout(200);
      expect(fixture.keysDown()).toEqual([]);
    });

    test('is not offered in a view-only console', async () => {
      fixture.site.relayScript = ({ sendControl, rfb }) => {
        sendControl({ type: 'opened', mode: 'view' });
        rfb.start();
      };
      await openPanel('/console/lab/100?mode=view');
      await page().getByLabel('From the machine').waitFor();
      expect(await typeAsKeys().count()).toBe(0);
      expect(await layout().count()).toBe(0);
    });
  });

  describe('with a clipboard limit', () => {
    const opens = (clipboard: 'in' | 'out' | 'none') => {
      fixture.site.relayScript = ({ sendControl, rfb }) => {
        sendControl({ type: 'opened', mode: 'control', clipboard });
        rfb.start();
      };
      return fixture.open();
    };
    const clipboard = () => fixture.page.getByRole('button', { name: 'Clipboard' });

    test('in: offers pasting only', async () => {
      await opens('in');
      await clipboard().click();
      await fixture.page.getByLabel('To the machine').waitFor();
      expect(await fixture.page.getByLabel('From the machine').count()).toBe(0);
    });

    test('out: offers copying only, and no typing', async () => {
      await opens('out');
      await clipboard().click();
      await fixture.page.getByLabel('From the machine').waitFor();
      expect(await fixture.page.getByLabel('To the machine').count()).toBe(0);
      expect(await fixture.page.getByRole('button', { name: 'Type as keys' }).count()).toBe(0);
    });

    test('none: is not offered', async () => {
      await opens('none');
      await fixture.page.getByRole('button', { name: 'Keyboard' }).waitFor();
      expect(await clipboard().count()).toBe(0);
    });
  });
});
