import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { assertObjectName, assertPrefix } from './object-names.ts';
import type {
  GetOptions,
  ListOptions,
  ObjectBytes,
  PutOptions,
  RecordingStorage,
  StoredObject,
} from './port.ts';
import { StorageError, type StorageErrorCode } from './storage-error.ts';
import { writePieces } from './write-pieces.ts';

/** Prefix of files that are being written. No name of an object begins with a dot. */
const temporaryPrefix = '.writing-';

/** Access to files, an argument so that tests can exhaust the disk. */
export interface WriteFile {
  (path: string, pieces: readonly Uint8Array[]): Promise<void>;
}

/**
 * Keeps objects as files below a directory, such as a mounted volume. The directory must exist: a volume that is not
 * mounted must not be taken for an empty one.
 */
export function createDirectoryStorage(
  configured: string,
  {
    writeFile = writeDurably,
    syncFolder = syncDirectory,
  }: { readonly writeFile?: WriteFile; readonly syncFolder?: (path: string) => Promise<void> } = {},
): RecordingStorage {
  // Without a slash at its end, so that it can be compared with the parents of objects.
  const directory = resolve(configured);
  const pathOf = (name: string) => {
    assertObjectName(name);
    return join(directory, name);
  };

  async function put(
    name: string,
    bytes: ObjectBytes,
    { signal, interim = false }: PutOptions = {},
  ): Promise<void> {
    const path = pathOf(name);
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
    signal?.throwIfAborted();
    await guarded(async () => {
      const temporary = join(dirname(path), `${temporaryPrefix}${randomUUID()}`);
      try {
        // Most objects have a directory. A deletion of the last other object also removes it.
        await writeFile(temporary, pieces).catch(async (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
          await assertDirectory(directory);
          await makeDirectories(directory, dirname(path));
          await writeFile(temporary, pieces);
        });
        signal?.throwIfAborted();
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => {});
        throw error;
      }
      if (!interim) await syncFolder(dirname(path));
    });
  }

  async function get(name: string, { maxBytes, signal }: GetOptions = {}): Promise<Buffer> {
    const path = pathOf(name);
    signal?.throwIfAborted();
    return guarded(async () => {
      await assertDirectory(directory);
      await using file = await open(path, 'r');
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.min(size, maxBytes ?? size));
      let at = 0;
      while (at < buffer.length) {
        signal?.throwIfAborted();
        const { bytesRead } = await file.read(buffer, at, buffer.length - at, at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return buffer.subarray(0, at);
    });
  }

  async function* list(prefix: string, { signal }: ListOptions = {}): AsyncIterable<StoredObject> {
    assertPrefix(prefix);
    signal?.throwIfAborted();
    await guarded(() => assertDirectory(directory));
    yield* walk('', prefix, signal);
  }

  async function* walk(below: string, prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    for (const { name, isDirectory } of await guarded(() => sortedEntries(join(directory, below)))) {
      signal?.throwIfAborted();
      const path = `${below}${name}`;
      if (isDirectory) {
        const inside = `${path}/`;
        if (inside.startsWith(prefix) || prefix.startsWith(inside)) yield* walk(inside, prefix, signal);
      } else if (path.startsWith(prefix)) {
        const found = await guarded(() => statIfThere(join(directory, path)));
        if (found) yield { name: path, size: found.size, modifiedMs: found.mtimeMs };
      }
    }
  }

  async function* listGroups(prefix: string, { signal }: ListOptions = {}): AsyncIterable<string> {
    assertPrefix(prefix);
    signal?.throwIfAborted();
    await guarded(() => assertDirectory(directory));
    const slash = prefix.lastIndexOf('/') + 1;
    const below = prefix.slice(0, slash);
    for (const { name, isDirectory } of await guarded(() => sortedEntries(join(directory, below)))) {
      signal?.throwIfAborted();
      if (isDirectory && name.startsWith(prefix.slice(slash))) yield `${below}${name}`;
    }
  }

  async function remove(name: string, signal?: AbortSignal): Promise<void> {
    const path = pathOf(name);
    signal?.throwIfAborted();
    await guarded(async () => {
      await assertDirectory(directory);
      await unlink(path).catch(ignoring('ENOENT', 'ENOTDIR'));
      // Directories are not objects, so empty ones go as well.
      for (let parent = dirname(path); parent !== directory; parent = dirname(parent)) {
        const removed = await rmdir(parent).then(
          () => true,
          () => false,
        );
        if (!removed) break;
      }
    });
  }

  return { put, get, list, listGroups, delete: remove, async close() {} };
}

/** Writes a new file and waits until the disk has it. */
async function writeDurably(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  await using file: FileHandle = await open(path, 'wx', 0o600);
  await writePieces(file, pieces, 0);
  await file.sync();
}

async function assertDirectory(directory: string): Promise<void> {
  const found = await statIfThere(directory);
  if (!found?.isDirectory()) throw new StorageError('missing', found ? 'not a directory' : 'ENOENT');
}

/**
 * Makes the directories between the storage's own and `path`. Never the storage's own, which can be gone since the last
 * look: recordings would go to a place that nothing reads, and would hide once the volume is mounted again.
 */
async function makeDirectories(directory: string, path: string): Promise<void> {
  if (path === directory) return assertDirectory(directory);
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT') throw error;
    if (dirname(path) === directory) throw new StorageError('missing', code);
    await makeDirectories(directory, dirname(path));
    await mkdir(path, { mode: 0o700 }).catch(ignoring('EEXIST'));
  }
  await syncDirectory(dirname(path));
}

/** After this, a rename survives a power failure. */
async function syncDirectory(path: string): Promise<void> {
  try {
    await using directory = await open(path, 'r');
    await directory.sync();
  } catch (error) {
    // It was deleted meanwhile, or the file system, such as some on networks, syncs no directories.
    ignoring('ENOENT', 'EINVAL', 'ENOTSUP')(error);
  }
}

/** Entries in the order of the names of the objects below them: a directory sorts like its name with a slash. */
async function sortedEntries(path: string): Promise<{ name: string; isDirectory: boolean }[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    ignoring('ENOENT', 'ENOTDIR')(error);
    return [];
  });
  return entries
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isFile()))
    .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

const sortKey = (entry: { name: string; isDirectory: boolean }) =>
  entry.isDirectory ? `${entry.name}/` : entry.name;

async function statIfThere(path: string) {
  return stat(path).catch((error: unknown) => {
    ignoring('ENOENT', 'ENOTDIR')(error);
    return undefined;
  });
}

const ignoring =
  (...codes: readonly string[]) =>
  (error: unknown): void => {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  };

const codesOfErrors: Readonly<Record<string, StorageErrorCode>> = {
  ENOENT: 'not_found',
  ENOTDIR: 'not_found',
  EISDIR: 'not_found',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
};

/** Translates errors of the file system. Their messages contain paths. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    throw new StorageError(codesOfErrors[code] ?? 'unavailable', code);
  }
}
