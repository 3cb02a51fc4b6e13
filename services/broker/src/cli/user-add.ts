import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { systemRandom } from '@porthole/shared/crypto/random';
import { hashPassword } from '../sign-in/local/password-hash.ts';
import { Fault, UsageFault, type Command, type CommandIo } from './command.ts';
import { formatUserEntry, upsertUser, type UserEntry } from '../sign-in/local/edit-users-file.ts';
import { userName } from '../sign-in/local/users-file.ts';

const usage = `NAME [--groups a,b] [--display-name TEXT] [--file users.yaml]

Asks for a password (or reads one line from the standard input) and prints the user's entry for the users file.
With --file it adds the entry to the file, or replaces what is new in the entry of that name.
`;
const shortestPassword = 8;

/** Asked twice and shown never on a terminal; otherwise the first line that comes. */
async function readPassword(io: CommandIo, name: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = io.stdin.isTTY;
  const lines = createInterface({ input: io.stdin, output: silent, terminal });
  try {
    if (!terminal) {
      for await (const line of lines) return line;
      throw new Fault('There was no password on the standard input.');
    }
    lines.on('SIGINT', () => io.exit(130));
    io.stderr.write(`Password for ${name}: `);
    const first = await lines.question('');
    io.stderr.write('\nOnce more: ');
    const second = await lines.question('');
    io.stderr.write('\n');
    if (first !== second) throw new Fault('These were two different passwords.');
    return first;
  } finally {
    lines.close();
  }
}

/** Whole or not at all: the broker may read the file at any moment. A link stays a link. */
function replaceFile(path: string, change: (text: string) => string): void {
  let target = path;
  let mode = 0o600;
  let text = '';
  try {
    target = realpathSync(path);
    mode = statSync(target).mode;
    text = readFileSync(target, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const draft = `${target}.new`;
  writeFileSync(draft, change(text), { mode });
  renameSync(draft, target);
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
  if (given === undefined || more.length > 0) throw new UsageFault();
  const name = userName.safeParse(given);
  if (!name.success) throw new Fault(`${given}: ${name.error.issues[0]?.message}\n`);

  const password = await readPassword(io, name.data);
  if (password.length < shortestPassword)
    throw new Fault(`The password must have at least ${shortestPassword} characters.`);
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
  // Without --groups a new password leaves somebody in the groups that they are in.
  replaceFile(resolve(io.cwd, file), (text) => upsertUser(text, entry, groups ? [] : ['groups']));
  io.stderr.write(`${name.data} is in ${file} now.\n`);
}

export const userAdd: Command = { about: 'add a local user, or change one', usage, run };
