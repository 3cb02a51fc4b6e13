import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { eventually } from '../../eventually.ts';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { createClipboardPeer } from '../../fakes/guests/clipboard-peer.ts';
import { createQemuGuest } from '../../fakes/guests/qemu.ts';
import { encodings, openRfb, type RfbClient } from '../../fakes/guests/rfb-client.ts';
import { describeWith } from '../../needs.ts';
import type { ConsoleClient } from '../console-client.ts';
import { createRelayRig, grantKey, type RelayRig } from '../rig.ts';

/**
 * Tests the restrictions of grants on QEMU behind a simulated Proxmox. QEMU's trace shows the input that it got, and a
 * second viewer connects to QEMU directly. The test advances the clock.
 */
describeWith('qemu')('on QEMU', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  let clock: FakeClock;
  let rig: RelayRig;
  let clients: ConsoleClient[] = [];

  beforeAll(async () => {
    clock = createFakeClock(Date.now());
    rig = await createRelayRig({
      clock,
      proxmox: { guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'vm-100', guest, running: true }] },
    });
    await guest.booted();
  }, 60_000);
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await eventually('QEMU has no viewer', async () => (await guest.viewers()) === 0);
  });
  afterAll(async () => {
    await rig.stop();
    await guest.close();
  });

  async function open(overrides: Partial<GrantClaims> = {}, wanted?: number[]) {
    const client = await rig.open(overrides);
    clients = [...clients, client];
    return { client, rfb: await client.rfb(wanted) };
  }

  /** Connects to QEMU directly. */
  async function openDirectly(wanted: number[] = [encodings.raw]): Promise<RfbClient> {
    await guest.setPassword('password', 30);
    return openRfb(await guest.connect(), { password: 'password', encodings: wanted });
  }

  /** Waits for an update: then, QEMU has processed everything that was sent on this connection before. */
  async function settled(rfb: RfbClient): Promise<void> {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
  }

  /** Advances the clock while the viewer requests updates, because the relay disconnects one that sends nothing. */
  async function advance(seconds: number, rfb: RfbClient): Promise<void> {
    for (let left = seconds; left > 0; left -= 20) {
      clock.advance(Math.min(left, 20) * 1000);
      await settled(rfb);
    }
  }

  const waitForInput = (before: number) =>
    eventually('QEMU has input', async () => (await guest.inputs()).length > before);

  describe('a view-only console', () => {
    test('sends the machine no input, while one with control does', async () => {
      const { rfb: viewer } = await open({ mode: 'view' }, [encodings.raw, encodings.qemuExtendedKey]);
      await settled(viewer);
      const before = await guest.inputs();
      const sendInput = (rfb: RfbClient) => {
        rfb.type('x');
        rfb.extendedKeyEvent(0x78, 0x2d, true);
        rfb.extendedKeyEvent(0x78, 0x2d, false);
        rfb.pointer(10, 10, 1);
        rfb.pointer(40, 40, 0);
      };
      sendInput(viewer);
      await settled(viewer);
      expect(await guest.inputs()).toEqual(before);

      const { rfb: controller } = await open();
      sendInput(controller);
      await settled(controller);
      const after = (await guest.inputs()).slice(before.length);
      for (const kind of [/input_event_key/, /input_event_btn/, /input_event_(rel|abs)/])
        expect(after.some((line) => kind.test(line))).toBe(true);
    });
  });

  describe('the clipboard', () => {
    const withClipboard = [encodings.raw, encodings.extendedClipboard];

    /** Opens a console with this clipboard, and a viewer of QEMU itself, which has the same clipboard. */
    async function openBoth(clipboard: GrantClaims['clipboard'], overrides: Partial<GrantClaims> = {}) {
      const { client, rfb } = await open(
        { ...(clipboard ? { clipboard } : {}), ...overrides },
        withClipboard,
      );
      const direct = await openDirectly(withClipboard);
      const machine = createClipboardPeer(direct);
      await machine.ready();
      await settled(rfb);
      return { client, rfb, page: createClipboardPeer(rfb), direct, machine };
    }
    const waitForText = (peer: { texts(): readonly string[] }, text: string) =>
      eventually(`“${text}” arrives`, () => peer.texts().at(-1) === text);
    /** Waits until everything that was sent has arrived on both sides. */
    async function settleBoth({ rfb, direct }: { rfb: RfbClient; direct: RfbClient }) {
      for (let round = 0; round < 3; round++) for (const each of [rfb, direct]) await settled(each);
    }

    test('goes in both directions with `both`', async () => {
      const { page, machine, direct } = await openBoth('both');
      await page.ready();
      page.copy('žlutý kůň, dovnitř');
      await waitForText(machine, 'žlutý kůň, dovnitř');
      machine.copy('žlutý kůň, ven');
      await waitForText(page, 'žlutý kůň, ven');
      direct.close();
    });

    test('goes only to the machine with `in`, in all of Unicode', async () => {
      const both = await openBoth('in');
      await both.page.ready();
      both.page.copy('žlutý kůň');
      await waitForText(both.machine, 'žlutý kůň');
      const heardBefore = both.page.heard();
      both.machine.copy('a secret of the machine');
      await settleBoth(both);
      expect(both.page.heard()).toBe(heardBefore);
      expect(both.client.received().includes('secret')).toBe(false);
      // Plain text, too.
      both.rfb.cutText('plain');
      await waitForText(both.machine, 'plain');
      both.direct.close();
    });

    test('goes only to the viewer with `out`, in all of Unicode', async () => {
      const both = await openBoth('out');
      await both.page.ready();
      both.machine.copy('žlutý kůň');
      await waitForText(both.page, 'žlutý kůň');
      both.page.copy('pasted');
      both.rfb.cutText('pasted plainly');
      await settleBoth(both);
      expect(both.machine.texts()).toEqual([]);
      both.direct.close();
    });

    test('goes nowhere with `none`', async () => {
      const both = await openBoth('none');
      both.page.copy('pasted');
      both.rfb.cutText('pasted plainly');
      both.machine.copy('a secret of the machine');
      await settleBoth(both);
      expect(both.machine.texts()).toEqual([]);
      expect(both.page.heard()).toBe(0);
      both.direct.close();
    });

    test('gets no text from a view-only viewer', async () => {
      const both = await openBoth('both', { mode: 'view' });
      both.page.copy('pasted');
      both.rfb.cutText('pasted plainly');
      await settleBoth(both);
      expect(both.machine.texts()).toEqual([]);
      both.direct.close();
    });
  });

  test('the picture is complete if the clipboard is restricted', async () => {
    const { rfb } = await open({ clipboard: 'none' }, [encodings.raw, encodings.desktopSize]);
    await eventually('an update equals the screen dump', async () => {
      await settled(rfb);
      const { width, height, data } = await guest.screendump();
      if (width !== rfb.width || height !== rfb.height) return false;
      for (let pixel = 0; pixel < width * height; pixel++)
        for (let colour = 0; colour < 3; colour++)
          if (rfb.framebuffer[pixel * 4 + colour] !== data[pixel * 3 + colour]) return false;
      return true;
    });
  });

  test('a view with a limited update rate gets updates at that rate, however often it requests them', async () => {
    const { rfb } = await open({ mode: 'view', updatesPerSecond: 2 });
    await settled(rfb);
    let updates = 0;
    const { rfb: fast } = await open();
    for (let turn = 0; turn < 4; turn++) {
      for (let i = 0; i < 25; i++) rfb.requestUpdate(false);
      // When input behind these requests has arrived at QEMU, the relay has processed them.
      let arrived = false;
      const next = rfb.nextUpdate().then(() => {
        arrived = true;
        updates++;
      });
      const before = (await guest.inputs()).length;
      fast.type('x');
      await waitForInput(before);
      await settled(fast);
      expect(arrived).toBe(false);
      clock.advance(500);
      await next;
    }
    expect(updates).toBe(4);
  });

  test('a console without input ends, even if its viewer requests updates', async () => {
    const limits = { sessionSeconds: 36_000, idleSeconds: 600, perUser: 20, perMachine: 20 };
    const { client, rfb } = await open({ limits });
    await settled(rfb);
    await advance(590, rfb);
    const before = (await guest.inputs()).length;
    rfb.type('y');
    await waitForInput(before);
    await advance(590, rfb);
    expect(await guest.viewers()).toBe(1);
    clock.advance(11_000);
    expect((await client.closed).code).toBe(4408);
    await eventually('QEMU has no viewer', async () => (await guest.viewers()) === 0);
  });

  test('a console ends at the end of its session time, even with input', async () => {
    const limits = { sessionSeconds: 600, idleSeconds: 36_000, perUser: 20, perMachine: 20 };
    const { client, rfb } = await open({ limits });
    for (let minute = 0; minute < 9; minute++) {
      const before = (await guest.inputs()).length;
      rfb.type('z');
      await waitForInput(before);
      await advance(60, rfb);
    }
    await advance(59, rfb);
    expect(await guest.viewers()).toBe(1);
    clock.advance(1000);
    expect((await client.closed).code).toBe(4410);
    await eventually('QEMU has no viewer', async () => (await guest.viewers()) === 0);
  });

  test('a terminated console is closed at QEMU', async () => {
    const { client, rfb } = await open({ sessionId: 'to-be-ended' });
    const { client: other, rfb: otherRfb } = await open();
    await settled(rfb);
    const { records } = rig.store;
    const keys = () => [grantKey];
    const signals = createConsoleSignals({ bus: rig.store.signals, keys, random: systemRandom, clock });
    const terminations = createTerminationOrders({ records, signals, keys, random: systemRandom, clock });
    await terminations.issue({ kind: 'session', ref: 'to-be-ended' }, 'ended_by_operator');
    expect((await client.closed).code).toBe(4423);
    await eventually('QEMU has one viewer left', async () => (await guest.viewers()) === 1);
    await settled(otherRfb);
    other.close();
  });
});
