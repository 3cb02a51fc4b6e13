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
 * What a grant says is held to on a real machine: QEMU behind a simulated Proxmox, its own trace as the witness, and
 * a second viewer at QEMU itself, past Porthole. Time is turned by hand.
 */
describeWith('qemu')('on real QEMU', () => {
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
    await eventually('QEMU is alone', async () => (await guest.viewers()) === 0);
  });
  afterAll(async () => {
    await rig.stop();
    await guest.close();
  });

  async function open(different: Partial<GrantClaims> = {}, wanted?: number[]) {
    const client = await rig.open(different);
    clients = [...clients, client];
    return { client, rfb: await client.rfb(wanted) };
  }

  /** At QEMU's own door. */
  async function openDirectly(wanted: number[] = [encodings.raw]): Promise<RfbClient> {
    await guest.setPassword('password', 30);
    return openRfb(await guest.connect(), { password: 'password', encodings: wanted });
  }

  /** Whatever was sent before on this connection has been seen by QEMU when the picture comes. */
  async function settled(rfb: RfbClient): Promise<void> {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
  }

  /** Time passes while the viewer looks on: a relay takes one that says nothing at all for gone. */
  async function pass(seconds: number, rfb: RfbClient): Promise<void> {
    for (let left = seconds; left > 0; left -= 20) {
      clock.advance(Math.min(left, 20) * 1000);
      await settled(rfb);
    }
  }

  const grows = (before: number) =>
    eventually('input arrives', async () => (await guest.inputs()).length > before);

  describe('a view-only console', () => {
    test('moves no key and no mouse of the machine, and one in control does', async () => {
      const { rfb: viewer } = await open({ mode: 'view' }, [encodings.raw, encodings.qemuExtendedKey]);
      await settled(viewer);
      const before = await guest.inputs();
      const poke = (rfb: RfbClient) => {
        rfb.type('x');
        rfb.extendedKeyEvent(0x78, 0x2d, true);
        rfb.extendedKeyEvent(0x78, 0x2d, false);
        rfb.pointer(10, 10, 1);
        rfb.pointer(40, 40, 0);
      };
      poke(viewer);
      await settled(viewer);
      expect(await guest.inputs()).toEqual(before);

      const { rfb: controller } = await open();
      poke(controller);
      await settled(controller);
      const after = (await guest.inputs()).slice(before.length);
      for (const kind of [/input_event_key/, /input_event_btn/, /input_event_(rel|abs)/])
        expect(after.some((line) => kind.test(line))).toBe(true);
    });
  });

  describe('the clipboard', () => {
    const withClipboard = [encodings.raw, encodings.extendedClipboard];

    /** A console with that clipboard and a viewer at QEMU itself, which shares one clipboard with it. */
    async function two(clipboard: GrantClaims['clipboard'], different: Partial<GrantClaims> = {}) {
      const { client, rfb } = await open(
        { ...(clipboard ? { clipboard } : {}), ...different },
        withClipboard,
      );
      const direct = await openDirectly(withClipboard);
      const inside = createClipboardPeer(direct);
      await inside.ready();
      await settled(rfb);
      return { client, rfb, page: createClipboardPeer(rfb), direct, inside };
    }
    const gets = (peer: { texts(): readonly string[] }, text: string) =>
      eventually(`“${text}” arrives`, () => peer.texts().at(-1) === text);
    /** A question each way and back: what should not have arrived would be here by now. */
    async function calm({ rfb, direct }: { rfb: RfbClient; direct: RfbClient }) {
      for (let round = 0; round < 3; round++) for (const each of [rfb, direct]) await settled(each);
    }

    test('goes both ways where it may', async () => {
      const { page, inside, direct } = await two('both');
      await page.ready();
      page.copy('žlutý kůň, dovnitř');
      await gets(inside, 'žlutý kůň, dovnitř');
      inside.copy('žlutý kůň, ven');
      await gets(page, 'žlutý kůň, ven');
      direct.close();
    });

    test('goes in alone, in all letters', async () => {
      const both = await two('in');
      await both.page.ready();
      both.page.copy('žlutý kůň');
      await gets(both.inside, 'žlutý kůň');
      const heard = both.page.heard();
      both.inside.copy('a secret of the machine');
      await calm(both);
      expect(both.page.heard()).toBe(heard);
      expect(both.client.received().includes('secret')).toBe(false);
      // Plain text, too.
      both.rfb.cutText('plain');
      await gets(both.inside, 'plain');
      both.direct.close();
    });

    test('goes out alone, in all letters', async () => {
      const both = await two('out');
      await both.page.ready();
      both.inside.copy('žlutý kůň');
      await gets(both.page, 'žlutý kůň');
      both.page.copy('pasted');
      both.rfb.cutText('pasted plainly');
      await calm(both);
      expect(both.inside.texts()).toEqual([]);
      both.direct.close();
    });

    test('goes nowhere', async () => {
      const both = await two('none');
      both.page.copy('pasted');
      both.rfb.cutText('pasted plainly');
      both.inside.copy('a secret of the machine');
      await calm(both);
      expect(both.inside.texts()).toEqual([]);
      expect(both.page.heard()).toBe(0);
      both.direct.close();
    });

    test('is not to be filled by somebody who only looks on', async () => {
      const both = await two('both', { mode: 'view' });
      both.page.copy('pasted');
      both.rfb.cutText('pasted plainly');
      await calm(both);
      expect(both.inside.texts()).toEqual([]);
      both.direct.close();
    });
  });

  test('the pictures of a machine that keeps its clipboard are all there, in every encoding that is left', async () => {
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

  test('a paced view gets one picture a turn, however often it asks', async () => {
    const { rfb } = await open({ mode: 'view', updatesPerSecond: 2 });
    await settled(rfb);
    let updates = 0;
    const { rfb: fast } = await open();
    for (let turn = 0; turn < 4; turn++) {
      for (let ask = 0; ask < 25; ask++) rfb.requestUpdate(false);
      // What the relay has of these is known when it has answered something that was sent behind them.
      let arrived = false;
      const next = rfb.nextUpdate().then(() => {
        arrived = true;
        updates++;
      });
      const before = (await guest.inputs()).length;
      fast.type('x');
      await grows(before);
      await settled(fast);
      expect(arrived).toBe(false);
      clock.advance(500);
      await next;
    }
    expect(updates).toBe(4);
  });

  test('a console that nobody uses ends, and asking for pictures is no use', async () => {
    const limits = { sessionSeconds: 36_000, idleSeconds: 600, perUser: 20, perMachine: 20 };
    const { client, rfb } = await open({ limits });
    await settled(rfb);
    await pass(590, rfb);
    const before = (await guest.inputs()).length;
    rfb.type('y');
    await grows(before);
    await pass(590, rfb);
    expect(await guest.viewers()).toBe(1);
    clock.advance(11_000);
    expect((await client.closed).code).toBe(4408);
    await eventually('QEMU has no viewer', async () => (await guest.viewers()) === 0);
  });

  test('a console ends when its time is over, however busy it is', async () => {
    const limits = { sessionSeconds: 600, idleSeconds: 36_000, perUser: 20, perMachine: 20 };
    const { client, rfb } = await open({ limits });
    for (let minute = 0; minute < 9; minute++) {
      const before = (await guest.inputs()).length;
      rfb.type('z');
      await grows(before);
      await pass(60, rfb);
    }
    await pass(59, rfb);
    expect(await guest.viewers()).toBe(1);
    clock.advance(1000);
    expect((await client.closed).code).toBe(4410);
    await eventually('QEMU has no viewer', async () => (await guest.viewers()) === 0);
  });

  test('a console that somebody ends is over at QEMU, too', async () => {
    const { client, rfb } = await open({ sessionId: 'to-be-ended' });
    const { client: other, rfb: otherRfb } = await open();
    await settled(rfb);
    const { records } = rig.store;
    const keys = () => [grantKey];
    const signals = createConsoleSignals({ bus: rig.store.signals, keys, random: systemRandom, clock });
    const ends = createTerminationOrders({ records, signals, keys, random: systemRandom, clock });
    await ends.issue({ kind: 'session', ref: 'to-be-ended' }, 'ended_by_operator');
    expect((await client.closed).code).toBe(4423);
    await eventually('QEMU has one viewer left', async () => (await guest.viewers()) === 1);
    await settled(otherRfb);
    other.close();
  });
});
