import type { Duplex } from 'node:stream';
import { eventually } from '../../eventually.ts';
import { createBuiltinGuest } from '../../fakes/guests/builtin.ts';
import { createRelayRig, type RelayRig } from '../rig.ts';
import { cutText } from './server-stream.ts';

const secret = cutText(Buffer.from('a secret of the machine')).bytes;

let rig: RelayRig;
let lines: Duplex[] = [];
const guest = createBuiltinGuest({ name: 'lab-100' });

beforeEach(async () => {
  lines = [];
  // What QEMU sends to viewers with the extended clipboard alone, vncterm sends to all: plain text, at any time.
  const talkative = Object.assign(Object.create(guest) as typeof guest, {
    async connect() {
      const line = await guest.connect();
      lines = [...lines, line];
      return line;
    },
  });
  rig = await createRelayRig({
    proxmox: {
      guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'lab-100', guest: talkative, running: true }],
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
] as const)('plain text of a machine, with the clipboard %s', async (_, clipboard, passes) => {
  const client = await rig.open(clipboard === undefined ? {} : { clipboard });
  const rfb = await client.rfb();
  const opened = client.messages.find(({ type }) => type === 'opened');
  expect(opened).toEqual({
    type: 'opened',
    mode: 'control',
    ...(clipboard === undefined ? {} : { clipboard }),
  });
  const draw = async () => {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
  };
  await draw();
  // Between two messages, as if the machine had said it.
  for (let round = 0; round < 3; round++) {
    lines.at(-1)?.unshift(secret);
    await draw();
  }
  if (passes) await eventually('it arrives', () => rfb.cutTexts.length === 3);
  else expect(rfb.cutTexts).toEqual([]);
  expect(client.received().includes('secret')).toBe(passes);
  client.close();
  await client.closed;
});
