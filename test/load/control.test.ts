import { createMachineControls, type MachineControls } from '@porthole/shared/control/machine-controls';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { connectConsole, type ConsoleClient } from '../relay/console-client.ts';
import { grantKey, testOrigin } from '../relay/rig.ts';
import { startRelayFleet, type RelayFleet } from './relay-fleet.ts';

const machines = 30;
/** Generous for busy machines. */
const limitMs = 10_000;

describeWith('redis')(`control of ${machines} machines over two relay processes`, () => {
  let fleet: RelayFleet;
  let students: ConsoleClient[] = [];
  let holders: ConsoleClient[] = [];
  let targets: { cluster: string; vmid: number }[] = [];

  beforeAll(async () => {
    fleet = await startRelayFleet();
    const [one, two] = [await fleet.startRelay(), await fleet.startRelay()];
    const open = async (url: string, token: string) => {
      const client = connectConsole({ url, token, origin: testOrigin });
      await client.rfb();
      return client;
    };
    const vmids = [...fleet.guests.keys()].slice(0, machines);
    targets = vmids.map((vmid) => ({ cluster: 'lab', vmid }));
    for (const [index, vmid] of vmids.entries()) {
      // Each has a quota of a few consoles.
      const user = { id: `instructor-${index}`, name: 'Ina', groups: [] };
      const [token, holdersToken] = await Promise.all([
        fleet.grantFor(index, { vmid }),
        fleet.grantFor(index, { vmid, user, sessionId: `holder-${index}` }),
      ]);
      students = [...students, await open(two.url, token)];
      holders = [...holders, await open(one.url, holdersToken)];
    }
  }, 120_000);

  afterAll(async () => {
    for (const client of [...students, ...holders]) client.close();
    await fleet.stop();
  });

  function controls(): MachineControls {
    const common = { keys: () => [grantKey], random: systemRandom };
    const signals = createConsoleSignals({ ...common, bus: fleet.store.signals, clock: systemClock });
    return createMachineControls({ ...common, records: fleet.store.records, signals });
  }

  const allAreTold = (clients: readonly ConsoleClient[], type: string) =>
    eventually(`all pages are told "${type}"`, () =>
      clients.every(
        ({ messages }) =>
          messages.findLast((each) => each.type === 'controlled' || each.type === 'uncontrolled')?.type ===
          type,
      ),
    );

  const take = (by: MachineControls) =>
    Promise.all(
      targets.map((target, index) =>
        by.take(target, {
          version: 1,
          userId: `instructor-${index}`,
          sessionId: `holder-${index}`,
          by: 'Ina',
        }),
      ),
    );

  async function elapsed(work: () => Promise<unknown>): Promise<number> {
    const began = performance.now();
    await work();
    return performance.now() - began;
  }

  test("control ends everywhere when the holders' relay was killed", async () => {
    await take(controls());
    await allAreTold(students, 'controlled');
    const ended = await elapsed(async () => {
      fleet.relays[0]?.process.signal('SIGKILL');
      await allAreTold(students, 'uncontrolled');
    });
    process.stderr.write(`control after SIGKILL: ${Math.round(ended)} ms\n`);
    // The record lives nine seconds, is polled each second, and the lost relay is waited for for two.
    expect(ended).toBeLessThan(12_000 + limitMs);
  });
});
