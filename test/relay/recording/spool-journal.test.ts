import { randomBytes } from 'node:crypto';
import { createSpoolJournal } from '@porthole/relay/recording/spool-journal';
import { createSpoolUsage } from '@porthole/relay/recording/spool-usage';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';

test('a release that waits behind a failed write is not written before the disk gets another chance', async () => {
  const clock = createFakeClock();
  const writes: PromiseWithResolvers<void>[] = [];
  const journal = createSpoolJournal({
    files: {
      open: async () => [],
      readAll: async () => Buffer.alloc(0),
      async read() {},
      write() {
        const write = Promise.withResolvers<void>();
        writes.push(write);
        return write.promise;
      },
      async remove() {},
    },
    usage: createSpoolUsage({ memoryBytes: 1e9, diskBytes: 1e9 }),
    clock,
    onWritten() {},
    onSlow() {},
    onFreed() {},
    onRetry() {},
    onUnreadable() {},
  });
  const large = randomBytes(300_000);
  const results: string[] = [];
  const append = (name: string) =>
    journal.append(name, 0, [large], (_, error) => void results.push(error ? `${name} failed` : name));
  append('stored');
  append('kept');
  await eventually('the first write begins', () => writes.length === 1);
  writes[0]?.resolve();
  await eventually('it is known', () => results.length === 2);
  append('failing');
  await eventually('the second write begins', () => writes.length === 2);
  append('behind');
  journal.release('stored');
  writes[1]?.reject(new Error('no space'));
  await eventually('all is known', () => results.length === 4);
  await new Promise(setImmediate);
  expect(results).toEqual(['stored', 'kept', 'failing failed', 'behind failed']);
  expect([writes.length, journal.works()]).toEqual([2, false]);
  clock.advance(30_000);
  await eventually('the release is written', () => writes.length === 3);
  expect(journal.works()).toBe(true);
  writes[2]?.resolve();
  await journal.close();
  expect(clock.pending()).toBe(0);
});
