import { u16, u32 } from '../rfb/bytes.ts';

export const keyEvent = (keysym: number, down: boolean) =>
  Buffer.concat([Buffer.of(4, down ? 1 : 0, 0, 0), u32(keysym)]);
export const extendedKeyEvent = (scancode: number, down: boolean, keysym = 0) =>
  Buffer.concat([Buffer.of(255, 0), u16(down ? 1 : 0), u32(keysym), u32(scancode)]);
export const pointerEvent = (buttons: number, x = 1, y = 2) =>
  Buffer.concat([Buffer.of(5, buttons), u16(x), u16(y)]);

/** A machine's keyboard and pointer, from the messages that it gets. Throws at anything that is not a whole message. */
export function createInputDevices() {
  const keys = new Set<string>();
  let buttons = 0;
  const press = (key: string, down: boolean) => void (down ? keys.add(key) : keys.delete(key));
  return {
    keys: () => [...keys].sort(),
    buttons: () => buttons,
    /** Takes complete messages of these types only. */
    take(bytes: Buffer): void {
      for (let at = 0; at < bytes.length;) {
        const type = bytes[at];
        if (type === 4) {
          press(`keysym ${bytes.readUInt32BE(at + 4)}`, bytes[at + 1] !== 0);
          at += 8;
        } else if (type === 5) {
          buttons = bytes.readUInt8(at + 1);
          at += 6;
        } else if (type === 255) {
          press(`scancode ${bytes.readUInt32BE(at + 8)}`, bytes.readUInt16BE(at + 2) !== 0);
          at += 12;
        } else throw new Error(`the machine got ${bytes.subarray(at, at + 16).toString('hex')}`);
      }
    },
  };
}
