import { sleep, systemClock } from '@porthole/shared/time/clock';
import { parseDelayProfile } from '../fakes/proxmox/delay-profiles.ts';
import { eventually } from '../eventually.ts';
import { startHaproxy, type Front } from '../fakes/haproxy/start.ts';
import { freePort } from '../free-port.ts';
import { haproxyBefore } from '../fronts/shipped.ts';
import { describeWith } from '../needs.ts';
import { testOrigin } from '../relay/rig.ts';
import { startRelayFleet, type RelayFleet, type RelayProcess } from './relay-fleet.ts';
import { row, reportFigures } from './figures.ts';
import { simulatePage, type SimulatedPage } from './simulated-page.ts';

/** `npm run rehearse` uses 200 consoles and the chart's preStop. */
const consoles = Number(process.env['CONSOLES'] ?? 30);
const preStopMs = Number(process.env['PRE_STOP'] ?? 0) * 1000;
const replicas = 3;

/** The update of the chart's Deployment (maxUnavailable 0): a new relay becomes ready, then an old one is stopped. */
describeWith('redis', 'haproxy')(`an upgrade of three relays with ${consoles} consoles`, () => {
  let fleet: RelayFleet;
  let front: Front;
  let port: number;
  let pages: SimulatedPage[];
  let reloads = 0;
  const rows: string[] = [];

  beforeAll(async () => {
    fleet = await startRelayFleet({ delays: parseDelayProfile(process.env['PROXMOX']) });
    await Promise.all(Array.from({ length: replicas }, () => fleet.startRelay()));
    port = await freePort();
    front = await startHaproxy({ config: haproxyBefore(port, fleet.relays, reloads) });
    pages = Array.from({ length: consoles }, (_, i) =>
      simulatePage({
        urls: [`ws://127.0.0.1:${port}/relay/v1/console`],
        first: 0,
        step: 1,
        origin: testOrigin,
        requestGrant: () => fleet.grantFor(i),
      }),
    );
    await Promise.all(pages.map(({ open }) => open));
  }, 180_000);

  afterAll(async () => {
    await front.stop();
    await fleet.stop();
  });

  /** Reloads the front, as an ingress controller does when the endpoints of a Service change. */
  async function setEndpoints(relays: readonly RelayProcess[]): Promise<void> {
    reloads += 1;
    await front.reload(haproxyBefore(port, relays, reloads));
    await eventually('the front serves with the new endpoints', async () => {
      const { headers } = await fetch(`http://127.0.0.1:${port}/relay/`, {
        headers: { connection: 'close' },
      });
      return headers.get('x-generation') === String(reloads);
    });
  }

  test.each(Array.from({ length: replicas }, (_, i) => i))(
    'relay %i is replaced, and its consoles resume',
    async (i) => {
      await fleet.startRelay();
      await setEndpoints(fleet.relays.slice(i));
      const before = pages.map(({ interruptions }) => interruptions.length);
      const old = fleet.relays[i]?.process;
      // A terminating pod leaves the endpoints at once, and serves until all proxies have noticed.
      await setEndpoints(fleet.relays.slice(i + 1));
      await sleep(systemClock, preStopMs);
      old?.signal('SIGTERM');
      expect(await old?.exited).toBe(0);
      await eventually('every page has a picture', () => pages.every(({ hasPicture }) => hasPicture), {
        withinMs: 60_000,
      });
      const moved = pages.flatMap(({ interruptions }, at) => interruptions.slice(before[at]));
      // The front spreads the consoles over the relays.
      expect(moved.length).toBeGreaterThan(0);
      expect(new Set(moved.map(({ code }) => code))).toEqual(new Set([1012]));
      const times = moved.map(({ lostAt, restoredAt }) => restoredAt - lostAt);
      rows.push(row(`relay ${i + 1} of ${replicas} replaced`, `${moved.length} of ${consoles}`, times));
    },
    120_000,
  );

  test('no page requested a new grant, no grant was used twice, and all consoles are at new relays', async () => {
    await eventually('all consoles are open at Proxmox', () => fleet.proxmox.openConsoles() === consoles, {
      withinMs: 30_000,
    });
    const all = pages.flatMap(({ interruptions }) => interruptions);
    expect(new Set(all.map(({ code }) => code))).toEqual(new Set([1012]));
    expect(pages.map(({ grantRequests }) => grantRequests)).toEqual(pages.map(() => 1));
    const redeemed = pages.flatMap((page) => page.redeemedTokens);
    expect(new Set(redeemed).size).toBe(redeemed.length);
    const sessions = await fleet.sessions();
    expect(sessions).toHaveLength(consoles);
    expect(new Set(sessions.map(({ relay }) => relay)).size).toBe(replicas);
    expect(fleet.proxmox.violations).toEqual([]);
    await Promise.all(pages.map((page) => page.close()));
    await eventually('no console is open at Proxmox', () => fleet.proxmox.openConsoles() === 0, {
      withinMs: 30_000,
    });
    const times = all.map(({ lostAt, restoredAt }) => restoredAt - lostAt);
    rows.push(row('complete upgrade', `${all.length} moves of ${consoles} consoles`, times));
    await reportFigures(
      'upgraded',
      `${consoles} consoles on three relays behind HAProxy. Each relay is replaced by a new one; preStop takes ${preStopMs / 1000} s.`,
      rows,
      [
        'Every connection ended with 1012 (`moving`). Every page got its picture back; none requested a new grant.',
      ],
    );
  }, 90_000);
});
