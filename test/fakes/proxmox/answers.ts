/** A response before its serialization. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Null: no body and no Content-Length, as pveproxy ends failed authentications. */
  readonly body: string | null;
  readonly json: boolean;
}

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

export const dataAnswer = (data: unknown): Answer => jsonAnswer(200, 'OK', { data });

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

/** Serializes the response. Status 400 and above close the connection. */
export function answerBytes(answer: Answer, date: Date, keepAlive: boolean): Buffer {
  const { status, reason, body, json } = answer;
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'Cache-Control: max-age=0',
    `Connection: ${keepAlive ? 'Keep-Alive' : 'close'}`,
    `Date: ${date.toUTCString()}`,
    'Pragma: no-cache',
    'Server: pve-api-daemon/3.0',
    ...(body === null ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ...(json ? ['Content-Type: application/json;charset=UTF-8'] : []),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
}
