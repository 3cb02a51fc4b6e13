import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { describeWith } from '../../needs.ts';
import { waitForState } from '../browser.ts';
import { openNormally } from '../site-relay.ts';
import { useConsole } from './use-console.ts';

describeWith('chromium')('the console page', () => {
  const fixture = useConsole();
  /** The colour in the middle of the screen. */
  const colour = () =>
    fixture.page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('#screen canvas');
      const middle = canvas?.getContext('2d')?.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
      return [...(middle ?? [])];
    });

  test('shows its progress, then the picture in full size', async () => {
    fixture.site.relayScript = ({ sendControl }) => sendControl({ type: 'queued', position: 3 });
    await fixture.page.goto(`${fixture.site.origin}/console/lab/100`);
    await waitForState(fixture.page, 'queued');
    await fixture.page.getByText('2 people ahead of you', { exact: true }).waitFor();
    fixture.newest().sendControl({ type: 'queued', position: 2, waitSeconds: 63 });
    await fixture.page
      .getByText('1 person ahead of you, expected wait about 2 minutes', { exact: true })
      .waitFor();
    fixture.newest().sendControl({ type: 'opening', step: 'authenticate' });
    await fixture.page.getByText('Authenticating', { exact: true }).waitFor();
    fixture.newest().sendControl({ type: 'opened', mode: 'control' });
    await waitForState(fixture.page, 'awaiting-frame');
    fixture.newest().rfb.start();
    await waitForState(fixture.page, 'open');
    expect(await fixture.page.title()).toBe('web-1 – Porthole');
    expect(await colour()).toEqual([31, 122, 120, 255]);
    const box = await fixture.page.locator('#screen canvas').boundingBox();
    expect(Math.round(box?.height ?? 0)).toBe(800);
    expect(fixture.site.grants).toEqual([{ vmid: '100', mode: 'control' }]);
  });

  test('ignores messages of a newer relay', async () => {
    fixture.site.relayScript = (opened) => {
      opened.sendControl({ type: 'from the future', value: 1 });
      opened.socket.send('not even JSON');
      openNormally(opened);
    };
    await fixture.open();
  });

  test('follows a change of the resolution', async () => {
    await fixture.open();
    fixture.newest().rfb.resize(100, 40);
    await fixture.page.waitForFunction(
      () => document.querySelector<HTMLCanvasElement>('#screen canvas')?.width === 100,
    );
    await fixture.page.waitForFunction(() => {
      const box = document.querySelector('#screen canvas')?.getBoundingClientRect();
      return Math.round(box?.width ?? 0) === innerWidth;
    });
  });

  test('treats invalid RFB data like a broken connection', async () => {
    fixture.site.relayScript = ({ sendControl, socket }) => {
      sendControl({ type: 'opened', mode: 'control' });
      socket.send(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
    };
    await fixture.page.goto(`${fixture.site.origin}/console/lab/100`);
    await waitForState(fixture.page, 'retrying');
    // noVNC logs this.
    expect(fixture.faults.splice(0).join()).toContain('Invalid server version');
  });

  test('view only: no input reaches the machine, and the page says so', async () => {
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'view' });
      rfb.start();
    };
    await fixture.open('/console/lab/100?mode=view');
    expect(fixture.site.grants[0]?.mode).toBe('view');
    await fixture.page.getByText('View only', { exact: true }).waitFor();
    expect(await fixture.page.getByRole('button', { name: 'Send Ctrl-Alt-Del' }).count()).toBe(0);
    expect(await fixture.page.getByRole('button', { name: 'Keyboard' }).count()).toBe(0);
    await fixture.page.getByRole('button', { name: 'Clipboard' }).click();
    expect(await fixture.page.getByLabel('To the machine').count()).toBe(0);
    await fixture.page.getByRole('button', { name: 'Close' }).click();
    await fixture.page.mouse.click(640, 400);
    await fixture.page.keyboard.press('a');
    fixture.newest().rfb.resize(80, 60);
    await fixture.page.waitForFunction(
      () => document.querySelector<HTMLCanvasElement>('#screen canvas')?.width === 80,
    );
    expect(fixture.newest().received.filter(({ type }) => type >= 4)).toEqual([]);
  });

  test('is view-only when the relay grants less than requested', async () => {
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'view' });
      rfb.start();
    };
    await fixture.open();
    await fixture.page.getByText('View only', { exact: true }).waitFor();
  });

  describe('when the broker refuses a grant', () => {
    test('machine_not_found: says so', async () => {
      fixture.site.grantReplies.push({ status: 404, code: 'machine_not_found' });
      await fixture.page.goto(`${fixture.site.origin}/console/lab/999`);
      await fixture.hasHeading('This machine does not exist, or you have no access to it.');
    });

    test('rate_limited: waits as long as the broker says', async () => {
      fixture.site.grantReplies.push({ status: 429, code: 'rate_limited', retryAfter: 1 });
      await fixture.page.goto(`${fixture.site.origin}/console/lab/100`);
      await waitForState(fixture.page, 'open');
    });

    test('not_signed_in: goes to the sign-in page and back', async () => {
      await fixture.open();
      fixture.site.signedIn = false;
      fixture.newest().close(closeCodes.moving.code);
      await fixture.page.getByText('You were signed out.').waitFor();
      await fixture.page.fill('#username', 'ada');
      await fixture.page.fill('#password', 'sesame');
      await fixture.page.keyboard.press('Enter');
      await waitForState(fixture.page, 'open');
    });

    test('an invalid address: says so', async () => {
      await fixture.page.goto(`${fixture.site.origin}/console/lab`);
      await fixture.hasHeading('This address is not valid.');
    });
  });
});
