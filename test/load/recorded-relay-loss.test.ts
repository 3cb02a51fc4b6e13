import type { RecordingItem } from '@porthole/shared/recording/read/read-recording';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { createRecordingFolder, recorded } from '../relay/recording/recorded-rig.ts';
import { testOrigin } from '../relay/rig.ts';
import { problemsOf, recordingKeys } from '../shared/recording/sample-recording.ts';
import { startRelayFleet } from './relay-fleet.ts';
import { simulatePage } from './simulated-page.ts';

/** Number of recorded consoles. `CONSOLES=100 npm run test:only -- test/load/recorded-relay-loss` tries a hundred. */
const consoles = Number(process.env['CONSOLES'] ?? 6);

/** Which parts of a recording have a picture. */
function pictures(items: readonly RecordingItem[]): string[] {
  const parts = new Set<string>();
  for (const item of items)
    if (item.kind === 'chunk' && item.records.some(({ record }) => record.type === 'screen'))
      parts.add(item.part.slice(0, 4));
  return [...parts].sort();
}

describeWith('redis')(`${consoles} recorded consoles of a relay that is killed`, () => {
  test('have all that was recorded up to the last flush, and go on in a second part on another relay', async () => {
    const folder = await createRecordingFolder();
    const fleet = await startRelayFleet({
      recordings: { encryptionKeys: recordingKeys().join(' '), storage: { directory: folder.directory } },
    });
    const read = async () => Promise.all((await folder.recordings()).map((id) => folder.read(id)));
    try {
      await fleet.startRelay();
      await fleet.startRelay();
      const pages = Array.from({ length: consoles }, (_, i) =>
        simulatePage({
          urls: fleet.relays.map(({ url }) => url),
          first: 0,
          step: 1,
          origin: testOrigin,
          requestGrant: () => fleet.grantFor(i, recorded()),
        }),
      );
      await Promise.all(pages.map(({ open }) => open));
      // Nothing but the storage: a spool is lost with its pod.
      await eventually('the storage has the first picture of each', async () => {
        const all = await read();
        return all.length === consoles && all.every((items) => pictures(items).length === 1);
      });
      fleet.relays[0]?.process.signal('SIGKILL');
      await eventually('each recording goes on', async () => {
        const all = await read();
        return all.every((items) => pictures(items).length === 2);
      });
      const all = await read();
      expect(all).toHaveLength(consoles);
      for (const items of all) {
        expect(problemsOf(items)).toEqual([]);
        expect(pictures(items)).toEqual(['0001', '0002']);
        const ended = items.flatMap((item) =>
          item.kind === 'part' ? [item.index?.summary.end !== undefined] : [],
        );
        expect(ended).toEqual([false, false]);
      }
      await Promise.all(pages.map((page) => page.close()));
    } finally {
      await fleet.stop();
      await folder.remove();
    }
  }, 120_000);
});
