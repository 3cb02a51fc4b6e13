import { createMachineControls, type MachineControls } from '@porthole/shared/control/machine-controls';
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
/** Each has a tenth of the consoles, at all relays. */
const machines = 10;
/** Generous for busy machines. `npm run rehearse` reports the figures. */
const limitMs = 20_000;

const sessionOf = (member: number) => `member-${member}`;
/** Members with neighbouring numbers are at different relays. */
const vmidOf = (member: number) => 100 + (Math.floor(member / 3) % machines);

describeWith('redis')(`a class of ${consoles} over three relays`, () => {
  let fleet: RelayFleet;
  let pages: SimulatedPage[];
  /** Of an instructor whose signals arrive, and of one whose signals are all lost. */
  let states: ClassStates;
  let silentStates: ClassStates;
  let controls: MachineControls;
  let silentControls: MachineControls;
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
    const silent = { publish: async () => {} };
    silentStates = createClassStates({ ...common, signals: silent });
    controls = createMachineControls({ ...common, signals });
    silentControls = createMachineControls({ ...common, signals: silent });
    const urls = fleet.relays.map(({ url }) => url);
    pages = Array.from({ length: consoles }, (_, index) => {
      const times = (received[index] = new Map());
      return simulatePage({
        urls,
        first: index,
        step: 1 + (Math.floor(index / 3) % 2),
        origin: testOrigin,
        requestGrant: () =>
          fleet.grantFor(index, {
            classes: [{ name: className, role: 'member' }],
            sessionId: sessionOf(index),
            vmid: vmidOf(index),
            node: `pve${((vmidOf(index) - 100) % 6) + 1}`,
          }),
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

  const show = (by: ClassStates) => async () => {
    const since = Date.now();
    const shown = { id: randomId(systemRandom, 12), cluster: 'lab', vmid: 100, name: 'Ada' };
    await by.showings.write(className, { version: 1, ...shown, since, until: since + pauseMs }, pauseMs);
    await by.announce(className);
  };
  const stopShowing = (by: ClassStates) => async () => {
    await by.showings.clear(className);
    await by.announce(className);
  };
  /** For each machine, one of its sessions takes control. They are at different relays. */
  const holders = Array.from({ length: machines }, (_, machine) => machine * 3 + (machine % 3));
  const take = (by: MachineControls) => async () => {
    await Promise.all(
      holders.map((member) =>
        by.take(
          { cluster: 'lab', vmid: vmidOf(member) },
          { version: 1, userId: `student-${member}`, sessionId: sessionOf(member) },
        ),
      ),
    );
  };
  const release = (by: MachineControls) => async () => {
    await Promise.all(
      holders.map((member) =>
        by.release({ cluster: 'lab', vmid: vmidOf(member) }, { userId: `student-${member}` }),
      ),
    );
  };

  test.each([
    ['', () => [states, controls] as const],
    [', every signal lost', () => [silentStates, silentControls] as const],
  ])(
    'a pause, a message, what is shown and control reach every console, and their ends as well%s',
    async (how, changes) => {
      const [ofClass, ofMachines] = changes();
      await report(`pause${how}`, await measure('paused', pause(ofClass)));
      await report(`resume${how}`, await measure('unpaused', resume(ofClass)));
      await report(`message${how}`, await measure('message', message(ofClass)));
      await report(`show${how}`, await measure('shown', show(ofClass)));
      await report(`stop showing${how}`, await measure('not_shown', stopShowing(ofClass)));
      await report(`take control${how}`, await measure('controlled', take(ofMachines)));
      await report(`hand back${how}`, await measure('uncontrolled', release(ofMachines)));
    },
    120_000,
  );

  test('the consoles of a relay that is killed are paused, shown the same and controlled by the same session at the others', async () => {
    await measure('paused', pause(states));
    await measure('shown', show(states));
    await measure('controlled', take(controls));
    const affected = pages.flatMap((page, index) => (page.relay === 0 ? index : []));
    const restored = ['paused', 'shown', 'controlled'] as const;
    for (const index of affected) for (const type of restored) received[index]?.delete(type);
    for (const times of received) times.delete('uncontrolled');
    const killedAt = performance.now();
    fleet.relays[0]?.process.signal('SIGKILL');
    await eventually('every page has its state again', () =>
      affected.every((index) => restored.every((type) => received[index]?.has(type) === true)),
    );
    expect(affected.length).toBeGreaterThan(consoles / 6);
    const names = { paused: 'pause', shown: 'show', controlled: 'control' };
    for (const type of restored)
      await report(
        `${names[type]}, after SIGKILL to a relay`,
        affected.map((index) => (received[index]?.get(type) ?? 0) - killedAt),
      );
    // Holders whose relay was killed came back in time, so that control has not ended meanwhile.
    expect(received.filter((times) => times.has('uncontrolled'))).toEqual([]);
  }, 120_000);
});
