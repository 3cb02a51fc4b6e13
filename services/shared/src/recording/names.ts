import type { RandomBytes } from '../crypto/random.ts';

/**
 * Names of recordings, of their parts and of the objects that hold them. A recording's id begins with its start in UTC,
 * so that the recordings of a day have a common prefix, and ends with 128 random bits. It names no user and no machine.
 */
const recordingPattern = /^\d{8}-\d{6}-[0-9a-f]{32}$/;
/** The ordinal of the part, and 32 random bits that keep two relays from ever writing the same object. */
const partPattern = /^\d{4}-[0-9a-f]{8}$/;

export const recordingIdLength = 48;
export const partNameLength = 13;
export const maxParts = 9999;
/** A chunk's number has six digits in its name. */
export const maxChunks = 1_000_000;

export function createRecordingId(startedAtMs: number, random: RandomBytes): string {
  const [date = '', time = ''] = new Date(startedAtMs).toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${random(16).toString('hex')}`;
}

/** Creates the name of a part. `ordinal` is 1 for the first connection of a session, 2 for the next, and so on. */
export function createPartName(ordinal: number, random: RandomBytes): string {
  if (!Number.isInteger(ordinal) || ordinal < 1 || ordinal > maxParts)
    throw new RangeError(`The ordinal of a part must be from 1 to ${maxParts}.`);
  return `${String(ordinal).padStart(4, '0')}-${random(4).toString('hex')}`;
}

export const isRecordingId = (text: string): boolean => recordingPattern.test(text);
export const isPartName = (text: string): boolean => partPattern.test(text);
export const ordinalOf = (part: string): number => Number(part.slice(0, 4));

/** The start of a recording, to the second, in milliseconds since the Unix epoch. */
export function startOf(id: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})/.exec(id) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

/** The common prefix of the ids of all recordings that started on this UTC day. */
export const dayPrefix = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}-`;

export interface PartAddress {
  readonly recording: string;
  readonly part: string;
}

export const indexName = ({ recording, part }: PartAddress): string => `${recording}/${part}/index`;

export const chunkName = ({ recording, part }: PartAddress, chunk: number): string =>
  `${recording}/${part}/${String(chunk).padStart(6, '0')}`;

export type ObjectAddress =
  | (PartAddress & { readonly kind: 'index' })
  | (PartAddress & { readonly kind: 'chunk'; readonly chunk: number });

/** Returns what an object of the storage holds, or undefined if its name is not that of a recording's object. */
export function parseObjectName(name: string): ObjectAddress | undefined {
  const [recording = '', part = '', last = '', ...rest] = name.split('/');
  if (rest.length > 0 || !isRecordingId(recording) || !isPartName(part)) return undefined;
  if (last === 'index') return { recording, part, kind: 'index' };
  return /^\d{6}$/.test(last) ? { recording, part, kind: 'chunk', chunk: Number(last) } : undefined;
}
