import { createMachineControls } from '@porthole/shared/control/machine-controls';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { ConsoleSignal } from '@porthole/shared/session/signals';
import { lifetimes } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock } from '../../fakes/clock.ts';

const machine = { cluster: 'lab', vmid: 100 };
const oldKey = 'o'.repeat(40);
const newKey = 'n'.repeat(40);
const heldBy = (userId: string) => ({ version: 1, userId, sessionId: `${userId}-1`, by: userId }) as const;

async function createFixture() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  await store.start();
  const written = new Map<string, string>();
  const signals: ConsoleSignal[] = [];
  const records = {
    ...store.records,
    put(key: string, value: string, ttlMs: number) {
      written.set(key, value);
      return store.records.put(key, value, ttlMs);
    },
  };
  const podWith = (...keys: string[]) =>
    createMachineControls({
      records,
      signals: { publish: async (signal) => void signals.push(signal) },
      keys: () => keys,
      random: systemRandom,
    });
  return { clock, written, signals, podWith };
}

test('the store sees neither the machine nor who has control of it', async () => {
  const { podWith, written } = await createFixture();
  await podWith(newKey).take(machine, heldBy('ina'));
  const seen = JSON.stringify([...written]);
  for (const secret of ['ina', 'lab', '100/']) expect(seen).not.toContain(secret);
});

test('control ends by itself unless its session renews it', async () => {
  const { podWith, clock } = await createFixture();
  const controls = podWith(newKey);
  await controls.take(machine, heldBy('ina'));
  for (let third = 0; third < 9; third++) {
    clock.advance(lifetimes.machineControl / 3);
    await controls.renew(machine, 'ina-1');
    await controls.renew(machine, 'eve-1');
  }
  expect(await controls.read(machine)).toEqual(heldBy('ina'));
  for (let third = 0; third < 4; third++) {
    clock.advance(lifetimes.machineControl / 3);
    await controls.renew(machine, 'eve-1');
  }
  expect(await controls.read(machine)).toBeUndefined();
  await controls.renew(machine, 'ina-1');
  expect(await controls.read(machine)).toBeUndefined();
});

test('each change has a new revision and a signal, and one that changes nothing has neither', async () => {
  const { podWith, signals } = await createFixture();
  const controls = podWith(newKey);
  const revisions = [await controls.revision()];
  await controls.take(machine, heldBy('ina'));
  revisions.push(await controls.revision());
  expect(await controls.release(machine, { userId: 'eve' })).toBe(false);
  expect(await controls.release(machine, { sessionId: 'ina-2' })).toBe(false);
  expect(await controls.revision()).toBe(revisions[1]);
  expect(await controls.release(machine, { sessionId: 'ina-1' })).toBe(true);
  expect(await controls.release(machine, { sessionId: 'ina-1' })).toBe(false);
  revisions.push(await controls.revision());
  expect(new Set(revisions).size).toBe(3);
  expect(signals).toHaveLength(2);
});

test('pods with old and new grant keys agree on who has control', async () => {
  const { podWith, clock } = await createFixture();
  const before = podWith(oldKey, newKey);
  const after = podWith(newKey, oldKey);
  await before.take(machine, heldBy('ina'));
  expect(await after.read(machine)).toEqual(heldBy('ina'));
  clock.advance(lifetimes.machineControl - 1000);
  await after.renew(machine, 'ina-1');
  clock.advance(2000);
  expect(await before.read(machine)).toEqual(heldBy('ina'));
  await after.take(machine, heldBy('olga'));
  expect(await before.read(machine)).toEqual(heldBy('olga'));
  await before.take(machine, heldBy('ina'));
  expect(await after.read(machine)).toEqual(heldBy('ina'));
  expect(await after.release(machine, { userId: 'ina' })).toBe(true);
  expect(await before.read(machine)).toBeUndefined();
});
