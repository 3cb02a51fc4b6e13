import { markNames, recordTypes, type MarkName, type RecordingRecord, type RecordType } from './record.ts';
import { readVarint } from './varint.ts';

const typesByNumber = new Map<number, RecordType>(
  Object.entries(recordTypes).map(([type, number]) => [number, type as RecordType]),
);
// A byte order mark belongs to the text that was recorded.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Returns the record of this type and data. Undefined if a newer version of Porthole wrote it: a reader skips what it
 * does not know. Runs in browsers, too.
 */
export function decodeRecord(typeNumber: number, data: Uint8Array): RecordingRecord | undefined {
  const type = typesByNumber.get(typeNumber);
  switch (type) {
    case undefined:
      return undefined;
    case 'about':
      return { type, json: utf8.decode(data) };
    case 'clock': {
      const wallMs = readVarint(data, { at: 0 });
      return wallMs === undefined ? undefined : { type, wallMs };
    }
    case 'init':
    case 'format':
    case 'screen':
    case 'keyValue':
      return { type, bytes: data };
    case 'keyframe':
      return data.length < 4 ? undefined : { type, ...sizeOf(data), bytes: data.subarray(4) };
    case 'resize':
      return data.length < 4 ? undefined : { type, ...sizeOf(data) };
    case 'terminal':
      return decodeTerminal(data);
    case 'key':
    case 'pointer':
      return { type };
    case 'clipboard':
      return { type, direction: data[0] === 0 ? 'in' : 'out', text: utf8.decode(data.subarray(1)) };
    case 'observer':
      return { type, joined: data[0] === 1, user: utf8.decode(data.subarray(1)) };
    case 'mark':
      return decodeMark(utf8.decode(data));
    case 'end':
      return { type, reason: utf8.decode(data) };
  }
}

function decodeTerminal(data: Uint8Array): RecordingRecord | undefined {
  const code = String.fromCharCode(data[0] ?? 0);
  if (code !== 'o' && code !== 'i' && code !== 'r' && code !== 'm') return undefined;
  return { type: 'terminal', code, bytes: data.subarray(1) };
}

function decodeMark(text: string): RecordingRecord | undefined {
  const end = text.indexOf('\n');
  const name = text.slice(0, end) as MarkName;
  return markNames.includes(name) ? { type: 'mark', name, text: text.slice(end + 1) } : undefined;
}

const sizeOf = (data: Uint8Array) => ({
  width: ((data[0] ?? 0) << 8) | (data[1] ?? 0),
  height: ((data[2] ?? 0) << 8) | (data[3] ?? 0),
});
