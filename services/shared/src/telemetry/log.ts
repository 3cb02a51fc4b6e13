import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Log;
};

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Secrets don't get logged because nobody hands them to the log. This list is the second line: should an
 * object with such a field ever be logged, at the top or one level down, its value is left out.
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

/** The standard output, written without waiting for whoever reads it. */
export function openStdout(): DestinationStream {
  return pino.destination({ dest: 1, sync: false });
}

/** JSON lines; `err` keeps its message, code, detail and stack, and the chain of causes. */
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
      },
    },
    options.destination ?? openStdout(),
  );
}

/** pino gives a line that has an error and no message the error's own one, uncleaned. */
function withOwnMessage(given: readonly unknown[]): readonly unknown[] {
  const [first, ...rest] = given;
  const fields = isError(first) ? { err: first } : first;
  if (rest.length > 0 || typeof fields !== 'object' || fields === null) return [fields, ...rest];
  const { err } = fields as { err?: unknown };
  return isError(err) ? [fields, sanitize(toText(readField(err, 'message')))] : given;
}

/** Longest text of an error that is worth reading. */
const maxTextLength = 4096;
/** How many causes behind an error. */
const maxCauses = 4;

/**
 * Only these fields of an error: foreign errors carry requests, headers and URLs with query strings in
 * fields of their own. Whatever was thrown, describing it never throws: the log is where faults end.
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
    return 'something that can not be shown';
  }
}

function sanitize(text: string): string {
  return withoutQuery(text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text);
}

/** Query strings carry console tickets at Proxmox; they never reach the log. */
function withoutQuery(text: string): string {
  return text.replaceAll(/\?[^\s"'<>)]*=[^\s"'<>)]*/g, '?…');
}
