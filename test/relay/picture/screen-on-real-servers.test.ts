import { encodeTight } from '@porthole/relay/picture/encode-tight';
import { eventually } from '../../eventually.ts';
import { describeWhere } from '../../fakes/guests/availability.ts';
import { createQemuGuest, qemuAvailable, qemuMissing } from '../../fakes/guests/qemu.ts';
import { openRfb } from '../../fakes/guests/rfb-client.ts';
import { openDecodedScreen, type DecodedScreen } from './decoded-screen.ts';
import { createNovncTight } from './novnc-tight.ts';

describeWhere(qemuAvailable(), qemuMissing)('the screen of real QEMU', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  let screen: DecodedScreen;
  beforeAll(async () => {
    await guest.start();
    await guest.booted();
    await guest.setPassword('password', 30);
    screen = await openDecodedScreen(await guest.connect(), 'password');
  }, 60_000);
  afterAll(async () => {
    screen.close();
    await guest.close();
  });

  /** The pixels of the screen dump, as a framebuffer has them. */
  async function dumped(): Promise<Uint32Array> {
    const { width, height, data } = await guest.screendump();
    return Uint32Array.from(
      { length: width * height },
      (_, i) => (data.readUInt8(3 * i) << 16) | (data.readUInt8(3 * i + 1) << 8) | data.readUInt8(3 * i + 2),
    );
  }

  const equalsDump = () =>
    eventually('the decoded picture equals the screen dump', async () => {
      screen.requestUpdate(false);
      const { updates } = screen;
      await eventually('an update has arrived', () => screen.updates > updates);
      expect(screen.error).toBeUndefined();
      return Buffer.from((await dumped()).buffer).equals(Buffer.from(screen.framebuffer.pixels.buffer));
    });

  test('decodes to the same pixels as its screen dump', async () => {
    await equalsDump();
  });

  test('follows typed text by incremental updates', async () => {
    await equalsDump();
    const before = Buffer.from(screen.framebuffer.pixels.slice().buffer);
    await guest.setPassword('password', 30);
    const typist = await openRfb(await guest.connect(), { password: 'password' });
    typist.type('hello\nworld');
    await eventually('the text is in the decoded picture', async () => {
      screen.requestUpdate(true);
      const decoded = Buffer.from(screen.framebuffer.pixels.buffer);
      return !decoded.equals(before) && Buffer.from((await dumped()).buffer).equals(decoded);
    });
    typist.close();
  });

  test('reaches noVNC unchanged, tile by tile', async () => {
    await equalsDump();
    const { framebuffer } = screen;
    const viewer = await createNovncTight(framebuffer.width, framebuffer.height);
    for (const index of framebuffer.tileVersions.keys())
      viewer.draw(encodeTight(framebuffer, framebuffer.tileRegion(index)));
    expect(Buffer.from(viewer.pixels.buffer).equals(Buffer.from(framebuffer.pixels.buffer))).toBe(true);
  });
});
