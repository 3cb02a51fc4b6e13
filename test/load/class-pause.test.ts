import { createClassStates, type ClassStates } from '@porthole/shared/class/class-states';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { grantKey, testOrigin } from '../relay/rig.ts';
import { reportFigures, row } from './figures.ts';
import { startRelayFleet, type RelayFleet } from './relay-fleet.ts';
import { simulatePage, type SimulatedPage } from './simulated-page.ts';

/** Number of open consoles; `npm run rehearse` uses 300. */
const consoles = Number(process.env['CONSOLES'] ?? 60);
const className = 'lab';
const pauseMs = 600_000;
/** Generous for busy machines. `npm run rehearse` reports the figures. */
const limitMs = 20_000;

describeWith('redis')(`a class of ${consoles} over three relays`, () => {
  let fleet: RelayFleet;
  let pages: SimulatedPage[];
  /** Of an instructor whose signals arrive, and of one whose signals are all lost. */
  let states: ClassStates;
  let silentStates: ClassStates;
  /** When each page got the newest message of each type. */
  const received: Map<ControlMessage['type'], number>[] = [];
  const rows: string[] = [];
  const percentiles: string[] = [];

  beforeAll(async () => {
    fleet = await startRelayFleet();
    await Promise.all([fleet.startRelay(), fleet.startRelay(), fleet.startRelay()]);
    const common = { ...fleet.store, keys: () => [grantKey], random: systemRandom };
    const signals = createConsoleSignals({ ...common, bus: fleet.store.signals, clock: systemClock });
    states = createClassStates({ ...common, signals });
    silentStates = createClassStates({ ...common, signals: { publish: async () => {} } });
    const urls = fleet.relays.map(({ url }) => url);
    pages = Array.from({ length: consoles }, (_, index) => {
      const times = (received[index] = new Map());
      return simulatePage({
        urls,
        first: index,
        step: 1 + (Math.floor(index / 3) % 2),
        origin: testOrigin,
        requestGrant: () => fleet.grantFor(index, { classes: [{ name: className, role: 'member' }] }),
        onControl: ({ type }) => times.set(type, performance.now()),
      });
    });
    await Promise.all(pages.map(({ open }) => open));
  }, 120_000);

  afterAll(async () => {
    await reportFigures('paused', `${consoles} members on three relays with one Redis.`, rows, [
      `99th percentiles: ${percentiles.join(', ')}.`,
    ]);
    await Promise.all(pages.map((page) => page.close()));
    await fleet.stop();
  });

  /** Waits until every page has got the message, and returns how long each has waited, in milliseconds. */
  async function measure(type: ControlMessage['type'], change: () => Promise<void>): Promise<number[]> {
    for (const times of received) times.delete(type);
    const began = performance.now();
    await change();
    await eventually(`every page got ${type}`, () => received.every((times) => times.has(type)));
    return received.map((times) => (times.get(type) ?? 0) - began);
  }

  async function report(what: string, times: readonly number[]): Promise<void> {
    rows.push(row(what, `${times.length} of ${consoles}`, times));
    const sorted = times.toSorted((a, b) => a - b);
    const p99 = Math.round(sorted[Math.floor((sorted.length - 1) * 0.99)] ?? 0);
    percentiles.push(`${what} ${p99} ms`);
    expect(p99).toBeLessThan(limitMs);
  }

  const pause = (by: ClassStates) => async () => {
    await by.pauses.write(
      className,
      { version: 1, until: Date.now() + pauseMs, text: 'Eyes up here.' },
      pauseMs,
    );
    await by.announce(className);
  };
  const resume = (by: ClassStates) => async () => {
    await by.pauses.clear(className);
    await by.announce(className);
  };
  const message = (by: ClassStates) => async () => {
    await by.messages.add(className, { id: randomId(systemRandom, 12), at: Date.now(), text: 'Hello.' });
    await by.announce(className);
  };

  test('a pause, its end and a message reach every console', async () => {
    await report('pause', await measure('paused', pause(states)));
    await report('resume', await measure('unpaused', resume(states)));
    await report('message', await measure('message', message(states)));
  }, 120_000);

  test('they do without a single signal', async () => {
    await report('pause, every signal lost', await measure('paused', pause(silentStates)));
    await report('resume, every signal lost', await measure('unpaused', resume(silentStates)));
    await report('message, every signal lost', await measure('message', message(silentStates)));
  }, 120_000);

  test('the consoles of a relay that is killed during a pause are paused again at the others', async () => {
    await measure('paused', pause(states));
    const affected = pages.flatMap((page, index) => (page.relay === 0 ? index : []));
    for (const index of affected) received[index]?.delete('paused');
    const killedAt = performance.now();
    fleet.relays[0]?.process.signal('SIGKILL');
    await eventually('every page is paused again', () =>
      affected.every((index) => received[index]?.has('paused') === true),
    );
    expect(affected.length).toBeGreaterThan(consoles / 6);
    await report(
      'pause after SIGKILL to a relay',
      affected.map((index) => (received[index]?.get('paused') ?? 0) - killedAt),
    );
  }, 120_000);
});
