import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRetention } from '@porthole/broker/recordings/retention';
import { setHold } from '@porthole/broker/recordings/legal-hold';
import type { AuditEvent } from '@porthole/shared/audit/events';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import { deletionName } from '@porthole/broker/recordings/markers';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { recordingKeys, terminalPart } from '../../fakes/recordings/write-recording.ts';
import { aRecording, lessonAt } from './fixtures.ts';

const day = 24 * 3_600_000;
const stopping: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0).toReversed()) await stop();
});

async function start(clock: FakeClock, liveSessions: readonly string[] = []) {
  const directory = await mkdtemp(join(tmpdir(), 'porthole-retention-'));
  stopping.push(() => rm(directory, { recursive: true, force: true }));
  const storage = createDirectoryStorage(directory);
  const store = createMemoryStore({ clock });
  const audited: AuditEvent[] = [];
  const counted: string[] = [];
  const passes: string[] = [];
  /** Brokers that have asked for the lease. */
  const asked: string[] = [];
  const failing = { storage: false };
  const broker = (brokerId: string) => {
    const retention = createRetention({
      source: {
        open: () => ({
          storage: {
            ...storage,
            async delete(name) {
              if (failing.storage) throw new StorageError('unavailable', 'test');
              await storage.delete(name);
            },
          },
          keys: recordingKeys,
        }),
      },
      leases: {
        async tryAcquire(name, holder, limit, ttlMs) {
          const leads = await store.leases.tryAcquire(name, holder, limit, ttlMs);
          asked.push(holder);
          return leads;
        },
        release: (name, holder) => store.leases.release(name, holder),
      },
      live: { find: async (id) => (liveSessions.includes(id) ? ({} as never) : undefined) },
      clock,
      log: { warn() {} },
      metrics: {
        recordingDeletion: (cause, result) => void counted.push(`${brokerId} ${cause} ${result}`),
        retentionPass: (result, count = 1) => void passes.push(`${brokerId} ${result} +${count}`),
      },
      audit: (event) => void audited.push(event),
      brokerId,
    });
    stopping.push(async () => retention.stop?.());
    return retention;
  };
  const left = async () => (await readdir(directory)).filter((name) => /^\d{8}-/.test(name)).toSorted();
  return { storage, broker, audited, counted, passes, asked, failing, left };
}

test('recordings are deleted when their time is over, and no others', async () => {
  const clock = createFakeClock(lessonAt + 10 * day);
  const { storage, broker, audited, counted, left } = await start(clock, ['open']);
  const keep = (days: number) => ({ keepSeconds: days * 24 * 3600 });
  const over = await aRecording(storage, { facts: keep(9) });
  const notYet = await aRecording(storage, { startedAt: lessonAt + 1000, facts: keep(11) });
  const forever = await aRecording(storage, { startedAt: lessonAt + 2000 });
  const held = await aRecording(storage, { startedAt: lessonAt + 3000, facts: keep(1) });
  const open = await aRecording(storage, {
    startedAt: lessonAt + 4000,
    facts: { ...keep(1), session: 'open' },
    parts: [{ write: terminalPart(['one']), end: null }],
  });
  const unreadable = await aRecording(storage, { startedAt: lessonAt + 5000, facts: keep(1) });
  const [part = ''] = await names(storage, unreadable);
  await storage.put(part.replace(/[^/]*$/, 'index'), Buffer.from('x'));
  const interrupted = await aRecording(storage, { startedAt: lessonAt + 6000 });
  await storage.put(deletionName(interrupted), Buffer.from('{}'));
  await setHold({ storage }, held, { by: 'local:ada', at: clock.now() });

  await broker('a').start?.();
  await eventually(async () =>
    expect(await left()).toEqual([notYet, forever, held, open, unreadable].toSorted()),
  );
  await eventually(() => expect(counted).toEqual(['a retention ok', 'a retention ok']));
  expect(audited).toMatchObject([
    { event: 'recording_deleted', recording: over, user: 'local:anna' },
    { event: 'recording_deleted', recording: interrupted },
  ]);
  expect(audited.every((event) => !('by' in event))).toBe(true);
  expect(await names(storage, over)).toEqual([]);
});

test('one broker deletes; after it stopped, another one does', async () => {
  const clock = createFakeClock(lessonAt + day);
  const { storage, broker, counted, asked } = await start(clock);
  await aRecording(storage, { facts: { keepSeconds: 3600 } });
  const first = broker('a');
  await first.start?.();
  await eventually(() => expect(counted).toEqual(['a retention ok']));
  await aRecording(storage, { startedAt: lessonAt + 1000, facts: { keepSeconds: 3600 } });
  const second = broker('b');
  await second.start?.();
  await eventually(() => expect(asked).toEqual(['a', 'b']));
  await first.stop?.();
  expect(counted).toEqual(['a retention ok']);
  await eventually(() => {
    clock.advance(10_000);
    expect(counted).toEqual(['a retention ok', 'b retention ok']);
  });
});

test('a storage that fails is counted, and the deletion goes on later', async () => {
  const clock = createFakeClock(lessonAt + day);
  const { storage, broker, counted, passes, failing, left, audited } = await start(clock);
  await aRecording(storage, { facts: { keepSeconds: 60 } });
  failing.storage = true;
  await broker('a').start?.();
  await eventually(() => expect(passes).toEqual(['a ok +0', 'a failed +0', 'a failed +1']));
  expect(counted).toEqual(['a retention recordings_unavailable']);
  expect(audited).toEqual([]);
  failing.storage = false;
  clock.advance(10_000);
  await eventually(async () => expect(await left()).toEqual([]));
  await eventually(() => expect(passes.slice(3)).toEqual(['a ok +1']));
});

test('a complete pass is counted each hour, also if there is nothing to delete', async () => {
  const clock = createFakeClock(lessonAt + day);
  const { storage, broker, passes } = await start(clock);
  await aRecording(storage);
  await broker('a').start?.();
  await eventually(() => expect(passes).toEqual(['a ok +0', 'a failed +0', 'a ok +1']));
  await eventually(() => {
    clock.advance(10_000);
    expect(passes.slice(3)).toEqual(['a ok +1']);
  });
  expect(clock.now()).toBeGreaterThanOrEqual(lessonAt + day + 3_600_000);
});

test('a recording whose deletion has begun can no longer be held', async () => {
  const clock = createFakeClock(lessonAt);
  const { storage } = await start(clock);
  const id = await aRecording(storage);
  await storage.put(deletionName(id), Buffer.from('{}'));
  expect(await setHold({ storage }, id, { by: 'local:ada', at: 0 })).toBe(false);
  expect(await names(storage, id)).not.toContain(`${id}/hold`);
});

async function names(storage: ReturnType<typeof createDirectoryStorage>, id: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of storage.list(`${id}/`)) found.push(name);
  return found;
}
