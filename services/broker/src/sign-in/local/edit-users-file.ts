import { isMap, isSeq, parseDocument, stringify, type Document, type YAMLSeq } from 'yaml';
import { parseUsersFile, UsersFileError } from './users-file.ts';

/** A user as written in the users file. */
export interface UserEntry {
  readonly name: string;
  readonly password: string;
  readonly displayName?: string;
  readonly groups: readonly string[];
}

/** Returns the YAML of one list item. */
export function formatUserEntry(entry: UserEntry): string {
  return stringify([entry], { lineWidth: 0 });
}

/**
 * Returns the text of the file with this user added, or updated if the name exists. An update leaves comments and the
 * fields in `keep` unchanged. Throws UsersFileError if the broker would reject the file before or after.
 */
export function upsertUser(text: string, entry: UserEntry, keep: readonly (keyof UserEntry)[]): string {
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
    found.flow = false; // Otherwise `users: []` grows as one long line.
    return found;
  }
  if (found !== undefined && found !== null) throw new UsersFileError('users: must be a list');
  const users = document.createNode([]);
  users.flow = false;
  document.set('users', users);
  return users;
}
