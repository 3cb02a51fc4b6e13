import { gzipSync } from 'node:zlib';

/** A response before its serialization. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Null: no body and no Content-Length, as pveproxy ends failed authentications. */
  readonly body: string | null;
  readonly json: boolean;
  /** The Connection header of the pvedaemon or the node that pveproxy has the response from. */
  readonly passedOnConnection?: string;
}

/** pveproxy compresses what is longer. */
const maxUncompressedBytes = 1024;

/** An error of the API: its text is in the JSON body, and its first line is the reason phrase. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: Record<string, string> | undefined;
  constructor(status: number, message: string, errors?: Record<string, string>) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

/** `attributes` are beside the data, such as the total of a list that is returned in parts. */
export const dataAnswer = (data: unknown, attributes: object = {}): Answer =>
  jsonAnswer(200, 'OK', { data, ...attributes });

export function errorAnswer({ status, message, errors }: ApiError): Answer {
  const reason = message.split('\n', 1)[0] ?? '';
  return jsonAnswer(status, reason, { data: null, message: `${message}\n`, ...(errors && { errors }) });
}

/** Errors of the HTTP layer have their text as the body and no Content-Type. */
export const textAnswer = (status: number, text: string): Answer => ({
  status,
  reason: text,
  body: text,
  json: false,
});

export const emptyAnswer = (status: number, reason: string): Answer => ({
  status,
  reason,
  body: null,
  json: false,
});

function jsonAnswer(status: number, reason: string, body: unknown): Answer {
  return { status, reason, body: JSON.stringify(body), json: true };
}

/**
 * Serializes the response as AnyEvent.pm does (pve-http-server, `response`). Status 400 and above close the connection.
 * A kept connection has a Connection header in addition to the one that is passed on.
 */
export function answerBytes(
  answer: Answer,
  date: Date,
  { keepAlive, acceptsGzip }: { readonly keepAlive: boolean; readonly acceptsGzip: boolean },
): Buffer {
  const { status, reason, body, json, passedOnConnection } = answer;
  const plain = Buffer.from(body ?? '');
  const compressed = acceptsGzip && plain.length > maxUncompressedBytes;
  const content = compressed ? gzipSync(plain) : plain;
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'Cache-Control: max-age=0',
    ...(keepAlive && passedOnConnection !== undefined ? [`Connection: ${passedOnConnection}`] : []),
    `Connection: ${keepAlive ? 'Keep-Alive' : 'close'}`,
    `Date: ${date.toUTCString()}`,
    'Pragma: no-cache',
    'Server: pve-api-daemon/3.0',
    ...(compressed ? ['Content-Encoding: gzip'] : []),
    ...(body === null ? [] : [`Content-Length: ${content.length}`]),
    ...(json ? ['Content-Type: application/json;charset=UTF-8'] : []),
    `Expires: ${date.toUTCString()}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), content]);
}
