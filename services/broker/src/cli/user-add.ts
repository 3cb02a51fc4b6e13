import {
  closeSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { systemRandom } from '@porthole/shared/crypto/random';
import { formatUserEntry, upsertUser, type UserEntry } from '../sign-in/local/edit-users-file.ts';
import { hashPassword } from '../sign-in/local/password-hash.ts';
import { userName } from '../sign-in/local/users-file.ts';
import { CommandError, UsageError, type Command, type CommandIo } from './command.ts';

const usage = `NAME [--groups a,b] [--display-name TEXT] [--file users.yaml]

Asks for a password, or reads it from the first line of standard input. Prints the entry for the users file. With --file,
adds the entry to the file, or updates the entry of this name. An update without --groups keeps the groups.
`;
const minPasswordLength = 8;

/** On a terminal, asks twice and does not echo. Otherwise reads the first line. */
async function readPassword(io: CommandIo, name: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = io.stdin.isTTY;
  const lines = createInterface({ input: io.stdin, output: silent, terminal });
  try {
    if (!terminal) {
      for await (const line of lines) return line;
      throw new CommandError('Standard input has no password.');
    }
    lines.on('SIGINT', () => io.exit(130));
    io.stderr.write(`Password for ${name}: `);
    const first = await lines.question('');
    io.stderr.write('\nRepeat the password: ');
    const second = await lines.question('');
    io.stderr.write('\n');
    if (first !== second) throw new CommandError('The passwords do not match.');
    return first;
  } finally {
    lines.close();
  }
}

/**
 * Replaces a file atomically, because the broker can read it at any time. A symbolic link stays a link. The temporary file
 * is a lock: a second command would otherwise read the file before the first has replaced it, and lose its change.
 */
function replaceFile(path: string, change: (text: string) => string): void {
  const existing = resolveExisting(path);
  const target = existing?.target ?? path;
  const temporary = `${target}.new`;
  const fd = createExclusively(temporary, existing?.mode ?? 0o600);
  try {
    writeFileSync(fd, change(existing ? readFileSync(target, 'utf8') : ''));
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function resolveExisting(path: string): { readonly target: string; readonly mode: number } | undefined {
  try {
    const target = realpathSync(path);
    return { target, mode: statSync(target).mode };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

function createExclusively(path: string, mode: number): number {
  try {
    return openSync(path, 'wx', mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(
      `${path} exists. Another command is changing the file. If none is, remove ${path} and try again.`,
    );
  }
}

async function run(args: readonly string[], io: CommandIo): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      groups: { type: 'string' },
      'display-name': { type: 'string' },
      file: { type: 'string' },
    },
  });
  const [given, ...more] = positionals;
  if (given === undefined || more.length > 0) throw new UsageError();
  const name = userName.safeParse(given);
  if (!name.success) throw new CommandError(`${given}: ${name.error.issues[0]?.message}\n`);

  const password = await readPassword(io, name.data);
  if (password.length < minPasswordLength)
    throw new CommandError(`The password must have at least ${minPasswordLength} characters.`);
  const groups = values.groups?.split(',').flatMap((group) => group.trim() || []);
  const displayName = values['display-name'];
  const entry: UserEntry = {
    name: name.data,
    password: await hashPassword(password, systemRandom),
    ...(displayName === undefined ? {} : { displayName }),
    groups: groups ?? [],
  };
  const { file } = values;
  if (file === undefined) {
    io.stdout.write(formatUserEntry(entry));
    return;
  }
  replaceFile(resolve(io.cwd, file), (text) => upsertUser(text, entry, groups ? [] : ['groups']));
  io.stderr.write(`Saved ${name.data} in ${file}.\n`);
}

export const userAdd: Command = { summary: 'add or change a local user', usage, run };
