import { createFakeClock } from '../clock.ts';
import { createBuiltinGuest, type BuiltinGuest, type BuiltinGuestOptions } from './builtin.ts';
import { openRfb, type RfbClientOptions } from './rfb-client.ts';

const guests: BuiltinGuest[] = [];
/** To be called in `afterEach` of every file that starts guests. */
export async function closeGuests(): Promise<void> {
  await Promise.all(guests.splice(0).map((guest) => guest.close()));
}

/** Creates a guest that `closeGuests` closes. */
export function createGuest(options: BuiltinGuestOptions): BuiltinGuest {
  const guest = createBuiltinGuest(options);
  guests.push(guest);
  return guest;
}

/** A running machine on a clock of its own, and viewers of its screen. */
export async function aGuest(options: Partial<BuiltinGuestOptions> = {}) {
  const clock = createFakeClock();
  const guest = createGuest({ name: 'vm-100', clock, ...options });
  await guest.start();
  await guest.setPassword('password', 30);
  const view = async (more: RfbClientOptions = {}) =>
    openRfb(await guest.connect(), { password: 'password', ...more });
  return { clock, guest, view };
}

/** Waits until all bytes written to a stream in memory have been processed. */
export async function settled() {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Milliseconds from the start to the prompt. */
export const booted = 5_000;
