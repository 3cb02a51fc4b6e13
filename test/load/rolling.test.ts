import { sleep, systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../eventually.ts';
import { startHaproxy, type Front } from '../fakes/haproxy/start.ts';
import { freePort } from '../free-port.ts';
import { haproxyBefore } from '../fronts/shipped.ts';
import { describeWith } from '../needs.ts';
import { testOrigin } from '../relay/rig.ts';
import { createClassroom, type Classroom, type RelayProcess } from './classroom.ts';
import { row, reportFigures } from './figures.ts';
import { simulatePage, type SimulatedPage } from './simulated-page.ts';

/** `npm run rehearse` uses 200 consoles and the chart's preStop. */
const consoles = Number(process.env['CONSOLES'] ?? 30);
const preStopMs = Number(process.env['PRE_STOP'] ?? 0) * 1000;
const replicas = 3;

/** The update of the chart's Deployment (maxUnavailable 0): a new relay becomes ready, then an old one is stopped. */
describeWith('redis', 'haproxy')(`an upgrade of three relays with ${consoles} consoles`, () => {
  let room: Classroom;
  let front: Front;
  let port: number;
  let pages: SimulatedPage[];
  let reloads = 0;
  const rows: string[] = [];

  beforeAll(async () => {
    room = await createClassroom();
    await Promise.all(Array.from({ length: replicas }, () => room.startRelay()));
    port = await freePort();
    front = await startHaproxy({ config: haproxyBefore(port, room.relays, reloads) });
    pages = Array.from({ length: consoles }, (_, i) =>
      simulatePage({
        urls: [`ws://127.0.0.1:${port}/relay/v1/console`],
        first: 0,
        step: 1,
        origin: testOrigin,
        askGrant: () => room.grantFor(i),
      }),
    );
    await Promise.all(pages.map(({ open }) => open));
  }, 180_000);

  afterAll(async () => {
    await front.stop();
    await room.stop();
  });

  /** Reloads the front, as an ingress controller does when the endpoints of a Service change. */
  async function endpoints(relays: readonly RelayProcess[]): Promise<void> {
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
      await room.startRelay();
      await endpoints(room.relays.slice(i));
      const before = pages.map(({ interruptions }) => interruptions.length);
      const old = room.relays[i]?.process;
      // A terminating pod leaves the endpoints at once, and serves until all proxies have noticed.
      await endpoints(room.relays.slice(i + 1));
      await sleep(systemClock, preStopMs);
      old?.signal('SIGTERM');
      expect(await old?.exited).toBe(0);
      await eventually('every page has a picture', () => pages.every(({ there }) => there), {
        withinMs: 60_000,
      });
      const moved = pages.flatMap(({ interruptions }, at) => interruptions.slice(before[at]));
      // The front spreads the consoles over the relays.
      expect(moved.length).toBeGreaterThan(0);
      expect(new Set(moved.map(({ code }) => code))).toEqual(new Set([1012]));
      const times = moved.map((gap) => gap.backAt - gap.lostAt);
      rows.push(row(`relay ${i + 1} of ${replicas} replaced`, `${moved.length} of ${consoles}`, times));
    },
    120_000,
  );

  test('no page requested a new grant, no grant was used twice, and all consoles are at new relays', async () => {
    await eventually('all consoles are open at Proxmox', () => room.proxmox.openConsoles() === consoles, {
      withinMs: 30_000,
    });
    const gaps = pages.flatMap(({ interruptions }) => interruptions);
    expect(new Set(gaps.map(({ code }) => code))).toEqual(new Set([1012]));
    expect(pages.map(({ asked }) => asked)).toEqual(pages.map(() => 1));
    const used = pages.flatMap((page) => page.used);
    expect(new Set(used).size).toBe(used.length);
    const live = await room.sessions();
    expect(live).toHaveLength(consoles);
    expect(new Set(live.map(({ relay }) => relay)).size).toBe(replicas);
    expect(room.proxmox.violations).toEqual([]);
    await Promise.all(pages.map((page) => page.leave()));
    await eventually('no console is open at Proxmox', () => room.proxmox.openConsoles() === 0, {
      withinMs: 30_000,
    });
    const times = gaps.map((gap) => gap.backAt - gap.lostAt);
    rows.push(row('complete upgrade', `${gaps.length} moves of ${consoles} consoles`, times));
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
