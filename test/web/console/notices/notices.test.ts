import { describeWith } from '../../../needs.ts';
import { waitForState } from '../../browser.ts';
import { until, useConsole } from '../use-console.ts';

describeWith('chromium')('notices', () => {
  const fixture = useConsole();

  describe('a notice', () => {
    const notice = () => fixture.page.locator('.notice');
    /** Opens the console and sends a notice. */
    async function announce(kind: 'idle' | 'time', extend: boolean): Promise<void> {
      await fixture.open();
      fixture.newest().sendControl({ type: 'notice', notice: kind, seconds: 90, extend });
      await notice().waitFor();
    }

    test('shows the remaining time beside the screen while work goes on', async () => {
      await announce('idle', true);
      expect(await notice().innerText()).toMatch(/Are you still there\?.*1:(30|2\d)/s);
      await fixture.page.keyboard.press('x');
      await until(() => fixture.keysDown().includes(0x78));
      await notice().getByText(/1:2\d/).waitFor();
      fixture.newest().sendControl({ type: 'notice_over', notice: 'idle' });
      await notice().waitFor({ state: 'detached' });
      expect(fixture.faults).toEqual([]);
    });

    test('can be extended by mouse; the keyboard then goes to the machine again', async () => {
      await announce('time', true);
      await fixture.page.getByRole('button', { name: 'Stay connected' }).click();
      await until(() => fixture.newest().texts.length > 0);
      expect(fixture.newest().texts).toEqual(['{"type":"extend"}']);
      await fixture.page.keyboard.press('y');
      await until(() => fixture.keysDown().includes(0x79));
      expect(fixture.faults).toEqual([]);
    });

    test('can be extended by keyboard', async () => {
      await announce('idle', true);
      await fixture.page.keyboard.press('Control+Alt+Shift');
      await fixture.page.locator('.notice button:focus').waitFor();
      await fixture.page.keyboard.press('Enter');
      await until(() => fixture.newest().texts.length > 0);
      expect(fixture.newest().texts).toEqual(['{"type":"extend"}']);
    });

    test("that can't be extended has no button", async () => {
      await announce('time', false);
      expect(await notice().innerText()).toContain('Your time for this console is almost over.');
      expect(await notice().getByRole('button').count()).toBe(0);
      const announced = await fixture.page.locator('.visually-hidden[role=status]').allInnerTexts();
      expect(announced.join()).toContain('almost over');
    });
  });

  test('observers are named while they watch, and announced to screen readers', async () => {
    await fixture.open();
    const status = fixture.page.locator('.observers[role=status]');
    expect(await status.textContent()).toBe('');
    fixture.newest().sendControl({ type: 'observers', by: ['Ina Instructor'], others: 0 });
    await status.getByText('Ina Instructor is observing', { exact: true }).waitFor();
    fixture.newest().sendControl({ type: 'observers', by: ['Bo', 'Cleo', 'Dan', 'Eva'], others: 2 });
    await status.getByText('Bo, Cleo, Dan, Eva and 2 others are observing', { exact: true }).waitFor();
    fixture.newest().sendControl({ type: 'observers', by: [], others: 0 });
    await fixture.page.locator('.observers-badge').waitFor({ state: 'detached' });
    // A new connection gets the observers again.
    fixture.newest().sendControl({ type: 'observers', by: ['Ina Instructor'], others: 0 });
    await status.getByText('Ina Instructor is observing', { exact: true }).waitFor();
    await fixture.page.getByRole('button', { name: 'Reconnect' }).click();
    await until(() => fixture.site.opened.length === 2);
    await waitForState(fixture.page, 'open');
    expect(await status.textContent()).toBe('');
  });

  test('a console that the relay opens again is marked, its picture dimmed, and the keyboard stays with the machine', async () => {
    await fixture.open();
    const mark = fixture.page.locator('.screen-mark[role=status]');
    /** Waits until the picture is this bright. */
    const brightness = (opacity: string) =>
      fixture.page.waitForFunction(
        (expected) =>
          getComputedStyle(document.querySelector('#screen canvas') as Element).opacity === expected,
        opacity,
      );
    await brightness('1');
    expect(await mark.textContent()).toBe('');
    fixture.newest().sendControl({ type: 'screen', state: 'reconnecting' });
    await mark.getByText('Reconnecting to the machine…', { exact: true }).waitFor();
    await brightness('0.7');
    expect(await fixture.page.locator('.card').count()).toBe(0);
    fixture.newest().sendControl({ type: 'screen', state: 'live' });
    await brightness('1');
    expect(await mark.textContent()).toBe('');
    await fixture.page.keyboard.press('x');
    await until(() => fixture.keysDown().includes(0x78));
    expect(fixture.faults).toEqual([]);
  });
});
