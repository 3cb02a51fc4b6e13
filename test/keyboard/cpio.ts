/** A file of an initramfs. */
export interface InitramfsFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** An archive in cpio's format `newc`, as Linux reads an initramfs. Folders are made for the files. */
export function createCpio(files: readonly InitramfsFile[]): Buffer {
  const folders = new Set<string>(['dev', 'proc', 'sys']);
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, index) => folders.add(parts.slice(0, index + 1).join('/')));
  }
  return Buffer.concat([
    ...[...folders].map((path) => entry(path, 0o040755, Buffer.alloc(0))),
    ...files.map(({ path, content, mode }) => entry(path, 0o100000 + mode, content)),
    entry('TRAILER!!!', 0, Buffer.alloc(0)),
  ]);
}

let inode = 0;

function entry(path: string, mode: number, content: Buffer): Buffer {
  const name = Buffer.from(`${path}\0`);
  inode += 1;
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(head), name])), padded(content)]);
}

const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
