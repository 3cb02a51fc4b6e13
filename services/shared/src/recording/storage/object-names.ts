import { StorageError } from './storage-error.ts';

const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const maxLength = 512;

/** Throws unless each segment is plain. A segment that begins with a dot could leave the directory or be a temporary file. */
export function assertObjectName(name: string): void {
  if (name.length <= maxLength && name.split('/').every((part) => segment.test(part))) return;
  throw new StorageError('invalid_name', `${name.length} characters`);
}

/** A prefix is the beginning of a name. */
export function assertPrefix(prefix: string): void {
  const segments = prefix.split('/');
  const last = segments.pop() ?? '';
  if (
    prefix.length <= maxLength &&
    segments.every((part) => segment.test(part)) &&
    (last === '' || segment.test(last))
  )
    return;
  throw new StorageError('invalid_name', `a prefix of ${prefix.length} characters`);
}
