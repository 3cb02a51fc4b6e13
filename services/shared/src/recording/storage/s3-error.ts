import { StorageError, type StorageErrorCode } from './storage-error.ts';

const codesByName: Readonly<Record<string, StorageErrorCode>> = {
  NoSuchKey: 'not_found',
  NotFound: 'not_found',
  NoSuchBucket: 'missing',
  // versitygw's answer to an unknown access key, with status 404.
  XAdminUserNotFound: 'denied',
  QuotaExceeded: 'full',
  QuotaExceededException: 'full',
  XMinioStorageFull: 'full',
  XMinioAdminBucketQuotaExceeded: 'full',
  InsufficientStorage: 'full',
};

const codesByStatus: Readonly<Record<number, StorageErrorCode>> = {
  401: 'denied',
  403: 'denied',
  507: 'full',
};

/** Translates an error of the SDK. Only its name and status are kept: the rest contains requests with signatures. */
export function s3Error(error: unknown): StorageError {
  const { name, code, $metadata } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: unknown };
  };
  const status = typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : undefined;
  const label = [name, code].filter((text) => typeof text === 'string' && /^\w{1,60}$/.test(text));
  const detail = [...new Set(label), ...(status === undefined ? [] : [`status ${status}`])].join(', ');
  const byName = label.map((text) => codesByName[text as string]).find((found) => found !== undefined);
  return new StorageError(byName ?? codesByStatus[status ?? 0] ?? 'unavailable', detail || 'unknown error');
}
