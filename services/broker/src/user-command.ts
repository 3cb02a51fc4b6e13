import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { systemRandom } from '@porthole/shared/random';
import { hashPassword } from './sign-in/password-hash.ts';
import { entryText, withUser, type UserEntry } from './sign-in/user-entry.ts';
import { userName } from './sign-in/users-file.ts';

const usage = `Usage: npm run user -- NAME [--groups a,b] [--display-name TEXT] [--file users.yaml]

Asks for a password (or reads one line from the standard input) and prints the user's entry for the users file.
With --file it adds the entry to the file, or replaces what is new in the entry of that name.
`;
const shortestPassword = 8;

/** What went wrong, for whoever typed the command. */
class Fault extends Error {}

/** Asked twice and shown never on a terminal; otherwise the first line that comes. */
async function readPassword(name: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = process.stdin.isTTY;
  const lines = createInterface({ input: process.stdin, output: silent, terminal });
  try {
    if (!terminal) {
      for await (const line of lines) return line;
      throw new Fault('There was no password on the standard input.');
    }
    lines.on('SIGINT', () => process.exit(130));
    process.stderr.write(`Password for ${name}: `);
    const first = await lines.question('');
    process.stderr.write('\nOnce more: ');
    const second = await lines.question('');
    process.stderr.write('\n');
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
  const draft = `${target}.${process.pid}.new`;
  writeFileSync(draft, change(text), { mode });
  renameSync(draft, target);
}

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      groups: { type: 'string' },
      'display-name': { type: 'string' },
      file: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [given, ...more] = positionals;
  if (values.help || given === undefined || more.length > 0) throw new Fault(usage);
  const name = userName.safeParse(given);
  if (!name.success) throw new Fault(`${given}: ${name.error.issues[0]?.message}\n`);

  const password = await readPassword(name.data);
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
  if (values.file === undefined) {
    process.stdout.write(entryText(entry));
    return;
  }
  // Without --groups a new password leaves somebody in the groups that they are in.
  replaceFile(values.file, (text) => withUser(text, entry, groups ? [] : ['groups']));
  process.stderr.write(`${name.data} is in ${values.file} now.\n`);
}

try {
  await run();
} catch (error) {
  // A stack would tell whoever mistyped something nothing.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
