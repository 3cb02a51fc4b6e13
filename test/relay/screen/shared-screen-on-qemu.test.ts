import type { LinkHandler } from '@porthole/relay/stream/link';
import { setPixelFormat } from '@porthole/relay/picture/screen-decoder';
import { sharedClientInit } from '@porthole/relay/rfb/handshake-constants';
import { eventually } from '../../eventually.ts';
import { createClipboardPeer } from '../../fakes/guests/clipboard-peer.ts';
import { createQemuGuest } from '../../fakes/guests/qemu.ts';
import { encodings, openRfb } from '../../fakes/guests/rfb-client.ts';
import { describeWith } from '../../needs.ts';
import { extendedKeyEvent } from './input-messages.ts';
import { createSharedScreenRig, setEncodings } from './shared-screen-rig.ts';
import { dialGuest, openSharedViewer } from './shared-viewer.ts';

const wanted = [encodings.raw, encodings.desktopSize, encodings.qemuExtendedKey, encodings.extendedClipboard];
/** A key by its keysym, its scancode, and its name in QEMU's trace. */
const x = [0x78, 0x2d] as const;
const fullRequest = Buffer.from([3, 0, 0, 0, 0, 0, 0x10, 0, 0x10, 0]);
const tight = 7;

describeWith('qemu')('a shared screen of real QEMU', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  const rig = createSharedScreenRig({ realWorker: true });
  let open: { end(): void }[] = [];
  beforeAll(async () => {
    await guest.start();
    await guest.booted();
  }, 60_000);
  afterEach(async () => {
    for (const each of open.splice(0)) each.end();
    await eventually('QEMU has no viewer', async () => (await guest.viewers()) === 0);
  });
  afterAll(async () => {
    await rig.stop();
    await guest.close();
  });

  async function openScreen() {
    const { screen, lost } = rig.open();
    open = [...open, screen];
    await screen.connect(await dialGuest(guest));
    return { screen, lost };
  }

  async function openDirectly() {
    await guest.setPassword('password', 30);
    const rfb = await openRfb(await guest.connect(), { password: 'password', encodings: wanted });
    open = [...open, { end: () => rfb.close() }];
    return rfb;
  }

  async function viewPicture(rfb: {
    requestUpdate(incremental?: boolean): void;
    nextUpdate(): Promise<number>;
  }) {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
  }

  /** Waits until the viewer's picture is that of a screen dump. */
  const equalsDump = (rfb: Awaited<ReturnType<typeof openSharedViewer>>['rfb']) =>
    eventually('the picture equals the screen dump', async () => {
      await viewPicture(rfb);
      const { width, height, data } = await guest.screendump();
      if (rfb.width !== width || rfb.height !== height) return false;
      for (let pixel = 0; pixel < width * height; pixel++)
        for (let channel = 0; channel < 3; channel++)
          if (data[3 * pixel + channel] !== rfb.framebuffer[4 * pixel + channel]) return false;
      return true;
    });

  const keyEvents = async (since: number) =>
    (await guest.inputs())
      .slice(since)
      .filter((line) => line.includes('key_qcode') && line.includes('qcode x'));

  test('shows three viewers its picture, and QEMU has one client', async () => {
    const { screen } = await openScreen();
    const viewers = [];
    for (let i = 0; i < 3; i++) viewers.push(await openSharedViewer(screen, { encodings: wanted }));
    expect(await guest.viewers()).toBe(1);
    viewers[0]?.rfb.type('shared');
    for (const { rfb } of viewers) await equalsDump(rfb);
    expect(await guest.viewers()).toBe(1);
  });

  test('releases the keys and buttons of a viewer that leaves or loses control', async () => {
    const { screen } = await openScreen();
    const viewers = [
      await openSharedViewer(screen, { encodings: wanted }),
      await openSharedViewer(screen, { encodings: wanted }),
    ] as const;
    const since = (await guest.inputs()).length;
    for (const { rfb } of viewers)
      await eventually('the machine accepts extended key events', async () => {
        await viewPicture(rfb);
        return rfb.announced.has(encodings.qemuExtendedKey);
      });
    viewers[0].rfb.extendedKeyEvent(...x, true);
    await eventually('the key is pressed', async () => (await keyEvents(since)).length === 1);
    viewers[0].leave();
    await eventually(
      'the key is released',
      async () => (await keyEvents(since)).at(-1)?.includes('down 0') ?? false,
    );
    const buttons = async () =>
      (await guest.inputs()).slice(since).filter((line) => line.includes('input_event_btn'));
    viewers[1].rfb.pointer(10, 10, 1);
    await eventually('the button is pressed', async () => (await buttons()).length === 1);
    viewers[1].setControl(false);
    await eventually('the button is released', async () => (await buttons()).length === 2);
    viewers[1].rfb.extendedKeyEvent(...x, true);
    viewers[1].setControl(true);
    await viewPicture(viewers[1].rfb);
    expect(await keyEvents(since)).toHaveLength(2);
  });

  test('adopts a console that has streamed to a viewer, without another client, and releases its keys', async () => {
    const upstream = await dialGuest(guest);
    const { link } = upstream;
    let received = 0;
    const passThrough: LinkHandler = {
      onBytes: (_, start, end) => void (received += end - start),
      onEnded: () => {},
    };
    link.setHandler(passThrough);
    const since = (await guest.inputs()).length;
    link.send(sharedClientInit);
    link.send(setPixelFormat);
    link.send(setEncodings(tight, encodings.qemuExtendedKey, encodings.desktopSize));
    link.send(fullRequest);
    link.send(extendedKeyEvent(x[1], true, x[0]));
    await eventually('the key is pressed', async () => (await keyEvents(since)).length === 1);
    await eventually('the viewer has a picture', () => received > 200);
    const { screen } = rig.open();
    open = [...open, screen];
    await screen.connect({ link, takeLeftover: () => Buffer.alloc(0), start: 'adopt' });
    await eventually(
      'the key is released',
      async () => (await keyEvents(since)).at(-1)?.includes('down 0') ?? false,
    );
    const viewer = await openSharedViewer(screen, { encodings: wanted });
    await equalsDump(viewer.rfb);
    viewer.rfb.type('adopted');
    await equalsDump(viewer.rfb);
    expect(await guest.viewers()).toBe(1);
  });

  test('shares the clipboard of QEMU with its viewers, both ways', async () => {
    const { screen } = await openScreen();
    const viewer = await openSharedViewer(screen, { encodings: wanted });
    const late = await openSharedViewer(screen, { encodings: wanted });
    const direct = await openDirectly();
    const peers = [viewer.rfb, late.rfb, direct].map((rfb) => createClipboardPeer(rfb));
    const [first, second, other] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]];
    for (const peer of peers) await peer.ready();
    other.copy('from QEMU \u{1f600}');
    for (const peer of [first, second])
      await eventually('the viewer has the text', () => peer.texts().includes('from QEMU \u{1f600}'));
    first.copy('from a viewer');
    await eventually('QEMU has the text', () => other.texts().includes('from a viewer'));
    expect(second.texts()).not.toContain('from a viewer');
  });

  test('keeps its viewers when its console is lost, and shows them the next one', async () => {
    const { screen, lost } = await openScreen();
    const viewer = await openSharedViewer(screen, { encodings: wanted });
    await equalsDump(viewer.rfb);
    await guest.stop();
    await eventually('the console is lost', () => lost.length === 1);
    await guest.start();
    await guest.booted();
    await screen.connect(await dialGuest(guest));
    viewer.rfb.type('again');
    await equalsDump(viewer.rfb);
  }, 60_000);
});
