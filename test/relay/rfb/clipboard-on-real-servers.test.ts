import { encodings as relayEncodings } from '@porthole/relay/rfb/encodings';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { eventually } from '../../eventually.ts';
import { createClipboardPeer } from '../../fakes/guests/clipboard-peer.ts';
import type { Guest } from '../../fakes/guests/guest.ts';
import { createQemuGuest } from '../../fakes/guests/qemu.ts';
import { encodings, openRfb, type RfbClient } from '../../fakes/guests/rfb-client.ts';
import { createXvncGuest } from '../../fakes/guests/xvnc.ts';
import { describeWith } from '../../needs.ts';
import type { ConsoleClient } from '../console-client.ts';
import { createRelayRig, type RelayRig } from '../rig.ts';

/** The pseudo-encodings that noVNC 1.7 offers. */
const pseudoEncodings = [
  relayEncodings.desktopSize,
  relayEncodings.lastRect,
  relayEncodings.qemuExtendedKey,
  relayEncodings.qemuLedState,
  relayEncodings.extendedDesktopSize,
  relayEncodings.xvp,
  relayEncodings.fence,
  relayEncodings.continuousUpdates,
  relayEncodings.desktopName,
  relayEncodings.extendedClipboard,
  relayEncodings.extendedMouseButtons,
  0x574d_5664,
  relayEncodings.cursor,
];
const [quality, compression] = [-26, -254];

function setEncodings(wanted: readonly number[]): Buffer {
  const message = Buffer.alloc(4 + 4 * wanted.length);
  message[0] = 2;
  message.writeUInt16BE(wanted.length, 2);
  wanted.forEach((encoding, index) => message.writeInt32BE(encoding, 4 + 4 * index));
  return message;
}
const fullUpdateRequest = Buffer.from([3, 0, 0, 0, 0, 0, 3, 0, 2, 0]);
/** 32 bits, as noVNC sets it, and 16 bits. */
const formats = [
  Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]),
  Buffer.from([0, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0]),
];

/** A viewer that does not parse what it receives: it offers encodings, requests updates and counts bytes. */
function createCountingViewer(client: ConsoleClient) {
  const send = (bytes: Buffer) => client.socket.send(bytes);
  // Nothing reads the client's stream, which pauses the socket.
  client.socket.on('message', () => client.socket.resume());
  const requestUpdate = async (what: string) => {
    const before = client.received().length;
    send(fullUpdateRequest);
    await eventually(what, () => {
      if (client.socket.readyState > 1) throw new Error('the relay has closed the console');
      return client.received().length > before;
    });
  };
  return {
    requestUpdate,
    offer: (...wanted: number[]) => send(setEncodings(wanted)),
    async open(format: Buffer | undefined) {
      await eventually('the relay has sent its version', () => client.received().length >= 12);
      send(Buffer.from('RFB 003.008\n'));
      send(Buffer.from([1]));
      send(Buffer.from([1]));
      await eventually('the console is open', () => client.messages.some(({ type }) => type === 'opened'));
      await eventually('ServerInit has arrived', () =>
        /QEMU|student|lab|x-200/.test(client.received().toString('latin1')),
      );
      if (format) send(format);
    },
  };
}

/** Requests updates in every encoding, while the screen changes. */
async function viewInEveryEncoding(client: ConsoleClient, format: Buffer | undefined, change: () => void) {
  const viewer = createCountingViewer(client);
  await viewer.open(format);
  for (const encoding of [7, -260, 16, 6, 5, 2, 1, 0, 7]) {
    viewer.offer(encoding, 0, quality, compression, ...pseudoEncodings);
    for (let picture = 0; picture < 3; picture++) {
      change();
      await viewer.requestUpdate(`an update with encoding ${encoding}`);
    }
  }
}

/** The message of the extended clipboard that there is new text. */
const notification = Buffer.from([3, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 8, 0, 0, 1]);

function useRig(guest: Guest, vmid: number) {
  let rig: RelayRig;
  let clients: ConsoleClient[] = [];
  beforeAll(async () => {
    rig = await createRelayRig({
      proxmox: { guests: [{ vmid, node: 'pve1', type: 'qemu', name: `lab-${vmid}`, guest, running: true }] },
    });
  }, 60_000);
  afterEach(async () => {
    for (const client of clients.splice(0)) {
      client.close();
      await client.closed;
    }
  });
  afterAll(async () => {
    await rig.stop();
    await guest.close();
  });
  return {
    async open(clipboard: GrantClaims['clipboard']) {
      const client = await rig.open({ vmid, ...(clipboard ? { clipboard } : {}) });
      clients = [...clients, client];
      return client;
    },
    async openDirectly(wanted: number[]): Promise<RfbClient> {
      await guest.setPassword('password', 30);
      return openRfb(await guest.connect(), { password: 'password', encodings: wanted });
    },
  };
}

describeWith('qemu')('QEMU with a clipboard that must not reach the viewer', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  const rig = useRig(guest, 100);
  beforeAll(() => guest.booted(), 60_000);

  test.each([
    ['in QEMU’s own format', undefined],
    ['in 32 bits', formats[0]],
    ['in 16 bits', formats[1]],
  ])('is parsed in every encoding, %s, and no clipboard message is forwarded', async (_, format) => {
    const direct = await rig.openDirectly([encodings.raw, encodings.extendedClipboard]);
    const peer = createClipboardPeer(direct);
    await peer.ready();
    let copies = 0;
    const change = () => {
      direct.type('x');
      peer.copy(`text ${copies++}`);
    };
    const restricted = await rig.open('in');
    await viewInEveryEncoding(restricted, format, change);
    expect(restricted.received().includes(notification)).toBe(false);
    // A viewer that may copy is notified, so the check above is effective.
    const allowed = await rig.open('out');
    await viewInEveryEncoding(allowed, format, change);
    await eventually('it is notified', () => allowed.received().includes(notification));
    direct.close();
  });
});

describeWith('xvnc')('Xvnc with a clipboard that must not reach the viewer', () => {
  const guest = createXvncGuest({ name: 'student-x' });
  const rig = useRig(guest, 200);

  test.each([
    ['in its own format', undefined],
    ['in 32 bits', formats[0]],
    ['in 16 bits', formats[1]],
  ])('is parsed in every encoding, %s', async (_, format) => {
    const direct = await rig.openDirectly([encodings.raw]);
    let at = 0;
    const change = () => {
      direct.type('x');
      direct.pointer(at++ % 700, 50, 0);
    };
    for (const clipboard of ['none', 'in'] as const)
      await viewInEveryEncoding(await rig.open(clipboard), format, change);
    direct.close();
  });
});
