import { parseDelayProfile } from '../fakes/proxmox/delay-profiles.ts';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { testOrigin } from '../relay/rig.ts';
import { startRelayFleet, type RelayFleet } from './relay-fleet.ts';
import { row, reportFigures } from './figures.ts';
import { simulatePage, type SimulatedPage } from './simulated-page.ts';

/** Number of open consoles; `npm run rehearse` uses 300. */
const consoles = Number(process.env['CONSOLES'] ?? 60);

describeWith('redis')(`${consoles} consoles over three relays`, () => {
  let fleet: RelayFleet;
  let pages: SimulatedPage[];
  const rows: string[] = [];
  const notes: string[] = [];

  beforeAll(async () => {
    fleet = await startRelayFleet({ delays: parseDelayProfile(process.env['PROXMOX']) });
    await Promise.all([fleet.startRelay(), fleet.startRelay(), fleet.startRelay()]);
    const urls = fleet.relays.map(({ url }) => url);
    pages = Array.from({ length: consoles }, (_, i) =>
      simulatePage({
        urls,
        first: i,
        step: 1 + (Math.floor(i / 3) % 2),
        origin: testOrigin,
        requestGrant: () => fleet.grantFor(i),
      }),
    );
    await Promise.all(pages.map(({ open }) => open));
  }, 120_000);

  afterAll(async () => {
    await reportFigures('stopped', `${consoles} consoles on three relays with one Redis.`, rows, notes);
    await fleet.stop();
  });

  /** Waits until all pages of the relay have a picture again. Returns the durations of their interruptions, sorted. */
  async function waitForPictures(
    affected: readonly SimulatedPage[],
    before: readonly number[],
  ): Promise<number[]> {
    await eventually(
      'every page has a picture again',
      () => affected.every(({ interruptions }, i) => interruptions.length > (before[i] ?? 0)),
      { withinMs: 60_000 },
    );
    return affected
      .map(({ interruptions }) => interruptions.at(-1))
      .map((last) => (last ? last.restoredAt - last.lostAt : 0))
      .toSorted((a, b) => a - b);
  }

  async function signal(index: number, name: 'SIGTERM' | 'SIGKILL') {
    const affected = pages.filter(({ relay }) => relay === index);
    const before = affected.map(({ interruptions }) => interruptions.length);
    fleet.relays[index]?.process.signal(name);
    const times = await waitForPictures(affected, before);
    rows.push(row(`${name} to a relay`, `${affected.length} of ${consoles}`, times));
    return { affected, times };
  }

  test('a relay that is stopped moves its consoles to other relays, and exits', async () => {
    const { affected, times } = await signal(0, 'SIGTERM');
    expect(new Set(affected.flatMap(({ interruptions }) => interruptions.map(({ code }) => code)))).toEqual(
      new Set([1012]),
    );
    // Generous for busy machines. The target is one second plus the opening; `npm run rehearse` reports the figures.
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(5000);
    expect(await fleet.relays[0]?.process.exited).toBe(0);
    expect(pages.every(({ grantRequests }) => grantRequests === 1)).toBe(true);
  }, 90_000);

  test('the consoles of a relay that is killed resume at the others', async () => {
    const { times } = await signal(1, 'SIGKILL');
    // Also generous: the target is five seconds.
    expect(times.at(-1)).toBeLessThan(30_000);
  }, 90_000);

  test('no grant was used twice, no session is counted twice, and Proxmox has no additional console', async () => {
    await eventually('every page has a picture', () => fleet.proxmox.openConsoles() === consoles, {
      withinMs: 30_000,
    });
    const redeemed = pages.flatMap((page) => page.redeemedTokens);
    expect(new Set(redeemed).size).toBe(redeemed.length);
    const requests = pages.reduce((sum, page) => sum + page.grantRequests, 0);
    notes.push(
      `${redeemed.length} grants were redeemed, each once; ${requests - consoles} new ones were requested.`,
    );
    const sessions = await fleet.sessions();
    expect(sessions).toHaveLength(consoles);
    expect(new Set(sessions.map(({ relay }) => relay)).size).toBe(1);
    expect(fleet.proxmox.violations).toEqual([]);
  }, 60_000);

  test('after all pages have closed, no record and no console is left', async () => {
    await Promise.all(pages.map((page) => page.close()));
    await eventually('Proxmox has no console', () => fleet.proxmox.openConsoles() === 0, {
      withinMs: 30_000,
    });
    await eventually('no record is left', async () => (await fleet.sessions()).length === 0, {
      withinMs: 60_000,
    });
    notes.push('After all pages closed, no session record and no connection to Proxmox remained.');
    const lines = fleet.relays.map(({ process }) => process.output()).join('\n');
    for (const token of pages.flatMap((page) => page.redeemedTokens)) expect(lines).not.toContain(token);
  }, 90_000);
});
