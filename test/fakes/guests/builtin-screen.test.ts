import { createFakeClock } from '../clock.ts';
import { aGuest, booted, closeGuests, createGuest, settled } from './builtin-kit.ts';
import { createByteReader } from './byte-reader.ts';
import { encodings, openRfb } from './rfb-client.ts';

afterEach(closeGuests);

describe('the VNC server of the built-in machine', () => {
  it('offers RFB 3.8 and VNC authentication as the only security type, like QEMU', async () => {
    const { guest } = await aGuest();
    const wire = await guest.connect();
    const reader = createByteReader(wire);
    expect((await reader.read(12)).toString()).toBe('RFB 003.008\n');
    wire.write('RFB 003.008\n');
    expect([...(await reader.read(2))]).toEqual([1, 2]);
  });

  it('accepts the first eight characters of the password and sends its name', async () => {
    const { view } = await aGuest();
    const client = await view({ password: 'password, of which the rest is not looked at' });
    expect(client).toMatchObject({ name: 'QEMU (vm-100)', width: 800, height: 600 });
  });

  it('refuses a wrong password with a reason and closes the connection', async () => {
    const { guest, view } = await aGuest();
    await expect(view({ password: 'passwort' })).rejects.toMatchObject({ reason: 'Authentication failed\0' });
    await settled();
    expect(guest.connections()).toBe(0);
  });

  it('refuses all viewers before the first password is set', async () => {
    const guest = createGuest({ name: 'vm-100', clock: createFakeClock() });
    await guest.start();
    const opening = openRfb(await guest.connect(), { password: '' });
    await expect(opening).rejects.toMatchObject({ name: 'RfbRefused' });
  });

  it('accepts a password until it expires', async () => {
    const { clock, view } = await aGuest();
    clock.advance(29_999);
    await view();
    clock.advance(1);
    await expect(view()).rejects.toMatchObject({ reason: 'Authentication failed\0' });
  });

  it('verifies the password that was set last, even for a viewer that connected before', async () => {
    const { guest } = await aGuest();
    const early = await guest.connect();
    await guest.setPassword('another!', 30);
    await expect(openRfb(early, { password: 'password' })).rejects.toMatchObject({ name: 'RfbRefused' });
    await openRfb(await guest.connect(), { password: 'another!' });
  });

  it('disconnects a viewer with another version, or with a security type that was not offered', async () => {
    const { guest } = await aGuest();
    for (const answer of ['RFB 003.003\n', 'RFB 003.008\n\x01']) {
      const wire = await guest.connect();
      wire.write(answer);
      wire.resume();
      await new Promise((resolve) => wire.once('end', resolve));
    }
  });

  it('keeps the other viewers when a shared one connects', async () => {
    const { guest, view } = await aGuest();
    await view();
    await view();
    await settled();
    expect(guest.connections()).toBe(2);
  });

  it('ends the others for an exclusive viewer, and then refuses shared ones', async () => {
    const { guest, view } = await aGuest();
    const first = await view();
    await view({ shared: false });
    await first.closed;
    expect(guest.connections()).toBe(1);
    await expect(view({ shared: true })).rejects.toMatchObject({ name: 'EndOfStream' });
  });

  it('imitates vncterm for a container', async () => {
    const { view } = await aGuest({ style: 'vncterm' });
    expect((await view()).name).toBe('VNC Command Terminal');
    await expect(view({ password: 'no' })).rejects.toMatchObject({ reason: 'password check failed!' });
  });

  it('sends changes, and only on request', async () => {
    const { clock, guest, view } = await aGuest();
    const client = await view();
    clock.advance(booted);
    client.requestUpdate(false);
    await client.nextUpdate();
    expect(client.framebuffer.equals(guest.framebuffer().data)).toBe(true);

    const before = Buffer.from(client.framebuffer);
    client.type('x');
    await settled();
    expect(client.framebuffer.equals(before)).toBe(true);
    client.requestUpdate();
    await client.nextUpdate();
    expect(client.framebuffer.equals(before)).toBe(false);
    expect(client.framebuffer.equals(guest.framebuffer().data)).toBe(true);
  });

  it('answers an incremental request when the picture changes, not before', async () => {
    const { clock, view } = await aGuest();
    const client = await view();
    clock.advance(booted);
    client.requestUpdate(false);
    await client.nextUpdate();
    client.requestUpdate();
    let updates = 0;
    const next = client.nextUpdate().then(() => updates++);
    await settled();
    expect(updates).toBe(0);
    clock.advance(1000);
    await next;
  });

  it('announces extended key events to viewers that request them, and accepts them', async () => {
    const { clock, guest, view } = await aGuest();
    clock.advance(booted);
    const client = await view({
      encodings: [encodings.raw, encodings.qemuExtendedKey, encodings.extendedDesktopSize],
    });
    await client.nextUpdate();
    await client.nextUpdate();
    expect([...client.announced]).toEqual([encodings.qemuExtendedKey, encodings.extendedDesktopSize]);
    client.extendedKeyEvent(0x41, 0x1e, true);
    client.extendedKeyEvent(0x41, 0x1e, false);
    await settled();
    expect(guest.keys()).toBe('A');
  });

  it.each([
    ['an unknown message', Buffer.from([99])],
    ['a QEMU message that is no key event', Buffer.from([255, 9, 0, 1, 0, 0, 0, 65, 0, 0, 0, 30])],
    ['a cut text above 1 MiB', Buffer.from([6, 0, 0, 0, 0, 0x10, 0, 1])],
    ['a cut text of negative length', Buffer.from([6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0])],
    ['a pixel format with a colour map', Buffer.from([0, 0, 0, 0, 8, 8, ...Array<number>(14).fill(0)])],
  ])('disconnects after %s', async (_, bytes) => {
    const { guest, view } = await aGuest();
    const client = await view();
    client.send(bytes);
    await client.closed;
    expect(guest.connections()).toBe(0);
  });

  it('keeps the cut text', async () => {
    const { guest, view } = await aGuest();
    const client = await view();
    client.cutText('from the viewer');
    await settled();
    expect(guest.clipboard()).toBe('from the viewer');
  });

  it('queues no updates for a viewer that does not read', async () => {
    const { guest } = await aGuest();
    const wire = await guest.connect();
    const client = await openRfb(wire, { password: 'password' });
    // Without a reader, the server's further bytes stay in the stream.
    wire.removeAllListeners('readable');
    const reads = wire.readableLength;
    for (let i = 0; i < 50; i++) {
      client.requestUpdate(false);
      guest.fillNoise();
      await settled();
    }
    expect(wire.readableLength - reads).toBeLessThan(2 * 800 * 600 * 4);
  });
});
