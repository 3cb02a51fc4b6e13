/**
 * `unavailable`: no answer in time, or a fault of the storage; try again. `denied`: wrong credentials or permissions.
 * `full`: no space or over quota. `missing`: the bucket or the directory itself does not exist. `not_found`: no such
 * object. `invalid_name`: a bug of the caller.
 */
export type StorageErrorCode = 'unavailable' | 'denied' | 'full' | 'missing' | 'not_found' | 'invalid_name';

/** Its message and detail name no credential and no URL. It has no cause, because errors of the SDK contain requests. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;
  readonly detail: string;

  constructor(code: StorageErrorCode, detail: string) {
    super(`${messages[code]} (${detail})`);
    this.code = code;
    this.detail = detail;
  }
}

const messages: Readonly<Record<StorageErrorCode, string>> = {
  unavailable: 'The storage of recordings is unavailable.',
  denied: 'The storage of recordings denies access.',
  full: 'The storage of recordings is full.',
  missing: 'The bucket or directory for recordings does not exist.',
  not_found: 'The storage of recordings has no such object.',
  invalid_name: 'The name of the object is invalid.',
};
