import { Framebuffer } from '@porthole/relay/picture/framebuffer';
import { ScreenDecoder } from '@porthole/relay/picture/screen-decoder';
import type { TimedRecord } from '@porthole/shared/recording/record/decode-records';
import { eventually } from '../../eventually.ts';
import { createQemuGuest, type QemuGuest } from '../../fakes/guests/qemu.ts';
import { encodings, type RfbClient } from '../../fakes/guests/rfb-client.ts';
import { describeWith } from '../../needs.ts';
import { problemsOf, recordsOf } from '../../shared/recording/sample-recording.ts';
import { ignoredEvents } from '../picture/ignored-events.ts';
import { dumpPixels, samePixels } from '../picture/qemu-console.ts';
import { createRelayRig } from '../rig.ts';
import { createRecordingFolder, recorded } from './recorded-rig.ts';

/** The picture that the records show. */
function pictureAfter(records: readonly TimedRecord[]): Uint32Array {
  let framebuffer: Framebuffer | undefined;
  const decoder = new ScreenDecoder({ ...ignoredEvents, onResize: (resized) => (framebuffer = resized) });
  for (const { record } of records)
    if (record.type === 'init' || record.type === 'screen') decoder.push(Buffer.from(record.bytes));
  expect(records.find(({ record }) => record.type === 'format')).toBeDefined();
  return (framebuffer?.pixels ?? new Uint32Array(0)).map(swapped);
}

/** The viewer of this test asks for red in the lowest byte. A framebuffer has blue there. */
const swapped = (pixel: number) => ((pixel & 0xff) << 16) | (pixel & 0xff_00) | ((pixel >> 16) & 0xff);

/** The pixels of a viewer. */
const pixelsOf = ({ framebuffer }: RfbClient): Uint32Array =>
  Uint32Array.from({ length: framebuffer.length / 4 }, (_, pixel) =>
    swapped(framebuffer.readUInt32LE(4 * pixel)),
  );

/** Waits until the viewer shows what QEMU shows, which sends its picture some time later. Resolves with that. */
async function settled(guest: QemuGuest, rfb: RfbClient): Promise<Uint32Array> {
  let dump = await dumpPixels(guest);
  await eventually('the viewer shows what QEMU shows', async () => {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    dump = await dumpPixels(guest);
    return samePixels(pixelsOf(rfb), dump);
  });
  return dump;
}

describeWith('qemu')('on QEMU', () => {
  test('a recording shows what the screen showed before and after a text was typed, and nothing says what was typed', async () => {
    const folder = await createRecordingFolder();
    const guest = createQemuGuest({ name: 'vm-100' });
    const rig = await createRelayRig({
      recordings: folder.config,
      proxmox: { guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'vm-100', guest, running: true }] },
    });
    try {
      await guest.booted();
      const client = await rig.open(recorded());
      const rfb = await client.rfb([encodings.raw]);
      const before = await settled(guest, rfb);
      const password = 'hunter2';
      for (const [index, letter] of Array.from(password).entries()) {
        const shown = await dumpPixels(guest);
        rfb.type(letter);
        await eventually(
          `the machine has echoed letter ${index}`,
          async () => !samePixels(await dumpPixels(guest), shown),
        );
      }
      const after = await settled(guest, rfb);
      client.close();
      await eventually('the recording has ended', async () => {
        const [id = ''] = await folder.recordings();
        return (await folder.read(id)).some((item) => item.kind === 'part' && item.index?.summary.end);
      });
      const [id = ''] = await folder.recordings();
      const items = await folder.read(id);
      expect(problemsOf(items)).toEqual([]);
      const records = recordsOf(items);
      const firstKey = records.findIndex(({ record }) => record.type === 'key');
      expect(samePixels(pictureAfter(records.slice(0, firstKey)), before)).toBe(true);
      expect(samePixels(pictureAfter(records), after)).toBe(true);

      expect(records.filter(({ record }) => record.type === 'key')).toHaveLength(password.length);
      expect(records.filter(({ record }) => record.type === 'keyValue')).toEqual([]);
      const everything = Buffer.concat(
        records.map(({ record }) =>
          'bytes' in record ? Buffer.from(record.bytes) : Buffer.from(JSON.stringify(record)),
        ),
      );
      const keysyms = Buffer.concat(Array.from(password, (one) => Buffer.of(0, 0, 0, one.charCodeAt(0))));
      for (const text of [Buffer.from(password), Buffer.from(password, 'utf16le'), keysyms])
        expect(everything.includes(text)).toBe(false);
      expect((await folder.stored()).includes(password)).toBe(false);
    } finally {
      await rig.stop();
      await guest.close();
      await folder.remove();
    }
  }, 90_000);
});
