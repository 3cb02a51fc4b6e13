import { sleep, systemClock } from '@porthole/shared/clock';
import { eventually } from '../eventually.ts';
import type { Front } from '../fakes/haproxy/start.ts';
import { startHaproxy } from '../fakes/haproxy/start.ts';
import { freePort } from '../fakes/redis-server.ts';
import { haproxyBefore } from '../fronts/shipped.ts';
import { describeWith } from '../needs.ts';
import { testOrigin } from '../relay/rig.ts';
import { createClassroom, type Classroom } from './classroom.ts';
import { row, tellFigures } from './figures.ts';
import { simulatePage, type SimulatedPage } from './person.ts';

/** `npm run rehearse` does it with 200 consoles and the chart's preStop. */
const consoles = Number(process.env['CONSOLES'] ?? 30);
const preStopMs = Number(process.env['PRE_STOP'] ?? 0) * 1000;
const replicas = 3;

/** As the chart's Deployment does it (maxUnavailable 0): one more becomes ready, then an old one is told to leave. */
describeWith('redis', 'haproxy')(
  `an upgrade of three relays behind HAProxy, with ${consoles} consoles`,
  () => {
    let room: Classroom;
    let front: Front;
    let pages: SimulatedPage[];
    let ports: { port: number; operations: number }[];
    const rows: string[] = [];

    beforeAll(async () => {
      room = await createClassroom();
      ports = [];
      for (let i = 0; i < 2 * replicas; i++)
        ports.push({ port: await freePort(), operations: await freePort() });
      await Promise.all(ports.slice(0, replicas).map((own) => room.startRelay(own)));
      const port = await freePort();
      front = await startHaproxy({ port, config: haproxyBefore(port, ports) });
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
      const all = pages.flatMap(gapsOf);
      rows.push(row('the whole upgrade', `${all.length} moves of ${consoles}`, all));
      const asked = pages.reduce((sum, page) => sum + page.asked, 0) - consoles;
      await tellFigures(
        'upgraded',
        `${consoles} consoles, three relays behind HAProxy, each replaced by a new one; preStop ${preStopMs / 1000} s.`,
        rows,
        [`No page got anything but 1012 (moving), all have their picture, ${asked} asked for a new grant.`],
      );
      await front.stop();
      await room.stop();
    });

    const gapsOf = ({ interruptions }: SimulatedPage) => interruptions.map((gap) => gap.backAt - gap.lostAt);

    test.each(Array.from({ length: replicas }, (_, i) => i))(
      'relay %i is replaced, and its consoles go on',
      async (i) => {
        await room.startRelay(ports[replicas + i]);
        const before = pages.map(({ interruptions }) => interruptions.length);
        const old = room.relays[i]?.process;
        await sleep(systemClock, preStopMs);
        old?.signal('SIGTERM');
        expect(await old?.exited).toBe(0);
        await eventually('everybody has a picture', () => pages.every(({ there }) => there), 60_000);
        const moved = pages.flatMap(({ interruptions }, at) => interruptions.slice(before[at]));
        // Who opened through the front are spread by it: each relay has its share.
        expect(moved.length).toBeGreaterThan(0);
        expect(new Set(moved.map(({ code }) => code))).toEqual(new Set([1012]));
        rows.push(
          row(
            `relay ${i + 1} of ${replicas} is replaced`,
            `${moved.length} of ${consoles}`,
            moved.map((gap) => gap.backAt - gap.lostAt),
          ),
        );
      },
      120_000,
    );

    test('nobody had to ask for a new grant, none was used twice, and all are at new relays', async () => {
      await eventually('Proxmox has them all', () => room.proxmox.openConsoles() === consoles, 30_000);
      expect(pages.every(({ asked }) => asked === 1)).toBe(true);
      const used = pages.flatMap((page) => page.used);
      expect(new Set(used).size).toBe(used.length);
      const live = await room.sessions();
      expect(live).toHaveLength(consoles);
      expect(new Set(live.map(({ relay }) => relay)).size).toBe(replicas);
      expect(room.proxmox.violations).toEqual([]);
      await Promise.all(pages.map((page) => page.leave()));
      await eventually('nothing is left at Proxmox', () => room.proxmox.openConsoles() === 0, 30_000);
    }, 90_000);
  },
);
