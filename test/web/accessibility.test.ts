import type { View } from '../../services/broker/web/src/console/connection/view.ts';
import { describeWith } from '../needs.ts';
import { accessibilityFaults } from './axe.ts';
import { waitForState } from './browser.ts';
import { useConsole, type ConsoleTest } from './console/use-console.ts';
import { aClass, aMachine, aSeat } from './site-data.ts';

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
  'a paused class and messages': async (fixture) => {
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'control', help: true });
      rfb.start();
    };
    await fixture.open();
    fixture.newest().sendControl({ type: 'help', raised: true, position: 2 });
    fixture.newest().sendControl({ type: 'message', id: 'm1', text: 'Five more minutes.', by: 'Ina' });
    fixture.newest().sendControl({ type: 'paused', seconds: 600, text: 'Eyes up here.', by: 'Ina' });
    await fixture.hasHeading('Ina has paused the class');
    await fixture.page.getByText('Five more minutes.').waitFor();
  },
  'a user who has taken control': async (fixture) => {
    await fixture.open();
    fixture.newest().sendControl({ type: 'controlled', mine: false, by: 'Ina', ask: true });
    await fixture.page.getByRole('button', { name: 'Ask for it back' }).waitFor();
  },
  'the large view of a seat': async (fixture) => {
    fixture.site.instructed = [aClass({ seats: [aSeat('ada', 100)] })];
    await visit(fixture, '/classes');
    await fixture.page.getByRole('button', { name: 'Look at' }).click();
    await fixture.page.locator('.large-view-stage[data-state=open]').waitFor();
    fixture.newest().sendControl({ type: 'controlled', mine: true });
    await fixture.page.getByRole('button', { name: 'Hand back' }).waitFor();
  },
  'the panel to ask for help': async (fixture) => {
    fixture.site.relayScript = ({ sendControl, rfb }) => {
      sendControl({ type: 'opened', mode: 'control', help: true });
      rfb.start();
    };
    await fixture.open();
    await fixture.page.mouse.move(600, 2);
    await fixture.page.getByRole('button', { name: 'Raise hand' }).click();
    await fixture.page.getByRole('dialog', { name: 'Ask for help' }).waitFor();
  },
  'the page of a class': async (fixture) => {
    const help = { position: 1, since: new Date().toISOString(), text: 'My disk is full' };
    fixture.site.instructed = [
      aClass({
        seats: [aSeat('ada', 101), aSeat('ben', 102, { help }), aSeat('carl', 103, { state: 'off' })],
        starting: { total: 3, started: 1, failed: 1, running: true },
      }),
      aClass({ name: 'other', title: 'Other' }),
    ];
    await visit(fixture, '/classes');
    await fixture.page.getByText('My disk is full').waitFor();
  },
  'the page of a paused class that ends': async (fixture) => {
    const until = new Date(Date.now() + 60_000).toISOString();
    fixture.site.instructed = [aClass({ paused: { until, text: 'Eyes up here.' }, ending: { at: until } })];
    await visit(fixture, '/classes');
    await fixture.page.getByText('The class is paused').waitFor();
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
