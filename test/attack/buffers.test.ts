import { once } from 'node:events';
import { PortholeError } from '@porthole/shared/errors';
import { createViewerHandshake } from '@porthole/relay/rfb/viewer-handshake';
import type { Link, LinkHandler } from '@porthole/relay/stream/link';
import { runHandshake } from '@porthole/relay/stream/run-handshake';
import { bufferInput, maxViewerLeftoverBytes } from '@porthole/relay/terminal/buffer-input';
import { eventually } from '../eventually.ts';
import { serverFrame } from '../fakes/proxmox/websocket-frames.ts';
import { createRelayRig, testOrigin } from '../relay/rig.ts';
import { binaryFrame } from '../relay/websocket-frames.ts';
import { openRawWebSocket } from '../relay/raw-websocket.ts';
import { heldBytes } from './heap.ts';
import { startHostileProxmox, type HostileProxmox } from './hostile-proxmox.ts';
import { threat } from './threat-table.ts';

const mib = 1024 * 1024;
const handshake = Buffer.from('RFB 003.008\n\x01\x01', 'latin1');
const serverInit = Buffer.concat([Buffer.from([0, 16, 0, 16]), Buffer.alloc(20)]);

/** A link that is fed by hand. */
function aLink(): { link: Link; feed(bytes: Buffer): void } {
  let handler: LinkHandler | undefined;
  const link = {
    buffered: 0,
    framesSent: 0,
    send: () => true,
    pause() {},
    resume() {},
    destroy() {},
    setHandler: (next: LinkHandler) => (handler = next),
  } as unknown as Link;
  return { link, feed: (bytes) => handler?.onBytes(bytes, 0, bytes.length) };
}

describe(threat('P4'), () => {
  describe('bytes that wait for the other side', () => {
    const errors: unknown[] = [];
    const hold: Readonly<Record<string, (link: Link, feed: (bytes: Buffer) => void) => unknown>> = {
      'of a screen': (link, feed) => {
        const running = runHandshake(link, createViewerHandshake(), {
          signal: new AbortController().signal,
          leftover: { maxBytes: maxViewerLeftoverBytes, onExceeded: () => errors.push('too much') },
          onEnded() {},
        });
        for (const byte of handshake) feed(Buffer.from([byte]));
        return running;
      },
      'of a terminal': (link) => bufferInput(link, (error) => errors.push(error)),
    };
    test.each(Object.keys(hold))('%s take no more memory one by one than together', (name) => {
      const { link, feed } = aLink();
      const byte = Buffer.from([1]);
      const before = heldBytes();
      const held = hold[name]?.(link, feed);
      for (let i = 0; i < maxViewerLeftoverBytes; i++) feed(byte);
      expect(heldBytes() - before).toBeLessThan(16 * maxViewerLeftoverBytes);
      expect(errors).toEqual([]);
      feed(byte);
      expect(errors).toEqual([name === 'of a screen' ? 'too much' : expect.any(PortholeError)]);
      errors.length = 0;
      expect(held).toBeDefined();
    });
  });

  test('a viewer that was refused holds no memory with a message that never ends', async () => {
    const rig = await createRelayRig();
    const before = heldBytes();
    const body = Buffer.alloc(mib - 100);
    const header = Buffer.from('82ff000000000010000000000000', 'hex');
    const viewers = await Promise.all(
      Array.from({ length: 60 }, () =>
        openRawWebSocket(rig.url.replace('ws:', 'http:'), { token: 'A'.repeat(43), origin: testOrigin }),
      ),
    );
    for (const { socket } of viewers) {
      socket.write(header);
      socket.write(body);
    }
    let most = 0;
    let open = true;
    const closed = Promise.all(viewers.map((viewer) => viewer.closed)).then(() => (open = false));
    await eventually('all connections are closed', () => {
      most = Math.max(most, heldBytes() - before);
      return !open;
    });
    await closed;
    expect(most).toBeLessThan(30 * mib);
    await rig.stop();
  });

  describe('a side that stops reading', () => {
    let hostile: HostileProxmox;
    beforeAll(async () => {
      hostile = await startHostileProxmox();
    });
    afterAll(() => hostile.stop());
    /** Much more than the relay and the sockets on both sides buffer together. */
    const offered = 96 * mib;
    const mostTaken = 48 * mib;
    const open = async (vmid: number) => {
      const token = await hostile.rig.mint({ vmid });
      const wire = await openRawWebSocket(hostile.rig.url.replace('ws:', 'http:'), {
        token,
        origin: testOrigin,
      });
      wire.socket.write(binaryFrame(handshake));
      return wire;
    };
    /** Resolves with the bytes that were taken when no more are. */
    async function takenUntilStill(taken: () => number): Promise<number> {
      let before = -1;
      await eventually('nothing moves any more', async () => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        const still = taken() === before;
        before = taken();
        return still;
      });
      return before;
    }

    test('as a viewer, stops the machine', async () => {
      let written = 0;
      const started = Promise.withResolvers<void>();
      hostile.onConsole(101, async ({ authenticate, hear, say, socket }) => {
        await authenticate();
        await hear(1);
        say(serverInit);
        started.resolve();
        const frame = serverFrame(2, Buffer.alloc(64 * 1024));
        while (written < offered && !socket.destroyed) {
          if (!socket.write(frame)) await once(socket, 'drain');
          written += frame.length;
        }
      });
      const wire = await open(101);
      wire.socket.pause();
      await started.promise;
      const taken = await takenUntilStill(() => written);
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(mostTaken);
      wire.socket.destroy();
    });

    test('as a machine, stops the viewer', async () => {
      const started = Promise.withResolvers<void>();
      hostile.onConsole(102, async ({ authenticate, hear, say, socket }) => {
        await authenticate();
        await hear(1);
        say(serverInit);
        socket.pause();
        started.resolve();
      });
      const wire = await open(102);
      await started.promise;
      let written = 0;
      const pointers = binaryFrame(Buffer.alloc(60_000, Buffer.from([5, 0, 0, 1, 0, 1])));
      const more = () => {
        while (written < offered) {
          written += pointers.length;
          if (!wire.socket.write(pointers)) return void wire.socket.once('drain', more);
        }
      };
      more();
      const taken = await takenUntilStill(() => written);
      expect(taken).toBeLessThan(mostTaken);
      wire.socket.destroy();
    });
  });
});
