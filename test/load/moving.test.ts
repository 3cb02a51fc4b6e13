import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { testOrigin } from '../relay/rig.ts';
import { createClassroom, type Classroom } from './classroom.ts';
import { row, reportFigures } from './figures.ts';
import { simulatePage, type SimulatedPage } from './simulated-page.ts';

/** Number of open consoles; `npm run rehearse` uses 300. */
const consoles = Number(process.env['CONSOLES'] ?? 60);

describeWith('redis')(`${consoles} consoles over three relays`, () => {
  let room: Classroom;
  let pages: SimulatedPage[];
  const rows: string[] = [];
  const said: string[] = [];

  beforeAll(async () => {
    room = await createClassroom();
    await Promise.all([room.startRelay(), room.startRelay(), room.startRelay()]);
    const urls = room.relays.map(({ url }) => url);
    pages = Array.from({ length: consoles }, (_, i) =>
      simulatePage({
        urls,
        first: i,
        step: 1 + (Math.floor(i / 3) % 2),
        origin: testOrigin,
        askGrant: () => room.grantFor(i),
      }),
    );
    await Promise.all(pages.map(({ open }) => open));
  }, 120_000);

  afterAll(async () => {
    await reportFigures('stopped', `${consoles} consoles on three relays with one Redis.`, rows, said);
    await room.stop();
  });

  /** Waits until all pages of the relay have a picture again. Returns the durations of their interruptions, sorted. */
  async function allBack(hit: readonly SimulatedPage[], before: readonly number[]): Promise<number[]> {
    await eventually(
      'every page has a picture again',
      () => hit.every(({ interruptions }, i) => interruptions.length > (before[i] ?? 0)),
      { withinMs: 60_000 },
    );
    return hit
      .map(({ interruptions }) => interruptions.at(-1))
      .map((last) => (last ? last.backAt - last.lostAt : 0))
      .toSorted((a, b) => a - b);
  }

  async function signal(which: number, name: 'SIGTERM' | 'SIGKILL') {
    const hit = pages.filter(({ relay }) => relay === which);
    const before = hit.map(({ interruptions }) => interruptions.length);
    room.relays[which]?.process.signal(name);
    const times = await allBack(hit, before);
    rows.push(row(`${name} to a relay`, `${hit.length} of ${consoles}`, times));
    return { hit, times };
  }

  test('a relay that is stopped moves its consoles to other relays, and exits', async () => {
    const { hit, times } = await signal(0, 'SIGTERM');
    expect(new Set(hit.flatMap(({ interruptions }) => interruptions.map(({ code }) => code)))).toEqual(
      new Set([1012]),
    );
    // Generous for busy machines. The target is one second plus the opening; `npm run rehearse` reports the figures.
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(5000);
    expect(await room.relays[0]?.process.exited).toBe(0);
    expect(pages.every(({ asked }) => asked === 1)).toBe(true);
  }, 90_000);

  test('the consoles of a relay that is killed resume at the others', async () => {
    const { times } = await signal(1, 'SIGKILL');
    // Also generous: the target is five seconds.
    expect(times.at(-1)).toBeLessThan(30_000);
  }, 90_000);

  test('no grant was used twice, no session is counted twice, and Proxmox has no additional console', async () => {
    await eventually('every page has a picture', () => room.proxmox.openConsoles() === consoles, {
      withinMs: 30_000,
    });
    const used = pages.flatMap((page) => page.used);
    expect(new Set(used).size).toBe(used.length);
    const asked = pages.reduce((sum, page) => sum + page.asked, 0);
    said.push(`${used.length} grants were redeemed, each once; ${asked - consoles} new ones were requested.`);
    const live = await room.sessions();
    expect(live).toHaveLength(consoles);
    expect(new Set(live.map(({ relay }) => relay)).size).toBe(1);
    expect(room.proxmox.violations).toEqual([]);
  }, 60_000);

  test('after all pages have closed, no record and no console is left', async () => {
    await Promise.all(pages.map((page) => page.leave()));
    await eventually('Proxmox has no console', () => room.proxmox.openConsoles() === 0, { withinMs: 30_000 });
    await eventually('no record is left', async () => (await room.sessions()).length === 0, {
      withinMs: 60_000,
    });
    said.push('After all pages closed, no session record and no connection to Proxmox remained.');
    const lines = room.relays.map(({ process }) => process.output()).join('\n');
    for (const token of pages.flatMap((page) => page.used)) expect(lines).not.toContain(token);
  }, 90_000);
});
