import { isMap, isSeq, parseDocument, stringify, type Document, type YAMLSeq } from 'yaml';
import { parseUsersFile, UsersFileError } from './users-file.ts';

/** A user as the users file has it. */
export interface UserEntry {
  readonly name: string;
  readonly password: string;
  readonly displayName?: string;
  readonly groups: readonly string[];
}

/** The entry as it stands in a list of users. */
export function entryText(entry: UserEntry): string {
  return stringify([entry], { lineWidth: 0 });
}

/**
 * The file's text with this user added, or replaced where the name is there already: of an entry only what is new
 * changes, and comments stay. The result is checked as the broker will check it.
 */
export function withUser(text: string, entry: UserEntry, keep: readonly (keyof UserEntry)[]): string {
  const document = parseDocument(text);
  if (document.errors.length > 0) throw new UsersFileError('is not valid YAML');
  const users = usersIn(document);
  const existing = users.items.find((item) => isMap(item) && item.get('name') === entry.name);
  if (isMap(existing)) {
    for (const [field, value] of Object.entries(entry))
      if (!keep.some((kept) => kept === field)) existing.set(field, document.createNode(value));
  } else users.add(document.createNode(entry));
  const result = document.toString({ lineWidth: 0 });
  parseUsersFile(result);
  return result;
}

function usersIn(document: Document): YAMLSeq {
  const found: unknown = document.get('users');
  if (isSeq(found)) {
    found.flow = false; // "users: []" would go on as one long line
    return found;
  }
  if (found !== undefined && found !== null) throw new UsersFileError('users: must be a list');
  const users = document.createNode([]);
  users.flow = false;
  document.set('users', users);
  return users;
}
