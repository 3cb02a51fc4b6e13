import { createByteReader } from './byte-reader.ts';
import { connectUnix } from './connect-unix.ts';
import { glyph, glyphRows } from './font.ts';

/**
 * A minimal X11 client, which fills rectangles on the root window and receives key, button and pointer events. Numbers are
 * from appendix B of the X11 protocol, all little-endian.
 */
export interface X11Painter {
  fill(x: number, y: number, width: number, height: number, color: number): void;
  /** Text of 8x13 pixels per character, each pixel `scale` wide and high. */
  text(x: number, y: number, text: string, color: number, scale: number): void;
  readonly width: number;
  readonly height: number;
  close(): void;
}

export interface X11Events {
  key(keysym: number): void;
  button(x: number, y: number, button: number): void;
  motion(x: number, y: number): void;
}

const opcode = {
  changeWindowAttributes: 2,
  createGc: 55,
  changeGc: 56,
  fillRectangles: 70,
  keyboardMapping: 101,
};
const eventMask = { keyPress: 1, buttonPress: 4, pointerMotion: 64 };
const modifier = { shift: 1, lock: 2 };
const attribute = { eventMask: 0x800, gcForeground: 4 };

export async function openX11(display: number, events: X11Events): Promise<X11Painter> {
  const socket = await connectUnix(`/tmp/.X11-unix/X${display}`);
  socket.on('error', () => {});
  const reader = createByteReader(socket);

  socket.write(Buffer.from([0x6c, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
  const reply = await reader.read(8);
  const setup = await reader.read(reply.readUInt16LE(6) * 4);
  if (reply[0] !== 1) throw new Error(`the X server refused: ${setup.toString('latin1')}`);
  const gc = setup.readUInt32LE(4) + 1;
  const vendorLength = Math.ceil(setup.readUInt16LE(16) / 4) * 4;
  const screen = 32 + vendorLength + setup.readUInt8(21) * 8;
  const root = setup.readUInt32LE(screen);
  const width = setup.readUInt16LE(screen + 20);
  const height = setup.readUInt16LE(screen + 22);

  const request = (code: number, ...words: number[]) => {
    const bytes = Buffer.alloc(4 + words.length * 4);
    bytes[0] = code;
    bytes.writeUInt16LE(1 + words.length, 2);
    words.forEach((word, i) => bytes.writeUInt32LE(word >>> 0, 4 + i * 4));
    socket.write(bytes);
  };
  const pair = (low: number, high: number) => (low & 0xffff) | (high << 16);

  request(opcode.createGc, gc, root, 0);
  const mask = eventMask.keyPress | eventMask.buttonPress | eventMask.pointerMotion;
  request(opcode.changeWindowAttributes, root, attribute.eventMask, mask);

  // A key event has a key code and modifiers. The server is asked for the keysym each time, because Xvnc assigns key codes
  // when viewers send keysyms.
  const states: number[] = [];
  const listen = async () => {
    for (;;) {
      const message = await reader.read(32);
      const kind = message.readUInt8(0) & 0x7f;
      const at = [message.readInt16LE(24), message.readInt16LE(26)] as const;
      if (kind === 1) {
        const perKey = message.readUInt8(1);
        const symbols = await reader.read(message.readUInt32LE(4) * 4);
        const state = states.shift() ?? 0;
        const plain = symbols.readUInt32LE(0);
        const letter = plain >= 0x61 && plain <= 0x7a;
        // Xvnc may press Caps Lock instead of Shift for a capital letter.
        const second = (state & modifier.shift) !== 0 || (letter && (state & modifier.lock) !== 0);
        events.key(second && perKey > 1 ? symbols.readUInt32LE(4) : plain);
      } else if (kind === 2) {
        states.push(message.readUInt16LE(28));
        request(opcode.keyboardMapping, message.readUInt8(1) | (1 << 8));
      } else if (kind === 4) {
        events.button(...at, message.readUInt8(1));
      } else if (kind === 6) {
        events.motion(...at);
      }
    }
  };
  // Ends when either side closes the connection.
  listen().catch(() => {});

  const rectangles = (color: number, words: number[]) => {
    request(opcode.changeGc, gc, attribute.gcForeground, color);
    request(opcode.fillRectangles, root, gc, ...words);
  };

  return {
    width,
    height,
    fill: (x, y, w, h, color) => rectangles(color, [pair(x, y), pair(w, h)]),
    text(x, y, text, color, scale) {
      const words: number[] = [];
      for (let i = 0; i < text.length; i++) {
        const rows = glyph(text.charCodeAt(i), 'bold');
        for (let row = 0; row < glyphRows; row++) {
          for (let column = 0; column < 8; column++) {
            if (((rows[row] ?? 0) & (0x80 >> column)) === 0) continue;
            words.push(pair(x + (i * 8 + column) * scale, y + row * scale), pair(scale, scale));
          }
        }
      }
      if (words.length > 0) rectangles(color, words);
    },
    close: () => void socket.destroy(),
  };
}
