import type { Duplex } from 'node:stream';
import { eventually } from '../../eventually.ts';
import { createBuiltinGuest } from '../../fakes/guests/builtin.ts';
import { createRelayRig, type RelayRig } from '../rig.ts';
import { cutText } from './server-stream.ts';

const plainText = cutText(Buffer.from('a secret of the machine')).bytes;

let rig: RelayRig;
/** The connections to the machine, the newest last. */
let connections: Duplex[] = [];
const guest = createBuiltinGuest({ name: 'lab-100' });

beforeEach(async () => {
  connections = [];
  // QEMU sends text only to viewers with the extended clipboard; vncterm sends plain text to all, at any time.
  const recordingGuest = Object.assign(Object.create(guest) as typeof guest, {
    async connect() {
      const connection = await guest.connect();
      connections = [...connections, connection];
      return connection;
    },
  });
  rig = await createRelayRig({
    proxmox: {
      guests: [
        { vmid: 100, node: 'pve1', type: 'qemu', name: 'lab-100', guest: recordingGuest, running: true },
      ],
    },
  });
});
afterEach(() => rig.stop());

test.each([
  ['both', 'both', true],
  [undefined, undefined, true],
  ['out', 'out', true],
  ['in', 'in', false],
  ['none', 'none', false],
] as const)(
  'plain text of a machine reaches its viewer only if the grant’s clipboard %s allows it',
  async (_, clipboard, allowed) => {
    const client = await rig.open(clipboard === undefined ? {} : { clipboard });
    const rfb = await client.rfb();
    const opened = client.messages.find(({ type }) => type === 'opened');
    expect(opened).toEqual({
      type: 'opened',
      mode: 'control',
      ...(clipboard === undefined ? {} : { clipboard }),
    });
    const requestPicture = async () => {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    };
    await requestPicture();
    // Inserted between two messages of the machine.
    for (let round = 0; round < 3; round++) {
      connections.at(-1)?.unshift(plainText);
      await requestPicture();
    }
    if (allowed) await eventually('the text arrives', () => rfb.cutTexts.length === 3);
    else expect(rfb.cutTexts).toEqual([]);
    expect(client.received().includes('secret')).toBe(allowed);
    client.close();
    await client.closed;
  },
);
