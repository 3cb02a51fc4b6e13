import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { describeWith } from '../../../needs.ts';
import { waitForState } from '../../browser.ts';
import { openNormally } from '../../site-relay.ts';
import { until, useConsole } from '../use-console.ts';

const keysym = (character: string) => character.charCodeAt(0);
const shift = 0xffe1;

describeWith('chromium')('a console that moves while its user types', () => {
  const fixture = useConsole();

  /** Leaves the page without a console until the relay's next one is opened by the test. */
  async function move(): Promise<void> {
    fixture.site.relayScript = () => {};
    fixture.newest().close(closeCodes.moving.code);
    await fixture.page.locator('body[data-interruption="brief"]').waitFor({ state: 'attached' });
  }

  async function arrive(): Promise<void> {
    await until(() => fixture.site.opened.length === 2);
    openNormally(fixture.newest());
    await waitForState(fixture.page, 'open');
  }

  test('gets the letters that were typed during the move', async () => {
    await fixture.open();
    await fixture.page.locator('#screen canvas').focus();
    await move();
    await fixture.page.keyboard.type('ab c');
    await arrive();
    await fixture.page.keyboard.type('d');
    await until(() => fixture.keysDown().length >= 5);
    expect(fixture.keysDown()).toEqual('ab cd'.split('').map(keysym));
  });

  test('knows the Shift key that is held all the while', async () => {
    await fixture.open();
    await fixture.page.locator('#screen canvas').focus();
    await fixture.page.keyboard.down('Shift');
    await move();
    await arrive();
    await fixture.page.keyboard.press('A');
    await until(() => fixture.keysDown().length >= 2);
    await fixture.page.keyboard.up('Shift');
    expect(fixture.keysDown()).toEqual([shift, keysym('A')]);
    await until(() => fixture.received(4).length === 4);
  });

  test('gets the Ctrl-Alt-Del of the toolbar', async () => {
    await fixture.open();
    await fixture.page.evaluate(() => {
      const button = document.querySelector<HTMLElement>('button[aria-label="Send Ctrl-Alt-Del"]');
      new MutationObserver((_, observer) => {
        if (document.body.dataset['interruption'] !== 'brief') return;
        observer.disconnect();
        button?.click();
      }).observe(document.body, { attributes: true });
    });
    await move();
    await arrive();
    await until(() => fixture.keysDown().length >= 3);
    expect(fixture.keysDown()).toEqual([0xffe3, 0xffe9, 0xffff]);
  });

  test('gets nothing that was typed while the user was not at the screen', async () => {
    await fixture.open();
    await fixture.page.getByRole('link', { name: 'Back to your machines' }).focus();
    await move();
    await fixture.page.keyboard.type('ab');
    await arrive();
    await fixture.page.locator('#screen canvas').focus();
    await fixture.page.keyboard.type('d');
    await until(() => fixture.keysDown().length > 0);
    expect(fixture.keysDown()).toEqual([keysym('d')]);
  });

  test('gets nothing that was typed while the class was being paused', async () => {
    await fixture.open();
    await fixture.page.locator('#screen canvas').focus();
    await move();
    await fixture.page.keyboard.type('a');
    await until(() => fixture.site.opened.length === 2);
    fixture.newest().sendControl({ type: 'paused', seconds: 60, text: '' });
    await arrive();
    await fixture.page.locator('[data-paused]').waitFor({ state: 'attached' });
    fixture.newest().sendControl({ type: 'unpaused' });
    await fixture.page.locator('[data-paused]').waitFor({ state: 'detached' });
    await fixture.page.locator('#screen canvas').focus();
    await fixture.page.keyboard.type('d');
    await until(() => fixture.keysDown().length > 0);
    expect(fixture.keysDown()).toEqual([keysym('d')]);
  });

  test('gets nothing that was typed at a message about its end', async () => {
    await fixture.open();
    await fixture.page.locator('#screen canvas').focus();
    fixture.newest().close(closeCodes.too_many.code);
    await waitForState(fixture.page, 'ended');
    await fixture.page.keyboard.type('ab');
    await fixture.page.getByRole('button', { name: 'Open again' }).click();
    await waitForState(fixture.page, 'open');
    await fixture.page.keyboard.type('d');
    await until(() => fixture.keysDown().length > 0);
    expect(fixture.keysDown()).toEqual([keysym('d')]);
  });
});
