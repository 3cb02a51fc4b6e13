import type { View } from '../../services/broker/web/src/console/connection/view.ts';
import { describeWith } from '../needs.ts';
import { accessibilityFaults } from './axe.ts';
import { waitForState } from './browser.ts';
import { useConsole, type ConsoleTest } from './console/use-console.ts';
import { aMachine } from './site-data.ts';

type Reach = (fixture: ConsoleTest) => Promise<void>;

const visit = ({ page, site }: ConsoleTest, path = '/console/lab/100') => page.goto(site.origin + path);

/** Opens the console as far as these messages of the relay lead. */
const afterMessages =
  (...messages: readonly unknown[]): Reach =>
  async (fixture) => {
    fixture.site.relayScript = ({ sendControl }) => messages.forEach(sendControl);
    await visit(fixture);
  };

/** Opens the console and closes it with this code. */
const afterClose =
  (code: number): Reach =>
  async (fixture) => {
    await fixture.open();
    fixture.newest().close(code);
  };

/** How a test reaches each state. A record, so that the compiler reports a state without a test. */
const states: Readonly<Record<View['state'], Reach>> = {
  async requesting(fixture) {
    await fixture.page.route('**/grants', () => {});
    await visit(fixture);
  },
  async connecting(fixture) {
    await fixture.page.addInitScript(() => {
      class NeverOpens extends EventTarget {
        static readonly OPEN = 1;
        readonly readyState = 0;
        close(): void {}
      }
      Object.assign(globalThis, { WebSocket: NeverOpens });
    });
    await visit(fixture);
  },
  queued: afterMessages({ type: 'queued', position: 3, waitSeconds: 20 }),
  opening: afterMessages({ type: 'opening', step: 'console' }),
  'awaiting-frame': afterMessages({ type: 'opened', mode: 'control' }),
  open: (fixture) => fixture.open(),
  async parked(fixture) {
    await fixture.open();
    await fixture.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
    });
    fixture.newest().sendControl({ type: 'parked' });
  },
  async 'machine-off'(fixture) {
    fixture.site.machines = [aMachine({ status: 'stopped', allow: ['control', 'power'] })];
    await afterClose(4409)(fixture);
  },
  retrying: afterClose(4504),
  ended: afterClose(4502),
};

/** What else the page shows. */
const details: Readonly<Record<string, Reach>> = {
  'a view-only console': async (fixture) => {
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'view' });
      rfb.start();
    };
    await fixture.open('/console/lab/100?mode=view');
    await fixture.page.getByText('View only', { exact: true }).waitFor();
  },
  'a lost connection': async (fixture) => {
    await fixture.open();
    fixture.site.grantReplies.push({ status: 503, code: 'store_unavailable' });
    fixture.newest().socket.terminate();
    await waitForState(fixture.page, 'retrying');
  },
  'a notice and observers': async (fixture) => {
    await fixture.open();
    fixture.newest().sendControl({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
    fixture.newest().sendControl({ type: 'observers', by: ['Ina'], others: 1 });
    await fixture.page.locator('.notice').waitFor();
    await fixture.page.locator('.observers-badge').getByText('Ina').waitFor();
  },
  'the menu of tools on a narrow screen': async (fixture) => {
    await fixture.page.setViewportSize({ width: 390, height: 844 });
    await openPanel(fixture, 'More tools', '.more-tools');
  },
  'the panel for the clipboard': (fixture) => openPanel(fixture, 'Clipboard', '.clipboard, [role=dialog]'),
  'the panel for keys': (fixture) => openPanel(fixture, 'Keyboard', '.keys'),
  'the panel for power': (fixture) => openPanel(fixture, 'Power', '[role=dialog]'),
  'an address that is not valid': async (fixture) => {
    await visit(fixture, '/console/lab/none');
    await fixture.hasHeading('This address is not valid.');
  },
  'the sign-in page': async (fixture) => {
    fixture.site.signedIn = false;
    await visit(fixture, '/');
    await fixture.page.getByLabel('Password', { exact: true }).waitFor();
  },
  'the list of machines': async (fixture) => {
    fixture.site.stale = 30;
    await visit(fixture, '/');
    await fixture.page.locator('.machine-name').first().waitFor();
  },
};

async function openPanel(fixture: ConsoleTest, tool: string, panel: string): Promise<void> {
  fixture.site.machines = [aMachine({ allow: ['control', 'power'] })];
  await fixture.open();
  await fixture.page.mouse.move(600, 2);
  await fixture.page.getByRole('button', { name: tool, exact: true }).click();
  await fixture.page.locator(panel).first().waitFor();
}

describeWith('chromium')('axe finds nothing, light or dark,', () => {
  const fixture = useConsole();

  test.each(Object.entries(states))('in the state %s', async (state, reach) => {
    await reach(fixture);
    await waitForState(fixture.page, state);
    expect(await accessibilityFaults(fixture.page)).toEqual([]);
  });

  test.each(Object.entries(details))('with %s', async (_what, reach) => {
    await reach(fixture);
    // A console is always dark, so this changes only the other pages.
    for (const colorScheme of ['light', 'dark'] as const) {
      await fixture.page.emulateMedia({ colorScheme });
      expect([colorScheme, await accessibilityFaults(fixture.page)]).toEqual([colorScheme, []]);
    }
  });
});

describeWith('chromium')('axe', () => {
  const fixture = useConsole();

  test('finds content outside of landmarks, and a button without a name', async () => {
    await fixture.page.setContent(`<!doctype html><html lang="en"><head><title>Console</title></head><body>
      <main><h1>Content</h1><button></button></main>
      <div role="toolbar" aria-label="Console"><button>Reconnect</button></div>
      </body></html>`);
    const faults = await accessibilityFaults(fixture.page);
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['button-name', 'region']);
    await fixture.page.goto('about:blank');
  });
});
