import type { RecordingStorage } from '@porthole/shared/recording/storage/port';

export interface StorageUnderTest {
  readonly storage: RecordingStorage;
  /** The same kind of storage whose bucket or directory does not exist. */
  readonly withoutPlace: RecordingStorage;
  stop(): Promise<void>;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The contract tests of all storages of recordings. */
export function describeStorage(name: string, makeStorage: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let subject: StorageUnderTest;
    let storage: RecordingStorage;

    beforeAll(async () => {
      subject = await makeStorage();
      ({ storage } = subject);
    });
    afterAll(() => subject.stop());

    const names = async (prefix: string) => (await collect(storage.list(prefix))).map(({ name }) => name);

    test('what was put is answered, and what was put again replaces it', async () => {
      const large = Buffer.alloc(1_200_000, 'porthole');
      await storage.put('put/one', Buffer.from('first'));
      await storage.put('put/one', large);
      expect((await storage.get('put/one')).equals(large)).toBe(true);
    });

    test('an empty object is answered as empty', async () => {
      await storage.put('empty/one', new Uint8Array(0));
      expect(await storage.get('empty/one')).toHaveLength(0);
      expect(await collect(storage.list('empty/'))).toMatchObject([{ name: 'empty/one', size: 0 }]);
    });

    test('the beginning of an object can be read alone, also if the object is shorter', async () => {
      await storage.put('begin/one', Buffer.from('0123456789'));
      expect((await storage.get('begin/one', { maxBytes: 4 })).toString()).toBe('0123');
      expect((await storage.get('begin/one', { maxBytes: 400 })).toString()).toBe('0123456789');
    });

    test('an object that does not exist is not_found', async () => {
      await expect(storage.get('nothing/here')).rejects.toMatchObject({ code: 'not_found' });
      await storage.put('nothing/else/one', Buffer.from('1'));
      await expect(storage.get('nothing/else')).rejects.toMatchObject({ code: 'not_found' });
    });

    test('a list has all objects below a prefix with their sizes, in the order of their names', async () => {
      for (const one of ['b/2', 'a/1', 'a-/1', 'a/10', 'a/b/3'])
        await storage.put(`list/${one}`, Buffer.from(one));
      const all = await collect(storage.list('list/'));
      expect(all.map(({ name, size }) => [name, size])).toEqual([
        ['list/a-/1', 4],
        ['list/a/1', 3],
        ['list/a/10', 4],
        ['list/a/b/3', 5],
        ['list/b/2', 3],
      ]);
      expect(Math.abs((all[0]?.modifiedMs ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await names('list/a/1')).toEqual(['list/a/1', 'list/a/10']);
      expect(await names('list/c')).toEqual([]);
    });

    test('groups are the names up to the next slash, each once and in order', async () => {
      for (const one of ['20260101-a/p/1', '20260101-a/p/2', '20260102-b/p/1', '20260101-c/p/1'])
        await storage.put(`groups/${one}`, Buffer.from(one));
      expect(await collect(storage.listGroups('groups/20260101-'))).toEqual([
        'groups/20260101-a',
        'groups/20260101-c',
      ]);
      expect(await collect(storage.listGroups('groups/20260101-a/'))).toEqual(['groups/20260101-a/p']);
    });

    test('a deleted object is gone, and deleting it again is harmless', async () => {
      await storage.put('delete/one', Buffer.from('1'));
      await storage.put('delete/two', Buffer.from('2'));
      await storage.delete('delete/one');
      await storage.delete('delete/one');
      await storage.delete('delete/never/there');
      expect(await names('delete/')).toEqual(['delete/two']);
      await storage.delete('delete/two');
      expect(await collect(storage.listGroups('delete'))).toEqual([]);
    });

    test('of concurrent writers of one object, one wins completely', async () => {
      const given = Array.from({ length: 8 }, (_, i) => Buffer.alloc(100_000, `${i}`));
      await Promise.all(given.map((bytes) => storage.put('race/one', bytes)));
      const found = await storage.get('race/one');
      expect(given.some((bytes) => bytes.equals(found))).toBe(true);
      expect(await names('race/')).toEqual(['race/one']);
    });

    test.each([
      '',
      '/',
      '../up',
      'a/../b',
      'a//b',
      '.hidden',
      'a/.b',
      'a b',
      'a\0b',
      'ä',
      '/etc/passwd',
      'a/',
    ])('the name %j is refused', async (invalid) => {
      const refused = { code: 'invalid_name' };
      await expect(storage.put(invalid, Buffer.from('1'))).rejects.toMatchObject(refused);
      await expect(storage.get(invalid)).rejects.toMatchObject(refused);
      await expect(storage.delete(invalid)).rejects.toMatchObject(refused);
    });

    test('a prefix that leaves the storage is refused', async () => {
      for (const invalid of ['../', 'a/../b', '/'])
        await expect(collect(storage.list(invalid))).rejects.toMatchObject({ code: 'invalid_name' });
    });

    test('an aborted call rejects with the reason of its signal', async () => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      await expect(storage.put('abort/one', Buffer.from('1'), { signal })).rejects.toBe(reason);
      await expect(storage.get('abort/one', { signal })).rejects.toBe(reason);
      await expect(storage.delete('abort/one', signal)).rejects.toBe(reason);
      await expect(collect(storage.list('abort', { signal }))).rejects.toBe(reason);
      expect(await names('abort/')).toEqual([]);
    });

    test('without its bucket or directory, each call says that this is missing', async () => {
      const missing = { code: 'missing' };
      const { withoutPlace } = subject;
      await expect(withoutPlace.put('a/1', Buffer.from('1'))).rejects.toMatchObject(missing);
      await expect(withoutPlace.get('a/1')).rejects.toMatchObject(missing);
      await expect(collect(withoutPlace.list(''))).rejects.toMatchObject(missing);
    });
  });
}
