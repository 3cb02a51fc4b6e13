import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { createMachineHandshake } from '@porthole/relay/rfb/machine-handshake';
import type { QemuGuest } from '../../fakes/guests/qemu.ts';

/** A console of real QEMU that expects ClientInit. */
export async function openQemuConsole(guest: QemuGuest): Promise<Duplex> {
  await guest.setPassword('password', 30);
  const stream = await guest.connect();
  stream.on('error', () => {});
  const handshake = createMachineHandshake('password');
  for (;;) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    const answer = handshake.push(chunk);
    for (const bytes of answer.send) stream.write(bytes);
    if (answer.done) return stream;
  }
}

/** The pixels of a screen dump, as a framebuffer has them. */
export async function dumpPixels(guest: QemuGuest): Promise<Uint32Array> {
  const { width, height, data } = await guest.screendump();
  return Uint32Array.from(
    { length: width * height },
    (_, i) => (data.readUInt8(3 * i) << 16) | (data.readUInt8(3 * i + 1) << 8) | data.readUInt8(3 * i + 2),
  );
}

export function samePixels(a: Uint32Array, b: Uint32Array): boolean {
  return bytesOf(a).equals(bytesOf(b));
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
