import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { eventually } from '../../../eventually.ts';
import { describeWith } from '../../../needs.ts';
import { takePicture } from '../../../take-picture.ts';
import { accessibilityFaults } from '../../axe.ts';
import { waitForState } from '../../browser.ts';
import { aClass } from '../../site-data.ts';
import { useConsole } from '../use-console.ts';

describeWith('chromium')('a console of a member of a class', () => {
  const fixture = useConsole();

  beforeEach(() => {
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'control', help: true });
      rfb.start();
    };
  });
  const send = (message: object) => fixture.newest().sendControl(message);
  const button = (name: string) => fixture.page.getByRole('button', { name });
  const showToolbar = () => fixture.page.mouse.move(600, 2);
  const helpMessages = () =>
    fixture.newest().texts.flatMap((text) => (text.includes('"help"') ? [JSON.parse(text) as object] : []));

  test('is dimmed while the class is paused, says why typing does nothing, and sends nothing', async () => {
    await fixture.open();
    await fixture.page.locator('#screen canvas').focus();
    await fixture.page.keyboard.type('a');
    await eventually('a key arrives', () => fixture.keysDown().length === 1);
    send({ type: 'paused', seconds: 600, text: 'Eyes up here.', by: 'Ina' });
    await fixture.hasHeading('Ina has paused the class');
    await fixture.page.getByText('Eyes up here.', { exact: true }).waitFor();
    await fixture.page
      .getByText('Keyboard and mouse do not reach the machine until the class goes on.', { exact: true })
      .waitFor();
    await fixture.page.getByText(/^(10:00|9:\d\d)$/).waitFor();
    await takePicture(fixture, 'student-paused');
    await fixture.page.keyboard.type('b');
    await fixture.page.mouse.click(600, 600);
    send({ type: 'unpaused' });
    await fixture.page.locator('[data-paused]').waitFor({ state: 'detached' });
    // The keyboard is back at the machine, without a click.
    await fixture.page.keyboard.type('c');
    await eventually('the next key arrives', () => fixture.keysDown().length === 2);
    expect(fixture.keysDown()).toEqual([0x61, 0x63]);
  });

  test('tells screen readers of a pause', async () => {
    await fixture.open();
    send({ type: 'paused', seconds: 600, text: 'Eyes up here.' });
    await fixture.page
      .locator('[role=status].visually-hidden')
      .getByText('The class is paused. Eyes up here. Keyboard and mouse do not reach')
      .waitFor({ state: 'attached' });
  });

  test('shows each message until it is dismissed, also after a reload and a new connection', async () => {
    const messages = [
      { type: 'message', id: 'm1', text: 'Five more minutes.', by: 'Ina' },
      { type: 'message', id: 'm2', text: 'Save your work.' },
    ];
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'control', help: true });
      rfb.start();
      for (const message of messages) sendControl(message);
    };
    await fixture.open();
    const log = fixture.page.getByRole('log', { name: 'Messages' });
    await log.getByText('Message from Ina').waitFor();
    await log.getByText('Save your work.').waitFor();
    await takePicture(fixture, 'student-messages');
    await log.getByRole('button', { name: 'Dismiss' }).first().click();
    await log.getByText('Five more minutes.').waitFor({ state: 'detached' });
    // The keyboard must not be lost with the button, although another message is left.
    expect(await fixture.page.evaluate(() => document.activeElement?.tagName)).toBe('CANVAS');
    await fixture.page.reload();
    await waitForState(fixture.page, 'open');
    await log.getByText('Save your work.').waitFor();
    expect(await log.getByText('Five more minutes.').count()).toBe(0);
  });

  test('reaches a message by the keyboard, and returns to the machine afterwards', async () => {
    await fixture.open();
    await fixture.page.locator('#screen canvas').focus();
    send({ type: 'message', id: 'm1', text: 'Five more minutes.' });
    await fixture.page.getByText('Five more minutes.').waitFor();
    for (const key of ['Control', 'Alt', 'Shift']) await fixture.page.keyboard.down(key);
    for (const key of ['Shift', 'Alt', 'Control']) await fixture.page.keyboard.up(key);
    await eventually('the button has the focus', () =>
      fixture.page.evaluate(() => document.activeElement?.textContent === 'Dismiss'),
    );
    await fixture.page.keyboard.press('Enter');
    await fixture.page.getByText('Five more minutes.').waitFor({ state: 'detached' });
    const before = fixture.keysDown().length;
    await fixture.page.keyboard.type('a');
    await eventually('the key arrives', () => fixture.keysDown().length > before);
  });

  test('raises a hand with a text, shows the place, and lowers it', async () => {
    await fixture.open();
    await showToolbar();
    await button('Raise hand').click();
    await fixture.page.getByLabel('What is it about?').fill('My disk is full');
    await fixture.page.keyboard.press('Enter');
    await eventually('the relay got it', () => helpMessages().length === 1);
    expect(helpMessages()).toEqual([{ type: 'help', raised: true, text: 'My disk is full' }]);
    send({ type: 'help', raised: true, position: 3 });
    await fixture.page.getByText('Your hand is raised. 2 others are before you.').waitFor();
    send({ type: 'help', raised: true, position: 1 });
    await fixture.page.getByText('Your hand is raised. You are next.').waitFor();
    await takePicture(fixture, 'student-hand');
    await showToolbar();
    await button('Your hand is raised').click();
    await button('Lower hand').click();
    await eventually('the relay got it', () => helpMessages().length === 2);
    expect(helpMessages()[1]).toEqual({ type: 'help', raised: false });
    send({ type: 'help', raised: false });
    await fixture.page.getByText('You are next.').waitFor({ state: 'detached' });
  });

  test('keeps the text of a hand that was being raised when the console was interrupted, and sends it afterwards', async () => {
    await fixture.open();
    await showToolbar();
    await button('Raise hand').click();
    const field = fixture.page.getByLabel('What is it about?');
    await field.fill('My disk is full');
    const { promise: reopening, resolve } = Promise.withResolvers<() => void>();
    fixture.site.relayScript = ({ sendControl, rfb }) =>
      resolve(() => {
        sendControl({ type: 'opened', mode: 'control', help: true });
        rfb.start();
      });
    fixture.newest().close(closeCodes.moving.code);
    const reopen = await reopening;
    await fixture.page.getByText('Reconnecting…', { exact: true }).waitFor();
    expect(await field.inputValue()).toBe('My disk is full');
    await fixture.page.keyboard.press('Enter');
    await field.waitFor({ state: 'detached' });
    reopen();
    await eventually('the relay got it', () => helpMessages().length === 1);
    expect(helpMessages()).toEqual([{ type: 'help', raised: true, text: 'My disk is full' }]);
  });

  test('raises a hand during a pause', async () => {
    await fixture.open();
    send({ type: 'paused', seconds: 60, text: '' });
    await fixture.hasHeading('The class is paused');
    await button('Raise hand').click();
    await fixture.page.getByRole('dialog').getByRole('button', { name: 'Raise hand' }).click();
    await eventually('the relay got it', () => helpMessages().length === 1);
  });

  test('is offered no hand if the relay does not know of hands', async () => {
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'control' });
      rfb.start();
    };
    await fixture.open();
    await showToolbar();
    expect(await button('Raise hand').count()).toBe(0);
  });

  test('is not paused any more after a reconnect to a relay that says nothing of a pause', async () => {
    await fixture.open();
    send({ type: 'resume', token: 'token-2' });
    send({ type: 'paused', seconds: 600, text: '' });
    await fixture.hasHeading('The class is paused');
    fixture.newest().close(1012);
    await eventually('the page reconnects', () => fixture.site.opened.length === 2);
    await fixture.page.locator('[data-paused]').waitFor({ state: 'detached' });
  });

  test('has room for all tools on a phone', async () => {
    await fixture.page.setViewportSize({ width: 360, height: 740 });
    await fixture.open();
    send({ type: 'message', id: 'm1', text: 'Five more minutes.' });
    send({ type: 'paused', seconds: 60, text: '' });
    await fixture.hasHeading('The class is paused');
    expect(await button('Raise hand').isVisible()).toBe(true);
    await takePicture(fixture, 'student-phone');
    send({ type: 'unpaused' });
    await button('Dismiss').click();
    await showToolbar();
    await button('Raise hand').waitFor();
    const bar = fixture.page.locator('.bar');
    expect(await bar.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    await takePicture(fixture, 'student-phone-toolbar');
  });

  test('shows a screen beside the own one, instead of it, or not at all, and takes no keys for it', async () => {
    await fixture.open();
    const own = fixture.newest();
    own.sendControl({ type: 'shown', cluster: 'lab', vmid: 102, name: 'Ben', by: 'Ina', mine: false });
    const shown = fixture.page.getByRole('region', { name: 'Ina shows Ben' });
    await shown.locator('[data-open=true] canvas').first().waitFor();
    expect(fixture.site.opened).toHaveLength(2);
    const isWide = (selector: string, pixels: number) =>
      eventually(`${selector} is ${pixels} pixels wide`, async () =>
        expect((await fixture.page.locator(selector).first().boundingBox())?.width).toBe(pixels),
      );
    await isWide('.shown', 640);
    await isWide('#screen', 640);
    await takePicture(fixture, 'student-shown-beside');
    expect(await accessibilityFaults(fixture.page)).toEqual([]);
    own.sendControl({ type: 'paused', seconds: 600, text: 'Look here.' });
    await fixture.hasHeading('The class is paused');
    await takePicture(fixture, 'student-shown-while-paused');
    own.sendControl({ type: 'unpaused' });
    await fixture.page.locator('[data-paused]').waitFor({ state: 'detached' });
    await fixture.page.locator('#screen canvas').focus();
    await fixture.page.keyboard.type('a');
    await eventually('the key arrives at the own machine', () => own.received.some(({ type }) => type === 4));
    // Messages must not cover the shown picture and its buttons, however many there are.
    for (const id of ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'])
      own.sendControl({ type: 'message', id, text: 'Look at what Ben does there.', by: 'Ina' });
    await eventually('all messages are there', () =>
      fixture.page
        .locator('.class-message')
        .count()
        .then((count) => count === 7),
    );
    await eventually('the newest message is in view', async () => {
      const log = await fixture.page.locator('.class-messages').boundingBox();
      const last = await fixture.page.locator('.class-message').last().boundingBox();
      if (!log || !last) return false;
      return last.y + last.height <= log.y + log.height + 1;
    });
    await takePicture(fixture, 'student-shown-with-messages');
    await shown.locator('canvas').first().click();
    expect(fixture.newest().received.filter(({ type }) => type === 4 || type === 5)).toEqual([]);
    await button('Large').click();
    await isWide('.shown', 1280);
    await takePicture(fixture, 'student-shown-instead');
    await button('Beside my console').click();
    await button('Hide').click();
    await eventually('the picture is not carried any more', () =>
      expect(fixture.newest().socket.readyState).toBe(3),
    );
    await isWide('#screen', 1280);
    await button('Show again').focus();
    await fixture.page.keyboard.press('Enter');
    await shown.locator('[data-open=true] canvas').first().waitFor();
    own.sendControl({ type: 'not_shown' });
    await shown.waitFor({ state: 'detached' });
    await isWide('#screen', 1280);
    expect(await fixture.page.locator('body').getAttribute('data-state')).toBe('open');
  });

  test('says that its own screen is shown to the class, and opens it no second time', async () => {
    await fixture.open();
    send({ type: 'shown', cluster: 'lab', vmid: 100, name: 'Ada', by: 'Ina', mine: true });
    await fixture.page.locator('.shown-mine').getByText('Ina shows your screen to the class.').waitFor();
    await takePicture(fixture, 'student-own-screen-shown');
    expect(fixture.site.opened).toHaveLength(1);
    send({ type: 'not_shown' });
    await fixture.page.locator('.shown-mine').waitFor({ state: 'detached' });
  });

  test('says for a moment that the lesson ends, without taking clicks from the machine', async () => {
    const until = new Date(Date.now() + 3000).toISOString();
    fixture.site.instructed = [aClass({ role: 'member', may: [], lesson: { now: { until } } })];
    await fixture.open();
    const news = fixture.page.locator('.lesson-news[role=status]');
    await news.getByText(/^Networks: the lesson ends at/).waitFor();
    await takePicture(fixture, 'student-lesson-ends');
    expect(await news.evaluate((element) => getComputedStyle(element).pointerEvents)).toBe('none');
    expect(await accessibilityFaults(fixture.page)).toEqual([]);
    await news.getByText('Networks: the lesson has ended.').waitFor();
  });

  test('counts down to the end of the class', async () => {
    await fixture.open();
    send({ type: 'notice', notice: 'class', seconds: 60, extend: false });
    await fixture.page.getByText('The class ends soon.').first().waitFor();
    await takePicture(fixture, 'student-ending');
    send({ type: 'notice_over', notice: 'class' });
    await fixture.page.locator('.notice').waitFor({ state: 'detached' });
  });
});
