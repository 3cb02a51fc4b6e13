import { PortholeError } from '../../errors.ts';

/**
 * Copies name, message and code of an error of the Redis client. Its field `command`, and the messages of old servers,
 * contain the arguments of the command, such as a password or a sealed record.
 */
export function withoutArguments(thrown: unknown): Error {
  const error = rootError(thrown);
  if (!(error instanceof Error)) return new Error(String(error));
  const message = error.message.replace(/,? with args beginning with.*/s, '');
  const code = errorCode(error);
  const plain = new Error(message || code || error.name);
  plain.name = error.name;
  return code === undefined ? plain : Object.assign(plain, { code });
}

/** The kind of an error, such as `ECONNREFUSED` or `WRONGPASS`. The same for each attempt in one outage. */
export function errorKind(error: Error): string {
  return errorCode(error) ?? error.message.split(' ', 1)[0] ?? '';
}

export function toStoreError(thrown: unknown): PortholeError {
  return thrown instanceof PortholeError
    ? thrown
    : new PortholeError('store_unavailable', { cause: withoutArguments(thrown) });
}

/** Connecting to several addresses or to a cluster fails with an error that wraps the actual one. */
function rootError(thrown: unknown): unknown {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return thrown.errors[0];
  if (thrown instanceof Error && 'lastNodeError' in thrown && thrown.lastNodeError)
    return thrown.lastNodeError;
  return thrown;
}

function errorCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
