import { describeWith } from '../../../needs.ts';
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
