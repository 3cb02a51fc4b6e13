import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import { describeWith } from '../../../needs.ts';
import { waitForState } from '../../browser.ts';
import { aMachine } from '../../site-data.ts';
import { openNormally } from '../../site-relay.ts';
import { until, useConsole } from '../use-console.ts';

const closeNamesWith = (action: string) =>
  (Object.keys(closeCodes) as CloseName[]).filter((name) => closeCodes[name].pageAction === action);

describeWith('chromium')('the overlay', () => {
  const fixture = useConsole();

  describe('a close code', () => {
    test.each([...closeNamesWith('show-message'), ...closeNamesWith('offer-reopen')])(
      '%s ends the console and says why',
      async (name) => {
        await fixture.open();
        const { code, text, pageAction } = closeCodes[name];
        fixture.newest().close(code);
        await waitForState(fixture.page, 'ended');
        await fixture.hasHeading(text);
        await fixture.page.getByText('support-1').waitFor();
        await fixture.page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
        expect(await fixture.page.getByRole('button', { name: 'Open again' }).count()).toBe(
          pageAction === 'show-message' ? 0 : 1,
        );
        if (pageAction === 'show-message') return;
        await fixture.page.keyboard.press('Enter');
        await waitForState(fixture.page, 'open');
        expect(fixture.site.opened).toHaveLength(2);
      },
    );

    test.each(closeNamesWith('offer-terminal'))(
      '%s ends the console and leads to the terminal',
      async (name) => {
        fixture.site.machines = [aMachine({ allow: ['view', 'control', 'terminal'] })];
        await fixture.open();
        fixture.newest().close(closeCodes[name].code);
        await waitForState(fixture.page, 'ended');
        await fixture.hasHeading(closeCodes[name].text);
        const link = fixture.page.getByRole('link', { name: 'Open terminal' });
        expect(await link.getAttribute('href')).toBe('/console/lab/100?kind=terminal');
        expect(await link.evaluate((element) => element === document.activeElement)).toBe(true);
      },
    );

    test.each(closeNamesWith('retry'))('%s is retried after a countdown', async (name) => {
      await fixture.open();
      fixture.site.grantReplies.push({ status: 503, code: 'store_unavailable', retryAfter: 600 });
      fixture.newest().close(closeCodes[name].code);
      await fixture.hasHeading(closeCodes[name].text);
      // The broker's own pause is long enough to read the countdown.
      await fixture.page.getByText(/Trying again in \d{3} s/).waitFor();
      await fixture.page.getByRole('button', { name: 'Try now' }).click();
      await waitForState(fixture.page, 'open');
    });

    test.each(closeNamesWith('new-grant-once'))('%s requests one new grant, then ends', async (name) => {
      await fixture.open();
      fixture.site.relayScript = ({ close }) => close(closeCodes[name].code);
      fixture.newest().close(closeCodes[name].code);
      await waitForState(fixture.page, 'ended');
      await fixture.hasHeading(closeCodes[name].text);
      expect(fixture.site.grants).toHaveLength(2);
    });

    test.each(closeNamesWith('wait-for-machine'))('%s waits until the machine runs', async (name) => {
      await fixture.open();
      fixture.site.machines = [aMachine({ status: 'stopped' })];
      fixture.newest().close(closeCodes[name].code);
      await waitForState(fixture.page, 'machine-off');
      await fixture.hasHeading('The machine is off.');
      fixture.site.machines = [aMachine()];
      await waitForState(fixture.page, 'open');
      expect(fixture.site.opened).toHaveLength(2);
    });

    test('moving: reconnects over the last picture without a message', async () => {
      await fixture.open();
      fixture.site.relayScript = () => {};
      fixture.newest().close(closeCodes.moving.code);
      await fixture.page
        .locator(`body[data-close="${closeCodes.moving.code}"]`)
        .waitFor({ state: 'attached' });
      await fixture.page.locator('body[data-interruption="brief"]').waitFor({ state: 'attached' });
      expect(await fixture.page.locator('#last-frame').isVisible()).toBe(true);
      expect(await fixture.page.locator('.card').count()).toBe(0);
      await until(() => fixture.site.opened.length === 2);
      openNormally(fixture.newest());
      await waitForState(fixture.page, 'open');
      expect(await fixture.page.locator('#last-frame').isVisible()).toBe(false);
    });
  });
});
