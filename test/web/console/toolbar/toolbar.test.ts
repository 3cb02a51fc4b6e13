import { describeWith } from '../../../needs.ts';
import { waitForState } from '../../browser.ts';
import { until, useConsole } from '../use-console.ts';

describeWith('chromium')('the toolbar of a console', () => {
  const fixture = useConsole();

  describe('the toolbar', () => {
    test('Ctrl+Alt+Shift focuses it, Escape returns to the screen, and no key stays down', async () => {
      await fixture.open();
      await fixture.page.waitForFunction(() => document.activeElement?.tagName === 'CANVAS');
      await fixture.page.keyboard.press('a');
      await fixture.page.keyboard.down('Control');
      await fixture.page.keyboard.down('Alt');
      await fixture.page.keyboard.down('Shift');
      await fixture.page.keyboard.up('Shift');
      await fixture.page.waitForFunction(() => document.activeElement?.closest('[role=toolbar]') !== null);
      await fixture.page.keyboard.up('Alt');
      await fixture.page.keyboard.up('Control');
      await until(() => {
        const downs = new Map<number, number>();
        for (const { bytes } of fixture.received(4)) downs.set(bytes.readUInt32BE(4), bytes[1] ?? 0);
        return downs.size >= 4 && [...downs.values()].every((down) => down === 0);
      });
      expect(fixture.keysDown()).toContain(0x61);
      await fixture.page.keyboard.press('ArrowRight');
      await fixture.page.keyboard.press('Escape');
      await fixture.page.waitForFunction(() => document.activeElement?.tagName === 'CANVAS');
    });

    test('hides automatically and shows at the upper edge', async () => {
      await fixture.open();
      await fixture.page.mouse.move(600, 400);
      await fixture.page.locator('.bar[data-shown="false"]').waitFor({ state: 'attached' });
      await fixture.page.mouse.move(600, 1);
      await fixture.page.locator('.bar[data-shown="true"]').waitFor();
    });

    test('sends Ctrl-Alt-Del', async () => {
      await fixture.open();
      await fixture.page.getByRole('button', { name: 'Send Ctrl-Alt-Del' }).click();
      await until(() => fixture.keysDown().length === 3);
      expect(fixture.keysDown()).toEqual([0xffe3, 0xffe9, 0xffff]);
      // The next key goes to the machine, not to the button.
      await fixture.page.keyboard.press('Space');
      await until(() => fixture.keysDown().includes(0x20));
    });

    test('reconnects', async () => {
      await fixture.open();
      await fixture.page.getByRole('button', { name: 'Reconnect' }).click();
      await until(() => fixture.site.opened.length === 2);
      await waitForState(fixture.page, 'open');
    });

    test('shows the screen in original size', async () => {
      await fixture.open();
      await fixture.page.getByRole('button', { name: 'Original size' }).click();
      await fixture.page.waitForFunction(
        () => document.querySelector('#screen canvas')?.getBoundingClientRect().width === 64,
      );
    });
  });
});
