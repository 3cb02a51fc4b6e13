import { clipboardActions } from '../rfb/clipboard-policy.ts';
import { clientMessageTypes, serverMessageTypes } from '../rfb/message-types.ts';

/** The format of plain text: the lowest bit of the flags (rfbproto, "Extended Clipboard"). */
export const textFormat = 1;
const formats = 0xffff;

const { caps, request, peek, notify, provide } = clipboardActions;
const none = new Uint8Array(0);

/** An extended clipboard message: what its flags say, and what follows them. */
export interface ClipboardMessage {
  readonly flags: number;
  readonly body: Uint8Array;
}

export type ClipboardAction = keyof typeof clipboardActions;

/** The action of an extended clipboard message. `caps` lists others in the same flags. */
export function actionOf({ flags }: ClipboardMessage): ClipboardAction | undefined {
  if (flags & caps) return 'caps';
  if (flags & request) return 'request';
  if (flags & peek) return 'peek';
  if (flags & notify) return 'notify';
  return flags & provide ? 'provide' : undefined;
}

export function formatsOf({ flags }: ClipboardMessage): number {
  return flags & formats;
}

/** What the relay announces to a machine: all actions, for text that is announced before it is provided. */
export const relayCaps: ClipboardMessage = {
  flags: caps | request | peek | notify | provide | textFormat,
  body: new Uint8Array(4),
};
export const textRequest: ClipboardMessage = { flags: request | textFormat, body: none };
/** The clipboard has nothing that could be requested. */
export const emptyNotify: ClipboardMessage = { flags: notify, body: none };

/** An extended clipboard message for a machine. */
export function toMachine(message: ClipboardMessage): Buffer {
  return encode(clientMessageTypes.clientCutText, message);
}

/** An extended clipboard message for a viewer. */
export function toViewer(message: ClipboardMessage): Buffer {
  return encode(serverMessageTypes.serverCutText, message);
}

/** Plain text for a viewer. Characters beyond Latin-1 become question marks. */
export function plainToViewer(text: string): Buffer {
  // oxlint-disable-next-line no-control-regex
  const bytes = Buffer.from(text.replaceAll(/[^\0-\u{ff}]/gu, '?'), 'latin1');
  const header = Buffer.alloc(8);
  header[0] = serverMessageTypes.serverCutText;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

/** Reads a complete ClientCutText. Returns undefined for plain text. */
export function readClientClipboard(message: Buffer): ClipboardMessage | undefined {
  if (message.readInt32BE(4) >= 0) return undefined;
  return { flags: message.readInt32BE(8), body: message.subarray(12) };
}

function encode(type: number, { flags, body }: ClipboardMessage): Buffer {
  const message = Buffer.alloc(12 + body.length);
  message[0] = type;
  message.writeInt32BE(-4 - body.length, 4);
  message.writeInt32BE(flags, 8);
  message.set(body, 12);
  return message;
}
