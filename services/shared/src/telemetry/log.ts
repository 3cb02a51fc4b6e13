import { pino, type DestinationStream, type Logger } from 'pino';
import { escapeControls } from './escape-controls.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Log;
};

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Code must not pass secrets to the log. As a second line of defence, fields with these names are redacted, at the top
 * level and one level below.
 */
const secretFields = [
  'password',
  'ticket',
  'token',
  'secret',
  'cookie',
  'authorization',
  'CSRFPreventionToken',
];
const redact = {
  paths: secretFields.flatMap((field) => [field, `*.${field}`]),
  censor: '[redacted]',
};

/** The standard output. Writes never wait for the reader. */
export function openStdout(): DestinationStream {
  return pino.destination({ dest: 1, sync: false });
}

/** Creates a log of JSON lines. The field `err` shows name, message, code, detail, stack and causes of an error. */
export function createLog(options: {
  service: string;
  level: LogLevel;
  destination?: DestinationStream;
}): Log {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      redact,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      hooks: {
        logMethod(given, method) {
          method.apply(this, withOwnMessage(given) as typeof given);
        },
        // JSON leaves DEL, C1 and line separators as they are, and a terminal that shows the log obeys them.
        streamWrite: escapeControls,
      },
    },
    options.destination ?? openStdout(),
  );
}

/** Without a message, pino uses the message of the error as it is. */
function withOwnMessage(given: readonly unknown[]): readonly unknown[] {
  const [first, ...rest] = given;
  const fields = isError(first) ? { err: first } : first;
  if (rest.length > 0 || typeof fields !== 'object' || fields === null) return [fields, ...rest];
  const { err } = fields as { err?: unknown };
  return isError(err) ? [fields, sanitize(toText(readField(err, 'message')))] : given;
}

/** Maximum length of a text of an error. */
const maxTextLength = 4096;
/** Maximum causes of an error. */
const maxCauses = 4;

/**
 * Copies only known fields: other fields of foreign errors contain requests, headers and URLs with query strings. Never
 * throws, whatever was thrown.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!isError(error)) return sanitize(toText(error));
  const field = (name: string): string | undefined => {
    const value = readField(error, name);
    return typeof value === 'string' ? sanitize(value) : undefined;
  };
  const code = field('code');
  const detail = field('detail');
  const stack = depth === 0 ? field('stack') : undefined;
  const cause = readField(error, 'cause');
  return {
    name: field('name') ?? 'Error',
    message: field('message') ?? '',
    ...(code === undefined ? {} : { code }),
    ...(detail === undefined ? {} : { detail }),
    ...(stack ? { stack } : {}),
    ...(cause !== undefined && depth < maxCauses ? { cause: describeError(cause, depth + 1) } : {}),
  };
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function readField(error: Error, name: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function toText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value without a text';
  }
}

function sanitize(text: string): string {
  return withoutQuery(text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text);
}

/** Removes query strings, which contain console tickets of Proxmox. */
function withoutQuery(text: string): string {
  return text.replaceAll(/\?[^\s"'<>)?=]*=[^\s"'<>)]*/g, '?…');
}
