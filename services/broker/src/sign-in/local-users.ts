import { ConfigError } from '@porthole/shared/config/read';
import type { Secret } from '@porthole/shared/config/secret';
import type { Log } from '@porthole/shared/telemetry/log';
import { parseUsersFile, UsersFileError, type LocalUser } from './users-file.ts';

export interface LocalUsers {
  find(name: string): LocalUser | undefined;
}

/**
 * The users of the file as it is now. A file that was broken by an edit leaves the last good users in place, and
 * says so once; at the start there are none to leave, so there it is a fault of the configuration.
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
      log.info({ users: users.size }, 'the users file was read again');
    } catch (error) {
      log.error({ err: error }, 'THE USERS FILE IS BROKEN: the users from before the change stay in place');
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
