import { eventually } from '../../eventually.ts';
import { describeWhere } from './availability.ts';
import { createQemuGuest, qemuAvailable, qemuMissing } from './qemu.ts';
import { openRfb } from './rfb-client.ts';

describeWhere(qemuAvailable(), qemuMissing)('real QEMU', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  beforeAll(() => guest.start(), 60_000);
  afterAll(() => guest.close());

  const view = async (options: { shared?: boolean } = {}) => {
    await guest.setPassword('password', 30);
    return openRfb(await guest.connect(), { password: 'password', ...options });
  };

  /** The beginning of one row of text, without the last scan lines, in which the cursor blinks. */
  const textRow = async (row: number) => {
    const { width, data } = await guest.screendump();
    return data.subarray(width * 3 * 16 * row, width * 3 * (16 * row + 13));
  };

  it('requires the password and sends its name', async () => {
    const client = await view();
    expect(client.name).toBe('QEMU (vm-100)');
    client.close();
    await guest.setPassword('another!', 30);
    const refused = openRfb(await guest.connect(), { password: 'password' });
    await expect(refused).rejects.toMatchObject({ reason: 'Authentication failed\0' });
  });

  it('shows typed keys on its screen', async () => {
    await guest.booted();
    const before = await textRow(5);
    const client = await view();
    client.type('hello\nworld');
    await eventually('keys appear', async () => !(await textRow(5)).equals(before));
    client.close();
  });

  it('sends the same picture that it shows', async () => {
    await guest.booted();
    const client = await view();
    await eventually('an update equals the screen dump', async () => {
      client.requestUpdate(false);
      await client.nextUpdate();
      const { width, height, data } = await guest.screendump();
      if (width !== client.width || height !== client.height) return false;
      for (let pixel = 0; pixel < width * height; pixel++) {
        for (let color = 0; color < 3; color++) {
          if (client.framebuffer[pixel * 4 + color] !== data[pixel * 3 + color]) return false;
        }
      }
      return true;
    });
    client.close();
  });

  it('restarts without ending its viewers', async () => {
    await guest.booted();
    const client = await view();
    const belowPrompt = async () => {
      const { width, data } = await guest.screendump();
      return data.subarray(width * 3 * 16 * 5).some((color) => color > 0);
    };
    client.type('\nx\n\n');
    await eventually('keys appear', belowPrompt);
    await guest.reset();
    await guest.booted();
    await eventually('keys vanish', async () => !(await belowPrompt()));
    client.requestUpdate(false);
    await client.nextUpdate();
    client.close();
  });

  it('ends the others for an exclusive viewer', async () => {
    const first = await view();
    const second = await view({ shared: false });
    await first.closed;
    second.close();
  });

  it('ends its viewers when it shuts down, and can be started again', async () => {
    let stops = 0;
    guest.onStopped(() => stops++);
    const client = await view();
    await guest.shutdown();
    await client.closed;
    expect(guest.running).toBe(false);
    expect(stops).toBe(1);
    await expect(guest.connect()).rejects.toThrow('vm-100 is not running');
    await guest.start();
    (await view()).close();
    await guest.stop();
    expect(stops).toBe(2);
  });
});
