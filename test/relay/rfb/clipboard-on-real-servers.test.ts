import { encodings as known } from '@porthole/relay/rfb/encodings';
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

/** What noVNC 1.7 offers besides its pictures' encodings. */
const extras = [
  known.desktopSize,
  known.lastRect,
  known.qemuExtendedKey,
  known.qemuLedState,
  known.extendedDesktopSize,
  known.xvp,
  known.fence,
  known.continuousUpdates,
  known.desktopName,
  known.extendedClipboard,
  known.extendedMouseButtons,
  0x574d_5664,
  known.cursor,
];
const [quality, compression] = [-26, -254];

function setEncodings(wanted: readonly number[]): Buffer {
  const message = Buffer.alloc(4 + 4 * wanted.length);
  message[0] = 2;
  message.writeUInt16BE(wanted.length, 2);
  wanted.forEach((encoding, index) => message.writeInt32BE(encoding, 4 + 4 * index));
  return message;
}
const wholeScreen = Buffer.from([3, 0, 0, 0, 0, 0, 3, 0, 2, 0]);
/** RGB in 32 bits, as noVNC sets it, and 16 bits. */
const formats = [
  Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]),
  Buffer.from([0, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0]),
];

/** A viewer that understands nothing of what it gets: it offers, asks, and counts bytes. */
function aBlindViewer(client: ConsoleClient) {
  const say = (bytes: Buffer) => client.socket.send(bytes);
  // Nobody takes what the client has read, and that must not hold it up.
  client.socket.on('message', () => client.socket.resume());
  const more = async (what: string) => {
    const before = client.received().length;
    say(wholeScreen);
    await eventually(what, () => {
      if (client.socket.readyState > 1) throw new Error('the relay has closed the console');
      return client.received().length > before;
    });
  };
  return {
    more,
    offer: (...wanted: number[]) => say(setEncodings(wanted)),
    async open(format: Buffer | undefined) {
      await eventually('the relay greets', () => client.received().length >= 12);
      say(Buffer.from('RFB 003.008\n'));
      say(Buffer.from([1]));
      say(Buffer.from([1]));
      await eventually('it is open', () => client.messages.some(({ type }) => type === 'opened'));
      await eventually('ServerInit is there', () =>
        /QEMU|student|lab|x-200/.test(client.received().toString('latin1')),
      );
      if (format) say(format);
    },
  };
}

/** In every encoding, in turns, with the screen changing meanwhile. */
async function watchesEverything(client: ConsoleClient, format: Buffer | undefined, change: () => void) {
  const viewer = aBlindViewer(client);
  await viewer.open(format);
  for (const encoding of [7, -260, 16, 6, 5, 2, 1, 0, 7]) {
    viewer.offer(encoding, 0, quality, compression, ...extras);
    for (let picture = 0; picture < 3; picture++) {
      change();
      await viewer.more(`a picture with encoding ${encoding}`);
    }
  }
}

/** The word of the extended clipboard that there is new text. */
const notice = Buffer.from([3, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 8, 0, 0, 1]);

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

describeWith('qemu')(
  'a machine that keeps its clipboard, on QEMU, for a viewer that offers all that noVNC does',
  () => {
    const guest = createQemuGuest({ name: 'vm-100' });
    const rig = useRig(guest, 100);
    beforeAll(() => guest.booted(), 60_000);

    test.each([
      ['in QEMU’s own format', undefined],
      ['in 32 bits', formats[0]],
      ['in 16 bits', formats[1]],
    ])('is followed through every encoding, %s, and no word of its clipboard passes', async (_, format) => {
      const direct = await rig.openDirectly([encodings.raw, encodings.extendedClipboard]);
      const inside = createClipboardPeer(direct);
      await inside.ready();
      let copies = 0;
      const change = () => {
        direct.type('x');
        inside.copy(`text ${copies++}`);
      };
      const keeping = await rig.open('in');
      await watchesEverything(keeping, format, change);
      expect(keeping.received().includes(notice)).toBe(false);
      // One that may copy hears of the same, so the test above means something.
      const copying = await rig.open('out');
      await watchesEverything(copying, format, change);
      await eventually('it hears of it', () => copying.received().includes(notice));
      direct.close();
    });
  },
);

describeWith('xvnc')('a machine that keeps its clipboard, on Xvnc', () => {
  const guest = createXvncGuest({ name: 'student-x' });
  const rig = useRig(guest, 200);

  test.each([
    ['in its own format', undefined],
    ['in 32 bits', formats[0]],
    ['in 16 bits', formats[1]],
  ])('is followed through every encoding, %s', async (_, format) => {
    const direct = await rig.openDirectly([encodings.raw]);
    let at = 0;
    const change = () => {
      direct.type('x');
      direct.pointer(at++ % 700, 50, 0);
    };
    for (const clipboard of ['none', 'in'] as const)
      await watchesEverything(await rig.open(clipboard), format, change);
    direct.close();
  });
});
