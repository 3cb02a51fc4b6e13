import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../clock.ts';
import { describeWhere } from './availability.ts';
import { openRfb } from './rfb-client.ts';
import type { RfbClient } from './rfb-client.ts';
import { bars, typing } from './test-card.ts';
import { createXvncGuest, xvncAvailable, xvncMissing } from './xvnc.ts';

/** The colour of one pixel after the viewer has taken in what the server has to say. */
async function colorAt(client: RfbClient, x: number, y: number): Promise<number> {
  client.requestUpdate(false);
  await client.nextUpdate();
  return client.framebuffer.readUIntBE((y * client.width + x) * 4, 3);
}

describeWhere(xvncAvailable(), xvncMissing)("TigerVNC's Xvnc", () => {
  const clock = createFakeClock();
  const guest = createXvncGuest({ name: 'ct-200', clock });
  beforeAll(() => guest.start(), 60_000);
  afterAll(() => guest.close());

  const view = async (options: { shared?: boolean } = {}) => {
    await guest.setPassword('password', 30);
    return openRfb(await guest.connect(), { password: 'password', ...options });
  };

  it('requires the password that was set last, until it expires', async () => {
    const client = await view();
    expect(client).toMatchObject({ name: 'ct-200', width: 800, height: 600 });
    client.close();

    await guest.setPassword('another!', 30);
    const refused = openRfb(await guest.connect(), { password: 'password' });
    await expect(refused).rejects.toMatchObject({ name: 'RfbRefused' });

    clock.advance(30_000);
    // The file is rewritten in real time.
    await eventually('the password ends', async () => {
      const opened = openRfb(await guest.connect(), { password: 'another!' });
      return opened.then(
        (late) => {
          late.close();
          return false;
        },
        () => true,
      );
    });
  });

  it('accepts the right password after many wrong ones', async () => {
    await guest.setPassword('password', 30);
    for (let i = 0; i < 12; i++) {
      const refused = openRfb(await guest.connect(), { password: 'wrong' });
      await expect(refused).rejects.toMatchObject({ name: 'RfbRefused' });
    }
    (await view()).close();
  });

  it('shows its test card', async () => {
    const client = await view();
    await eventually('all bars are there', async () => {
      for (const { x, y, width, height, color } of bars) {
        if ((await colorAt(client, x + width / 2, y + height / 2)) !== color) return false;
      }
      return true;
    });
    client.close();
  });

  it('paints a cell for a key and a mark for a button, and wipes both at a reset', async () => {
    const client = await view();
    const corner = [typing.x, typing.y] as const;
    const blank = await colorAt(client, ...corner);
    client.type('g');
    await eventually('the key appears', async () => (await colorAt(client, ...corner)) !== blank);
    client.pointer(400, 550, 1);
    client.pointer(400, 550, 0);
    const mark = 0x56d364;
    await eventually('the mark appears', async () => (await colorAt(client, 404, 554)) === mark);
    await guest.reset();
    await eventually('all is wiped', async () => (await colorAt(client, ...corner)) === blank);
    client.close();
  });

  it('ends the others for an exclusive viewer', async () => {
    const first = await view();
    const second = await view({ shared: false });
    await first.closed;
    second.close();
  });

  it('ends its viewers when it stops, and can be started again', async () => {
    let stops = 0;
    guest.onStopped(() => stops++);
    const client = await view();
    await guest.stop();
    await client.closed;
    expect(guest.running).toBe(false);
    expect(stops).toBe(1);
    await expect(guest.connect()).rejects.toThrow('ct-200 is not running');
    await guest.start();
    (await view()).close();
  });
});
