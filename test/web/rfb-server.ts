/** A minimal RFB server (RFC 6143): security None, raw pixels, one colour. */
export interface RfbOptions {
  readonly width?: number;
  readonly height?: number;
  /** Red, green, blue. */
  readonly colour?: readonly [number, number, number];
  readonly send: (bytes: Buffer) => void;
  /** Called with the type and the bytes of each message from the viewer after the handshake. */
  readonly onMessage?: (type: number, bytes: Buffer) => void;
}

export interface RfbServer {
  start(): void;
  receive(bytes: Buffer): void;
  /** Changes the machine's resolution, as a booting system does. */
  resize(width: number, height: number): void;
  cutText(text: string): void;
}

/** Sizes of the viewer's messages; a function where the size is inside the message. */
const sizes: Readonly<Record<number, (bytes: Buffer) => number>> = {
  0: () => 20,
  2: (bytes) => (bytes.length < 4 ? 4 : 4 + 4 * bytes.readUInt16BE(2)),
  3: () => 10,
  4: () => 8,
  5: () => 6,
  6: (bytes) => (bytes.length < 8 ? 8 : 8 + Math.abs(bytes.readInt32BE(4))),
};

const rawEncoding = 0;
const desktopSizeEncoding = -223;

/** A FramebufferUpdate with one rectangle of the whole screen, without its data. */
function rectangle(width: number, height: number, encoding: number): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(width, 8);
  head.writeUInt16BE(height, 10);
  head.writeInt32BE(encoding, 12);
  return head;
}

function serverInit(width: number, height: number): Buffer {
  const name = Buffer.from('test machine');
  const head = Buffer.alloc(24);
  head.writeUInt16BE(width, 0);
  head.writeUInt16BE(height, 2);
  // 32 bits, depth 24, little endian, true colour, maximum 255 each, shifts 16 8 0.
  Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]).copy(head, 4);
  head.writeUInt32BE(name.length, 20);
  return Buffer.concat([head, name]);
}

export function createRfbServer(options: RfbOptions): RfbServer {
  const { send, onMessage: heard = () => {}, colour = [31, 122, 120] } = options;
  let { width = 64, height = 48 } = options;
  let stage: 'version' | 'security' | 'init' | 'normal' = 'version';
  let buffer = Buffer.alloc(0);
  // The viewer's pixel format sets the shifts of the colours. noVNC wants red first.
  let shifts: readonly [number, number, number] = [16, 8, 0];

  function update(): void {
    const pixel = Buffer.alloc(4);
    pixel.writeUInt32LE(colour.reduce((sum, value, index) => sum + value * 2 ** (shifts[index] ?? 0), 0));
    send(Buffer.concat([rectangle(width, height, rawEncoding), Buffer.alloc(width * height * 4, pixel)]));
  }

  function take(count: number): Buffer | undefined {
    if (buffer.length < count) return undefined;
    const taken = buffer.subarray(0, count);
    buffer = buffer.subarray(count);
    return taken;
  }

  function step(): boolean {
    switch (stage) {
      case 'version':
        if (!take(12)) return false;
        send(Buffer.from([1, 1]));
        stage = 'security';
        return true;
      case 'security':
        if (!take(1)) return false;
        send(Buffer.from([0, 0, 0, 0]));
        stage = 'init';
        return true;
      case 'init':
        if (!take(1)) return false;
        send(serverInit(width, height));
        stage = 'normal';
        return true;
      default:
        return message();
    }
  }

  function message(): boolean {
    const type = buffer[0];
    if (type === undefined) return false;
    const size = sizes[type];
    if (!size) throw new Error(`The viewer sent message type ${type}, which this server does not know.`);
    const bytes = take(size(buffer));
    if (!bytes) return false;
    if (type === 0) shifts = [bytes[14] ?? 0, bytes[15] ?? 0, bytes[16] ?? 0];
    if (type === 3 && bytes[1] === 0) update();
    heard(type, bytes);
    return true;
  }

  return {
    start: () => send(Buffer.from('RFB 003.008\n')),
    receive(bytes) {
      buffer = Buffer.concat([buffer, bytes]);
      while (step());
    },
    resize(newWidth, newHeight) {
      [width, height] = [newWidth, newHeight];
      send(rectangle(width, height, desktopSizeEncoding));
      update();
    },
    cutText(text) {
      const body = Buffer.from(text, 'latin1');
      const head = Buffer.alloc(8);
      head[0] = 3;
      head.writeUInt32BE(body.length, 4);
      send(Buffer.concat([head, body]));
    },
  };
}
