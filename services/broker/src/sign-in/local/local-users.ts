import { ConfigError } from '@porthole/shared/config/read';
import type { Secret } from '@porthole/shared/config/secret';
import type { Log } from '@porthole/shared/telemetry/log';
import { parseUsersFile, UsersFileError, type LocalUser } from './users-file.ts';

export interface LocalUsers {
  find(name: string): LocalUser | undefined;
}

/**
 * Reads the users file, and reads it again when it changes. If a change makes the file invalid, the previous users
 * stay in effect and the error is logged once. Throws ConfigError if the file is invalid at the start.
 */
export function createLocalUsers(deps: {
  readonly file: Secret;
  readonly log: Pick<Log, 'info' | 'error'>;
}): LocalUsers {
  const { file, log } = deps;
  let text = file();
  let users = parseAtStart(text);

  function current(): ReadonlyMap<string, LocalUser> {
    const now = file();
    if (now === text) return users;
    text = now;
    try {
      users = parseUsersFile(now);
      log.info({ users: users.size }, 'the users file was reloaded');
    } catch (error) {
      log.error({ err: error }, 'THE USERS FILE IS INVALID: the previous users stay in effect');
    }
    return users;
  }

  return { find: (name) => current().get(name.normalize('NFC')) };
}

function parseAtStart(text: string): ReadonlyMap<string, LocalUser> {
  try {
    return parseUsersFile(text);
  } catch (error) {
    if (error instanceof UsersFileError) throw new ConfigError([`signIn.local.usersFile: ${error.message}`]);
    throw error;
  }
}
