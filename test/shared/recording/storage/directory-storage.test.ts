import { mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import { collect, describeStorage } from './describe-storage.ts';

const makeDirectory = () => mkdtemp(join(tmpdir(), 'porthole-recordings-'));

describeStorage('a directory', async () => {
  const directory = await makeDirectory();
  return {
    storage: createDirectoryStorage(directory),
    withoutPlace: createDirectoryStorage(join(directory, 'not-mounted')),
    stop: () => rm(directory, { recursive: true }),
  };
});

describe('a directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await makeDirectory();
  });
  afterEach(() => rm(directory, { recursive: true }));

  test.each([
    ['ENOSPC', 'full'],
    ['EDQUOT', 'full'],
    ['EACCES', 'denied'],
    ['EIO', 'unavailable'],
  ])(
    'a write that fails with %s is %s, and leaves the previous object and no other file',
    async (code, expected) => {
      await createDirectoryStorage(directory).put('a/1', Buffer.from('previous'));
      const storage = createDirectoryStorage(directory, {
        async writeFile(path, pieces) {
          await writeFile(path, Buffer.concat(pieces).subarray(0, 3));
          throw Object.assign(new Error(`${code}: '${path}'`), { code, syscall: 'write' });
        },
      });
      const error: unknown = await storage.put('a/1', Buffer.from('next')).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: expected, detail: code });
      expect(String(error)).not.toContain(directory);
      expect((await storage.get('a/1')).toString()).toBe('previous');
      expect(await readdir(join(directory, 'a'))).toEqual(['1']);
    },
  );

  test('the folder of an object is synced, except for a version that is replaced again', async () => {
    const synced: string[] = [];
    const storage = createDirectoryStorage(directory, { syncFolder: async (path) => void synced.push(path) });
    await storage.put('a/1', Buffer.from('first'));
    await storage.put('a/1', Buffer.from('second'), { interim: true });
    expect((await storage.get('a/1')).toString()).toBe('second');
    expect(synced).toEqual([join(directory, 'a')]);
    await storage.put('a/1', Buffer.from('last'));
    expect(synced).toEqual([join(directory, 'a'), join(directory, 'a')]);
  });

  test('a file that a killed process was writing is no object', async () => {
    const storage = createDirectoryStorage(directory);
    await storage.put('a/1', Buffer.from('1'));
    await writeFile(join(directory, 'a', '.writing-left'), 'half');
    expect((await collect(storage.list(''))).map(({ name }) => name)).toEqual(['a/1']);
  });

  test('a directory that goes away during a write is missing, and is not made anew', async () => {
    const [volume, away] = [join(directory, 'volume'), join(directory, 'away')];
    await createDirectoryStorage(directory).put('volume/a/1', Buffer.from('1'));
    const storage = createDirectoryStorage(volume, {
      async writeFile(path, bytes) {
        await rename(volume, away).catch(() => {});
        await writeFile(path, bytes);
      },
    });
    for (const name of ['b/1', 'b/c/1', '1']) {
      await expect(storage.put(name, Buffer.from('2'))).rejects.toMatchObject({ code: 'missing' });
      expect(await readdir(directory)).toEqual(['away']);
      await rename(away, volume);
    }
  });

  test('a directory that is written with a slash at its end outlives its last object', async () => {
    const storage = createDirectoryStorage(join(directory, 'volume/'));
    await createDirectoryStorage(directory).put('volume/a/1', Buffer.from('1'));
    await storage.delete('a/1');
    expect(await readdir(directory)).toEqual(['volume']);
    await storage.put('a/1', Buffer.from('1'));
  });

  test('a symbolic link is neither listed nor followed by a list', async () => {
    const storage = createDirectoryStorage(directory);
    await storage.put('a/1', Buffer.from('1'));
    await symlink('/etc', join(directory, 'etc'));
    expect((await collect(storage.list(''))).map(({ name }) => name)).toEqual(['a/1']);
  });
});
