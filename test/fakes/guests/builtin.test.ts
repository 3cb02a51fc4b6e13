import type { BuiltinGuest } from './builtin.ts';
import { aGuest, booted, closeGuests, settled } from './builtin-kit.ts';

afterEach(closeGuests);

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
