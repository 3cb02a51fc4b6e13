import type { RecordingItem } from '@porthole/shared/recording/read/read-recording';
import { eventually } from '../eventually.ts';
import type { RfbClient } from '../fakes/guests/rfb-client.ts';
import { describeWith } from '../needs.ts';
import { createRecordingFolder, recorded } from '../relay/recording/recorded-rig.ts';
import { testOrigin } from '../relay/rig.ts';
import { problemsOf, recordingKeys } from '../shared/recording/sample-recording.ts';
import { startRelayFleet } from './relay-fleet.ts';
import { simulatePage } from './simulated-page.ts';

/**
 * Number of recorded consoles. `CONSOLES=100 npm run test:only -- test/load/recorded-relay-loss` tries a hundred, with the
 * interval of flushes that relays have by default, and prints how much was lost.
 */
const consoles = Number(process.env['CONSOLES'] ?? 6);
const tried = process.env['CONSOLES'] !== undefined;
/** What docs/recordings.md promises. */
const maxLostMs = 5000;
const keyMs = 100;

/** Which parts of a recording have a picture. */
function pictures(items: readonly RecordingItem[]): string[] {
  const parts = new Set<string>();
  for (const item of items)
    if (item.kind === 'chunk' && item.records.some(({ record }) => record.type === 'screen'))
      parts.add(item.part.slice(0, 4));
  return [...parts].sort();
}

/** The wall clock of the last key of a part. */
function lastKeyAt(items: readonly RecordingItem[], ordinal: string): number {
  let at = Number.NEGATIVE_INFINITY;
  let clockMs = 0;
  for (const item of items)
    if (item.kind === 'chunk' && item.part.startsWith(ordinal))
      for (const { timeMs, record } of item.records)
        if (record.type === 'clock') clockMs = record.wallMs - timeMs;
        else if (record.type === 'key') at = clockMs + timeMs;
  return at;
}

describeWith('redis')(`${consoles} recorded consoles of a relay that is killed`, () => {
  test('have all but the last seconds, and go on in a second part on another relay', async () => {
    const folder = await createRecordingFolder();
    const fleet = await startRelayFleet({
      recordings: { encryptionKeys: recordingKeys().join(' '), storage: { directory: folder.directory } },
      ...(tried ? { flushSeconds: 4 } : {}),
    });
    const read = async () => Promise.all((await folder.recordings()).map((id) => folder.read(id)));
    const screens = new Set<RfbClient>();
    const typing = setInterval(() => {
      for (const rfb of screens) rfb.type('a');
    }, keyMs);
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
          onPicture(rfb) {
            screens.add(rfb);
            void rfb.closed.then(() => screens.delete(rfb));
          },
        }),
      );
      await Promise.all(pages.map(({ open }) => open));
      const openedAt = Date.now();
      // Longer than what may be lost.
      await eventually('each has been used for a while', () => Date.now() - openedAt > 1.5 * maxLostMs);
      const [relay] = fleet.relays;
      if (!relay) throw new Error('There is no relay.');
      const killedAt = Date.now();
      relay.process.signal('SIGKILL');
      await relay.process.exited;
      // Kubernetes starts the container again, with its spool.
      await fleet.restartRelay(relay);
      await eventually('the storage has the first part of each', async () => {
        const all = await read();
        return all.length === consoles && all.every((items) => pictures(items)[0] === '0001');
      });
      await eventually('each console has a picture again', () =>
        pages.every((page) => page.interruptions.length === 1 && page.hasPicture),
      );
      await Promise.all(pages.map((page) => page.close()));
      await eventually('each recording goes on', async () => {
        const all = await read();
        return all.every((items) => pictures(items).length === 2);
      });
      const all = await read();
      expect(all).toHaveLength(consoles);
      const lost = all.map((items) => killedAt - lastKeyAt(items, '0001')).toSorted((a, b) => a - b);
      if (tried) {
        const seconds = (ms: number | undefined) => ((ms ?? 0) / 1000).toFixed(1);
        const middle = lost[Math.floor(lost.length / 2)];
        console.log(
          `${consoles} recordings end ${seconds(middle)} s (median), at most ${seconds(lost.at(-1))} s, before the relay was killed.`,
        );
      }
      expect(lost.at(-1)).toBeLessThan(maxLostMs);
      for (const items of all) {
        expect(problemsOf(items)).toEqual([]);
        expect(pictures(items)).toEqual(['0001', '0002']);
        const ended = items.flatMap((item) =>
          item.kind === 'part' ? [item.index?.summary.end !== undefined] : [],
        );
        expect(ended).toEqual([false, true]);
      }
    } finally {
      clearInterval(typing);
      await fleet.stop();
      await folder.remove();
    }
  }, 240_000);
});
