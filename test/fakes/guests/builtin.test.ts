import { createFakeClock } from '../clock.ts';
import { createBuiltinGuest } from './builtin.ts';
import type { BuiltinGuest, BuiltinGuestOptions } from './builtin.ts';
import { createByteReader } from './byte-reader.ts';
import { encodings, openRfb } from './rfb-client.ts';
import type { RfbClientOptions } from './rfb-client.ts';

const guests: BuiltinGuest[] = [];
afterEach(async () => {
  await Promise.all(guests.splice(0).map((guest) => guest.close()));
});

async function aGuest(options: Partial<BuiltinGuestOptions> = {}) {
  const clock = createFakeClock();
  const guest = createBuiltinGuest({ name: 'vm-100', clock, ...options });
  guests.push(guest);
  await guest.start();
  await guest.setPassword('password', 30);
  const view = async (more: RfbClientOptions = {}) =>
    openRfb(await guest.connect(), { password: 'password', ...more });
  return { clock, guest, view };
}

/** Waits until all bytes written to a stream in memory have been processed. */
async function settled() {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

const booted = 5_000;

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
    const guest = createBuiltinGuest({ name: 'vm-100', clock: createFakeClock() });
    guests.push(guest);
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
    expect([...client.announced]).toEqual([encodings.qemuExtendedKey, encodings.extendedDesktopSize]);
    client.extendedKeyEvent(0x41, 0x1e, true);
    client.extendedKeyEvent(0x41, 0x1e, false);
    await settled();
    expect(guest.keys()).toBe('A');
  });

  it.each([
    ['an unknown message', Buffer.from([99])],
    ['an extended key event that was not announced', Buffer.from([255, 0, 0, 1, 0, 0, 0, 65, 0, 0, 0, 30])],
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

describe('the built-in machine', () => {
  it('boots from firmware to a prompt, driven only by the clock', async () => {
    const { clock, guest } = await aGuest();
    expect(guest.text()[0]).toContain('BIOS');
    clock.advance(booted);
    expect(guest.text().join('\n')).toContain('guest@vm-100:~$');
  });

  it('shows typed characters, erases them, and runs commands', async () => {
    const { clock, guest, view } = await aGuest();
    clock.advance(booted);
    const client = await view();
    client.type('echo Hellp');
    client.key(0xff08);
    client.type('o; ok?\n');
    await settled();
    expect(guest.text()).toContain('  guest@vm-100:~$ echo Hello; ok?');
    expect(guest.text()).toContain('  Hello; ok?');
    expect(guest.keys()).toBe('echo Hellp\bo; ok?\n');
  });

  it.each(['help', 'about', 'date', 'uptime', 'uname', 'hostname', 'whoami', 'colors', 'history', 'clear'])(
    'knows the command %s',
    async (command) => {
      const { clock, guest, view } = await aGuest();
      clock.advance(booted);
      (await view()).type(`${command}\n`);
      await settled();
      expect(guest.text().join('\n')).not.toContain('command not found');
      expect(guest.keys()).toBe(`${command}\n`);
    },
  );

  it('updates the clock while it has a viewer, and has no timer otherwise', async () => {
    const { clock, guest, view } = await aGuest();
    expect(clock.pending()).toBe(0);
    const client = await view();
    await settled();
    expect(clock.pending()).toBe(1);
    clock.advance(booted);
    expect(guest.text()[0]).toContain('00:00:05 UTC');
    clock.advance(1000);
    expect(guest.text()[0]).toContain('00:00:06 UTC');
    client.close();
    await settled();
    expect(clock.pending()).toBe(0);
  });

  it('follows the pointer', async () => {
    const { clock, guest, view } = await aGuest();
    clock.advance(booted);
    const client = await view();
    await settled();
    const before = guest.framebuffer().data;
    client.pointer(400, 300, 5);
    await settled();
    expect(guest.pointer()).toEqual({ x: 400, y: 300, buttons: 5 });
    expect(guest.text().at(-1)).toContain('pointer  400, 300  buttons L-R');
    expect(guest.framebuffer().data.equals(before)).toBe(false);
  });

  it('restores the picture under the pointer', async () => {
    const { clock, guest, view } = await aGuest();
    clock.advance(booted);
    const client = await view();
    client.pointer(700, 500, 0);
    await settled();
    const textArea = () => guest.framebuffer().data.subarray(800 * 4 * 24, 800 * 4 * 400);
    const before = Buffer.from(textArea());
    client.pointer(60, 60, 0);
    await settled();
    expect(textArea().equals(before)).toBe(false);
    client.pointer(700, 500, 0);
    await settled();
    clock.advance(2000);
    expect(textArea().equals(before)).toBe(true);
  });

  it.each([
    ['reset', async (guest: BuiltinGuest) => guest.reset()],
    ['Ctrl-Alt-Del', undefined],
    ['the command reboot', 'reboot\n'],
  ])('restarts by %s without ending its viewers', async (_, how) => {
    const { clock, guest, view } = await aGuest();
    const client = await view();
    clock.advance(booted);
    if (typeof how === 'function') {
      await how(guest);
    } else if (how) {
      client.type(how);
    } else {
      for (const keysym of [0xffe3, 0xffe9, 0xffff]) client.keyEvent(keysym, true);
      for (const keysym of [0xffff, 0xffe9, 0xffe3]) client.keyEvent(keysym, false);
    }
    await settled();
    expect(guest.text()[0]).toContain('BIOS');
    expect(guest.connections()).toBe(1);
    clock.advance(booted);
    client.type('after');
    await settled();
    expect(guest.text()).toContain('  guest@vm-100:~$ after');
  });

  it.each([
    ['stop', async (guest: BuiltinGuest) => guest.stop()],
    ['shutdown', async (guest: BuiltinGuest) => guest.shutdown()],
    ['the command poweroff', undefined],
  ])('ends its viewers and says so once by %s', async (_, how) => {
    const { clock, guest, view } = await aGuest();
    let stops = 0;
    guest.onStopped(() => stops++);
    const client = await view();
    clock.advance(booted);
    if (how) await how(guest);
    else client.type('poweroff\n');
    await client.closed;
    await guest.close();
    expect(stops).toBe(1);
    expect(guest.running).toBe(false);
    expect(clock.pending()).toBe(0);
    await expect(guest.connect()).rejects.toThrow('vm-100 is not running');
    await expect(guest.setPassword('x', 1)).rejects.toThrow('vm-100 is not running');
  });

  it('starts again after a stop without a password', async () => {
    const { guest, view } = await aGuest();
    await guest.stop();
    await guest.start();
    await expect(view()).rejects.toMatchObject({ name: 'RfbRefused' });
    await guest.setPassword('password', 30);
    await view();
  });

  it('repeats no character of one viewer for another, and releases the modifiers of viewers that left', async () => {
    const { clock, guest, view } = await aGuest();
    clock.advance(booted);
    const leaver = await view();
    leaver.keyEvent(0xffe3, true);
    await settled();
    leaver.close();
    await settled();
    const stayer = await view();
    stayer.type('c');
    await settled();
    expect(guest.keys()).toBe('c');
  });
});
