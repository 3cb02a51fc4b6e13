import { z } from 'zod';
import { parseYaml } from '@porthole/shared/config/read-yaml';
import { parsePasswordHash, type PasswordHash } from './password-hash.ts';
import type { User } from '../../identity/user.ts';

/** A local user and the password hash. */
export interface LocalUser {
  readonly user: User;
  readonly password: PasswordHash;
  /** The hash as written in the file. It changes with the password. */
  readonly passwordText: string;
}

/** Rejects invisible characters, because names that differ only in them look the same. */
export const userName = z
  .string()
  .min(1)
  .max(64)
  .regex(
    /^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u,
    'must be a name without control characters or blanks around it',
  )
  .transform((name) => name.normalize('NFC'));

const usersFile = z.strictObject({
  // YAML reads `users:` without a value as null.
  users: z
    .array(
      z.strictObject({
        name: userName,
        password: z.string(),
        displayName: z.string().min(1).max(128).optional(),
        groups: z.array(z.string().min(1).max(256)).max(1000).default([]),
      }),
    )
    .nullable()
    .transform((users) => users ?? []),
});

export class UsersFileError extends Error {
  override readonly name = 'UsersFileError';
}

/**
 * Returns the users in the text of the file, by name. Throws UsersFileError, whose message names the field and the
 * problem but quotes no content, because the lines hold hashes.
 */
export function parseUsersFile(text: string): ReadonlyMap<string, LocalUser> {
  const parsed = usersFile.safeParse(parseUsers(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UsersFileError(`${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is not valid'}`);
  }
  const users = new Map<string, LocalUser>();
  const seen = new Set<string>();
  for (const [index, { name, password, displayName, groups }] of parsed.data.users.entries()) {
    // `{user}` matches machine names regardless of case, so Anna and anna would share machines.
    if (seen.has(name.toLowerCase()))
      throw new UsersFileError(`users.${index}.name: two users have this name (names are case-insensitive)`);
    seen.add(name.toLowerCase());
    const hash = parsePasswordHash(password);
    if (!hash)
      throw new UsersFileError(`users.${index}.password: must be a hash; \`npm run user -- NAME\` makes one`);
    users.set(name, {
      user: { id: `local:${name}`, name, displayName, groups },
      password: hash,
      passwordText: password,
    });
  }
  return users;
}

function parseUsers(text: string): unknown {
  const { value, issues: faults } = parseYaml(text);
  if (faults.length > 0) throw new UsersFileError(faults.join('; '));
  return isEmpty(value) ? { users: [] } : value;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
