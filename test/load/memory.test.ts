import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import { WebSocket } from 'ws';
import { startChild, type Child } from './child.ts';
import { usageOf } from './process-usage.ts';

const hostile = 40;
const mib = 1024 * 1024;
/** Bytes that each of them makes the relay hold, if it has no limit. */
const offered = 24 * mib;
/**
 * A pump stops reading when 1 MiB is pending, and bytes for Proxmox exist twice, plain and encrypted. The constant
 * part is memory outside of V8's heap that is not yet collected. It does not depend on the offered bytes.
 */
const allowed = hostile * 2.5 * mib + 160 * mib;

describe('the resident memory of a relay', () => {
  let upstream: Child & { ready: unknown };
  let relay: Child & { ready: unknown };
  let viewers: WebSocket[];

  beforeEach(async () => {
    upstream = await startChild('./upstream-main.ts');
    const { port, caPem } = upstream.ready as { port: number; caPem: string };
    relay = await startChild(
      './relay-main.ts',
      [`https://127.0.0.1:${port}`, caPem],
      ['--max-semi-space-size=4'],
    );
    const { tokens } = await relay.request<{ tokens: string[] }>({ mint: hostile });
    viewers = await Promise.all(tokens.map(open));
  }, 60_000);

  afterEach(async () => {
    for (const viewer of viewers) viewer.terminate();
    await relay.stop();
    await upstream.stop();
  });

  /** Opens a console. */
  function open(token: string): Promise<WebSocket> {
    const { port } = relay.ready as { port: number };
    const viewer = new WebSocket(
      `ws://127.0.0.1:${port}/relay/v1/console`,
      [consoleProtocol, `${grantProtocolPrefix}${token}`],
      { origin: 'http://localhost:8080', perMessageDeflate: false },
    );
    viewer.on('error', () => {});
    return new Promise((resolve, reject) => {
      viewer.once('close', (code, reason) => reject(new Error(`${code} ${String(reason)}`)));
      viewer.on('message', (data: Buffer, binary) => {
        if (!binary) return;
        if (data.includes('RFB')) viewer.send(Buffer.from('RFB 003.008\n\x01\x01', 'latin1'));
        // ServerInit for 16 x 16 pixels, and the first picture of 20 bytes.
        else if (data.length >= 44 && data.subarray(-44).readUInt32BE(0) === 0x0010_0010) resolve(viewer);
      });
    });
  }

  /** Samples the resident memory until nothing changes for a second, and returns the maximum in bytes. */
  async function mostUntilStill(isStill: () => Promise<boolean> | boolean): Promise<number> {
    let most = 0;
    for (let still = 0; still < 40;) {
      most = Math.max(most, usageOf(relay.pid).rssBytes);
      still = (await isStill()) ? still + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return most;
  }

  test('does not grow with the bytes for browsers that stopped reading', async () => {
    const before = usageOf(relay.pid).rssBytes;
    for (const viewer of viewers) viewer.pause();
    await upstream.request({
      flood: { frameBytes: 32 * 1024, everyMs: 0, framesPerSession: offered / (32 * 1024) },
      relay: 'Porthole',
    });
    // The relay closes the connection of a viewer that reads nothing for half a minute.
    const most = await mostUntilStill(async () => {
      const { blocked, consoles } = await upstream.request<{ blocked: number; consoles: number }>({});
      return blocked === consoles;
    });
    expect(most - before).toBeLessThan(allowed);
  }, 90_000);

  test('does not grow with the input for machines that do not read', async () => {
    const before = usageOf(relay.pid).rssBytes;
    await upstream.request({ stopReading: true });
    let sent = 0;
    // Pointer events: six bytes each.
    const piece = Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from([5, 0, 0, 1, 0, 1])));
    for (const viewer of viewers) {
      let left = offered;
      const more = () => {
        if (left <= 0) return;
        left -= piece.length;
        viewer.send(piece, () => {
          sent += piece.length;
          more();
        });
      };
      more();
    }
    let seen = -1;
    const most = await mostUntilStill(() => {
      const same = sent === seen;
      seen = sent;
      return same;
    });
    expect(sent).toBeLessThan(hostile * offered);
    expect(most - before).toBeLessThan(allowed);
  }, 90_000);
});
