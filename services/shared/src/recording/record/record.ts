/**
 * The records of a recording. Their order is part of the format: a record's type is its number in `recordTypes`.
 * `docs/recording-format.md` describes each.
 */
export const recordTypes = {
  about: 1,
  clock: 2,
  init: 3,
  format: 4,
  screen: 5,
  keyframe: 6,
  resize: 7,
  terminal: 8,
  key: 9,
  keyValue: 10,
  pointer: 11,
  clipboard: 12,
  observer: 13,
  mark: 14,
  end: 15,
} as const;

export type RecordType = keyof typeof recordTypes;

/** Codes of asciicast v3 events: output, input, resize, marker. */
export type TerminalCode = 'o' | 'i' | 'r' | 'm';

export type RecordingRecord =
  /** Facts about the recording as JSON (index/part-facts.ts). The first record of a part. */
  | { readonly type: 'about'; readonly json: string }
  /** The wall clock in milliseconds since the Unix epoch. The first record of each chunk. */
  | { readonly type: 'clock'; readonly wallMs: number }
  /** A ServerInit message (RFC 6143, 7.3.2): screen bytes begin, with fresh compression streams. */
  | { readonly type: 'init'; readonly bytes: Uint8Array }
  /** A PIXEL_FORMAT of 16 bytes that the viewer has set, and which the following screen bytes use. */
  | { readonly type: 'format'; readonly bytes: Uint8Array }
  /** Bytes from the server after its ServerInit. Records cut the stream anywhere, also within messages. */
  | { readonly type: 'screen'; readonly bytes: Uint8Array }
  /** A FramebufferUpdate message with the complete picture, decodable without anything before it. */
  | { readonly type: 'keyframe'; readonly width: number; readonly height: number; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly width: number; readonly height: number }
  /** An event of a terminal. Output can be cut within a UTF-8 character; a resize is "80x24". */
  | { readonly type: 'terminal'; readonly code: TerminalCode; readonly bytes: Uint8Array }
  /** A key was pressed. Its value is in no record, unless the rule says so. */
  | { readonly type: 'key' }
  /** The key: a keysym and whether it is down for screens, bytes for terminals. Only if the rule says so. */
  | { readonly type: 'keyValue'; readonly bytes: Uint8Array }
  | { readonly type: 'pointer' }
  /** Text of the clipboard. Only if the rule says so. */
  | { readonly type: 'clipboard'; readonly direction: 'in' | 'out'; readonly text: string }
  | { readonly type: 'observer'; readonly joined: boolean; readonly user: string }
  /** Something that the recording must mention, such as a gap. */
  | { readonly type: 'mark'; readonly name: MarkName; readonly text: string }
  | { readonly type: 'end'; readonly reason: string };

/**
 * `gap`: nothing was recorded up to here from the end of the record before. `stopped`: the console goes on without a
 * recording. `note`: set by a user.
 */
export const markNames = ['gap', 'stopped', 'note'] as const;
export type MarkName = (typeof markNames)[number];
