import { renameSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { grantKeysOf } from '@porthole/shared/config/read';
import { secretFile } from '@porthole/shared/config/secret';
import { configFolder, grantKey, settings } from './config-files.ts';

const { folder, read, write } = configFolder();

describe('a secret file', () => {
  test('is read again when it changes, and a running configuration sees it', () => {
    write('keys', grantKey);
    const config = read(settings({ grantKeysFile: 'keys' }));
    const keys = grantKeysOf(config.grantKeys ?? (() => ''));
    expect(keys()).toEqual([grantKey]);
    write('keys', `${'n'.repeat(32)},\n ${grantKey}\n`);
    expect(keys()).toEqual(['n'.repeat(32), grantKey]);
  });

  test('is read again after it was replaced by a file with the same time and size', () => {
    const then = new Date(2026, 0, 1);
    const path = write('secret', 'one');
    utimesSync(path, then, then);
    const secret = secretFile(path);
    expect(secret()).toBe('one');
    utimesSync(write('next', 'two'), then, then);
    renameSync(join(folder(), 'next'), path);
    expect(secret()).toBe('two');
  });

  test('keeps its previous text while it is missing or empty', () => {
    const path = write('secret', 'one');
    const secret = secretFile(path);
    expect(secret()).toBe('one');
    expect(secret.readError?.()).toBeUndefined();
    write('secret', '');
    expect(secret()).toBe('one');
    expect(secret.readError?.()).toBe('is empty');
    rmSync(path);
    expect(secret()).toBe('one');
    expect(secret.readError?.()).toBe('cannot be read (ENOENT)');
    write('secret', 'three');
    expect(secret()).toBe('three');
    expect(secret.readError?.()).toBeUndefined();
  });

  test('that never existed is an error with its path', () => {
    expect(secretFile(join(folder(), 'gone'))).toThrow('gone');
  });
});
