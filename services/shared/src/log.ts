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
    },
    options.destination ?? pino.destination({ dest: 1, sync: false }),
  );
}

/**
 * Only these fields of an error: foreign errors carry requests, headers and URLs with query strings in
 * fields of their own.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack } = error;
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  return {
    name,
    message: withoutQuery(message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof detail === 'string' ? { detail: withoutQuery(detail) } : {}),
    ...(depth === 0 && stack ? { stack: withoutQuery(stack) } : {}),
    ...(error.cause !== undefined && depth < 4 ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}

/** Query strings carry console tickets at Proxmox; they never reach the log. */
function withoutQuery(text: string): string {
  return text.replaceAll(/\?[^\s"'<>)]*=[^\s"'<>)]*/g, '?…');
}
