import { describeWith } from '../../../needs.ts';
import { waitForState } from '../../browser.ts';
import { openNormally } from '../../site-relay.ts';
import { useConsole } from '../use-console.ts';

describeWith('chromium')('a lost connection', () => {
  const fixture = useConsole();

  test('reconnects automatically, and shows no close code', async () => {
    await fixture.open();
    fixture.newest().socket.terminate();
    await waitForState(fixture.page, 'retrying');
    await fixture.hasHeading('Connection lost. Reconnecting…');
    expect(await fixture.page.locator('body').innerText()).not.toContain('1006');
    await waitForState(fixture.page, 'open');
  });

  test('reconnects at once with a resume token, and the picture stays', async () => {
    await fixture.open();
    fixture.newest().sendControl({ type: 'resume', token: 'r'.repeat(43) });
    fixture.newest().sendControl({ type: 'moving' });
    // When this is shown, the messages before it were read too.
    fixture.newest().sendControl({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
    await fixture.page.locator('.notice').waitFor();
    const offered = new Promise<string>((resolve) => {
      fixture.site.relayScript = (opened) => {
        resolve(fixture.site.offered.at(-1) ?? '');
        openNormally(opened);
      };
    });
    fixture.newest().socket.terminate();
    expect(await offered).toContain(`porthole.grant.${'r'.repeat(43)}`);
    await waitForState(fixture.page, 'open');
    expect(fixture.site.grants).toHaveLength(1);
    expect(await fixture.page.locator('.veil').count()).toBe(0);
  });

  test('waits for the network while the browser is offline', async () => {
    await fixture.open();
    await fixture.page.context().setOffline(true);
    fixture.newest().socket.terminate();
    await fixture.hasHeading('You are offline.');
    await fixture.page.context().setOffline(false);
    await waitForState(fixture.page, 'open');
  });
});
