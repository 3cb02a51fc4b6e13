import { eventually } from '../../eventually.ts';
import { createQemuGuest } from '../../fakes/guests/qemu.ts';
import { createClipboardPeer, type ClipboardPeer as Peer } from '../../fakes/guests/clipboard-peer.ts';
import { encodings, openRfb } from '../../fakes/guests/rfb-client.ts';
import { describeWith } from '../../needs.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import type { LiveViewer } from './live-viewer.ts';
import { startSharingRelays, viewerAt, vncproxyCalls } from './sharing-rig.ts';

const start = useRelayRigs();

describeWith('qemu')('viewers of real QEMU behind three relays', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  let viewers: LiveViewer[] = [];
  afterEach(() => Promise.all(viewers.splice(0).map((viewer) => viewer.close())));
  afterAll(() => guest.close());

  async function startRelays(): Promise<RelayRig[]> {
    const guests = [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'vm-100', guest, running: true }] as const;
    const relays = await startSharingRelays(start, 3, { proxmox: { guests: [...guests] } });
    await guest.booted();
    return relays;
  }

  async function open(
    relays: readonly RelayRig[],
    relay: number,
    wanted?: number[],
    claims: Parameters<typeof viewerAt>[2] = {},
  ) {
    const viewer = viewerAt(relays, relay, claims, wanted);
    viewers = [...viewers, viewer];
    await viewer.pictured;
    return viewer;
  }

  const allShowTheScreendump = () =>
    eventually("all viewers' pictures equal QEMU's screendump", async () => {
      const { width, height, data } = await guest.screendump();
      return viewers.every(({ rfb }) => {
        if (!rfb || rfb.width !== width || rfb.height !== height) return false;
        for (let pixel = 0; pixel < width * height; pixel++)
          for (let color = 0; color < 3; color++)
            if (rfb.framebuffer[pixel * 4 + color] !== data[pixel * 3 + color]) return false;
        return true;
      });
    });

  test('see the same picture pixel by pixel from one vncproxy call and one client of QEMU, and all can type', async () => {
    const relays = await startRelays();
    const [one] = relays as [RelayRig];
    const extended = [encodings.raw, encodings.desktopSize, encodings.qemuExtendedKey];
    const first = await open(relays, 0, extended);
    first.rfb?.keyEvent(0xffe1, true);
    first.rfb?.pointer(100, 50, 1);
    const buttons = async () =>
      (await guest.inputs()).flatMap((line) => /button left, down (\d)/.exec(line)?.[1] ?? []);
    await eventually('QEMU has the button down', async () => (await buttons()).join('') === '1');
    const second = await open(relays, 1);
    await eventually('the first viewer resumes at the shared screen', () => first.rfb !== undefined);
    expect([vncproxyCalls(one), await guest.viewers(), first.closes]).toEqual([1, 1, [1012]]);
    await Promise.all(Array.from({ length: 8 }, (_, i) => open(relays, i, i % 2 ? extended : undefined)));
    await allShowTheScreendump();
    // The first viewer held Shift and a button when its console was taken over; QEMU has released both.
    expect((await buttons()).join('')).toBe('10');
    second.rfb?.type('plain');
    first.rfb?.type('and');
    first.rfb?.extendedKeyEvent(0x78, 0x2d, true);
    first.rfb?.extendedKeyEvent(0x78, 0x2d, false);
    await allShowTheScreendump();
    expect([vncproxyCalls(one), await guest.viewers()]).toEqual([1, 1]);
    const violations = one.proxmox.violations;
    expect(violations).toEqual([]);
  });

  test('have the clipboard of their own grants, also at another relay: what one may copy, another may not', async () => {
    const relays = await startRelays();
    const wanted = [encodings.raw, encodings.desktopSize, encodings.extendedClipboard];
    const both = { clipboard: 'both' } as const;
    const none = { clipboard: 'none' } as const;
    const opened = [await open(relays, 0, wanted, both), await open(relays, 1, wanted, none)];
    opened.push(await open(relays, 0, wanted, none), await open(relays, 2, wanted, both));
    await eventually('all share the console', () => opened.every(({ rfb }) => rfb !== undefined));
    const peers = opened.map(({ rfb }) => createClipboardPeer(rfb!));
    const [local, remoteDenied, localDenied, remote] = peers as [Peer, Peer, Peer, Peer];
    await local.ready();
    await remote.ready();
    await guest.setPassword('password', 30);
    const direct = await openRfb(await guest.connect(), { password: 'password', encodings: wanted });
    const machine = createClipboardPeer(direct);
    await machine.ready();

    machine.copy('text of the machine');
    for (const peer of [local, remote])
      await eventually('has the text', () => peer.texts().includes('text of the machine'));
    for (const peer of [localDenied, remoteDenied]) peer.copy('text of a viewer without the right');
    remote.copy('text of the remote viewer');
    await eventually('the machine has it', () => machine.texts().includes('text of the remote viewer'));
    expect(machine.texts()).toEqual(['text of the remote viewer']);
    expect([localDenied.heard(), remoteDenied.heard()]).toEqual([0, 0]);
    expect(local.texts()).toEqual(['text of the machine']);
    direct.close();
  });
});
