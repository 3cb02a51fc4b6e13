import { createClassStates } from '@porthole/shared/class/class-states';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { createQemuGuest } from '../../fakes/guests/qemu.ts';
import { encodings, type RfbClient } from '../../fakes/guests/rfb-client.ts';
import { describeWith } from '../../needs.ts';
import type { ConsoleClient } from '../console-client.ts';
import { createRelayRig, type RelayRig } from '../rig.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { keys } from './resume-rig.ts';

const rounds = 40;
const pauseMs = 600_000;

/** Keysyms and scan codes. */
const letters = [0x1e, 0x30, 0x2e, 0x20, 0x12, 0x21].map(
  (scanCode, index) => [0x61 + index, scanCode] as const,
);
/** Pressed only while the class is paused: g and h. */
const forbidden = [
  [0x67, 0x22],
  [0x68, 0x23],
] as const;
/** Pressed by another user, who is not paused: z. QEMU takes ten milliseconds for each key, in order. */
const marker = [0x7a, 0x2c] as const;

/** The keys that are down before each press of the marker, from QEMU's trace of its input. */
function heldAtMarkers(trace: readonly string[]): string[][] {
  const held = new Set<string>();
  const found: string[][] = [];
  for (const line of trace) {
    const [, what = '', down] = /input_event_(key.*), down (\d)/.exec(line) ?? [];
    if (what.endsWith('qcode z')) {
      if (down === '1') found.push([...held]);
    } else if (down === '1') held.add(what);
    else if (down === '0') held.delete(what);
  }
  return found;
}

/** Whether the button is down. QEMU takes buttons at once, and not in order with the keys. */
function isButtonDown(trace: readonly string[]): boolean {
  return trace.findLast((line) => line.includes('input_event_btn'))?.endsWith('down 1') ?? false;
}

describeWith('qemu')('on QEMU, a class that is paused while its member types', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  let rig: RelayRig;

  beforeAll(async () => {
    rig = await createRelayRig({
      proxmox: { guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'vm-100', guest, running: true }] },
    });
    await guest.booted();
  }, 60_000);
  afterAll(async () => {
    await rig.stop();
    await guest.close();
  });

  async function openScreen(client: ConsoleClient): Promise<RfbClient> {
    const rfb = await client.rfb([encodings.raw, encodings.qemuExtendedKey]);
    // QEMU accepts the extended keys with an update of its own, which answers no request.
    await rfb.nextUpdate();
    await settled(rfb);
    return rfb;
  }

  /** Waits for an update: then, QEMU has processed everything that was sent on this connection before. */
  async function settled(rfb: RfbClient): Promise<void> {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
  }

  test('has no key and no button down during each pause, and gets no input', async () => {
    const common = { keys, random: systemRandom };
    const signals = createConsoleSignals({ bus: rig.store.signals, ...common, clock: systemClock });
    const { records, leases } = rig.store;
    const states = createClassStates({ ...common, records, leases, signals });
    const other = await rig.open({ user: { id: 'ina', name: 'Ina', groups: [] } });
    const otherRfb = await openScreen(other);
    const client = await rig.open({ classes: [{ name: 'lab', role: 'member' }] });
    const rfb = await openScreen(client);
    const random = createSeededRandom(7);
    const count = (type: string) => client.messages.filter((message) => message.type === type).length;
    async function pressMarker(): Promise<void> {
      // QEMU has received everything that was sent before.
      await settled(rfb);
      otherRfb.extendedKeyEvent(...marker, true);
      otherRfb.extendedKeyEvent(...marker, false);
      await settled(otherRfb);
    }
    function typeAtRandom(from: readonly (readonly [number, number])[]): void {
      for (let each = 0; each < 12; each++) {
        const [keysym, scanCode] = from[random(from.length)] ?? marker;
        const down = random(10) < 7;
        if (random(2) === 0) rfb.keyEvent(keysym, down);
        else rfb.extendedKeyEvent(keysym, scanCode, down);
        if (random(3) === 0) rfb.pointer(random(100), 20, random(2));
      }
    }

    for (let round = 0; round < rounds; round++) {
      typeAtRandom(letters);
      await pressMarker();
      const [paused, unpaused] = [count('paused'), count('unpaused')];
      await states.pauses.write('lab', { version: 1, until: Date.now() + pauseMs, text: '' }, pauseMs);
      await states.announce('lab');
      // The relay reads the pause while the member goes on.
      typeAtRandom(letters);
      await eventually('the class is paused', () => count('paused') > paused);
      typeAtRandom(forbidden);
      await pressMarker();
      expect(isButtonDown(await guest.inputs())).toBe(false);
      typeAtRandom(forbidden);
      await settled(rfb);
      await states.pauses.clear('lab');
      await states.announce('lab');
      await eventually('the class goes on', () => count('unpaused') > unpaused);
    }
    await eventually(
      'QEMU has taken all keys',
      async () => heldAtMarkers(await guest.inputs()).length === 2 * rounds,
    );
    const trace = await guest.inputs();
    const held = heldAtMarkers(trace);
    expect(held.filter((_, index) => index % 2 === 1).flat()).toEqual([]);
    // Otherwise the test would show nothing: keys were down before most pauses.
    expect(held.filter((keysDown, index) => index % 2 === 0 && keysDown.length > 0).length).toBeGreaterThan(
      rounds / 2,
    );
    expect(trace.filter((line) => /qcode [gh],/.test(line))).toEqual([]);
    other.close();
    client.close();
  }, 120_000);
});
