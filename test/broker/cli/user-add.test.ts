import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  hashPassword,
  parsePasswordHash,
  passwordMatches,
} from '@porthole/broker/sign-in/local/password-hash';
import { parseUsersFile } from '@porthole/broker/sign-in/local/users-file';
import { upsertUser } from '@porthole/broker/sign-in/local/edit-users-file';
import { systemRandom } from '@porthole/shared/crypto/random';
import { constantSecret } from '@porthole/shared/config/secret';
import { aUser, closeBrokers, startBroker, usersFile } from '../rig.ts';

const command = fileURLToPath(new URL('../../../services/broker/src/cli/main.ts', import.meta.url));
let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'porthole-users-'))));
afterEach(() => rm(folder, { recursive: true }));
afterEach(closeBrokers);

function run(input: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--conditions=source', command, 'user', 'add', ...args], {
      cwd: folder,
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

test('the command prints an entry with which the user can sign in', async () => {
  const { code, out } = await run(
    'open sesame!\n',
    'anna',
    '--groups',
    'class-a, helpers',
    '--display-name',
    'Anna M.',
  );
  expect(code).toBe(0);
  expect(out).not.toContain('sesame');
  const rig = await startBroker({ users: constantSecret(`users:\n${out}`) });
  const answer = await rig.browser().signIn('anna', 'open sesame!');
  expect(answer.json.user).toMatchObject({
    name: 'anna',
    displayName: 'Anna M.',
    groups: ['class-a', 'helpers'],
  });
});

test('--file creates the file with mode 600, and replaces a password', async () => {
  const file = join(folder, 'users.yaml');
  await run('first password\n', 'anna', '--groups', 'class-a', '--file', 'users.yaml');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const before = parseUsersFile(await readFile(file, 'utf8')).get('anna');
  const { code, out } = await run('second password\n', 'anna', '--file', 'users.yaml');
  expect([code, out]).toEqual([0, '']);
  const after = parseUsersFile(await readFile(file, 'utf8')).get('anna');
  expect(after?.passwordText).not.toBe(before?.passwordText);
  expect(after?.user.groups).toEqual(['class-a']);
  expect(await readdir(folder)).toEqual(['users.yaml']);
});

test.each<[string, string, string[]]>([
  ['a short password', 'short\n', ['anna']],
  ['no password', '', ['anna']],
  ['no name', 'open sesame!\n', []],
  ['a name with a leading blank', 'open sesame!\n', [' anna']],
  ['an unknown option', 'open sesame!\n', ['anna', '--admin']],
])('%s is refused with a message', async (_what, input, args) => {
  const { code, out, err } = await run(input, ...args);
  expect(code).toBeGreaterThan(0);
  expect(out).toBe('');
  expect(err).toMatch(/\w/);
  expect(err).not.toMatch(/^\s+at /m);
});

test('a second command fails while the first changes the file', async () => {
  const file = join(folder, 'users.yaml');
  await run('first password\n', 'anna', '--file', file);
  const before = await readFile(file, 'utf8');
  await writeFile(`${file}.new`, '');
  const { code, err } = await run('open sesame!\n', 'ben', '--file', file);
  expect([code, err]).toEqual([1, expect.stringContaining('Another command is changing the file.')]);
  expect(await readFile(file, 'utf8')).toBe(before);
  await rm(`${file}.new`);
  expect((await run('open sesame!\n', 'ben', '--file', file)).code).toBe(0);
});

test('an invalid file stays unchanged', async () => {
  const file = join(folder, 'users.yaml');
  await writeFile(file, 'users: [');
  expect((await run('open sesame!\n', 'anna', '--file', file)).code).toBe(1);
  expect(await readFile(file, 'utf8')).toBe('users: [');
  expect(await readdir(folder)).toEqual(['users.yaml']);
});

test('comments and other users stay unchanged', () => {
  const text = `# Ask the office.\nusers:\n  # teachers\n${aUser('anna')}${aUser('ben')}`;
  const entry = {
    name: 'ben',
    password: 'scrypt$4096$8$1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==',
    groups: ['x'],
  };
  const result = upsertUser(text, entry, []);
  expect(result).toContain('# Ask the office.\n');
  expect(result).toContain('  # teachers\n');
  expect([...parseUsersFile(result).keys()]).toEqual(['anna', 'ben']);
  expect(parseUsersFile(result).get('ben')?.user.groups).toEqual(['x']);
  expect([...parseUsersFile(upsertUser('users: []\n', entry, [])).keys()]).toEqual(['ben']);
  expect([...parseUsersFile(upsertUser('', entry, [])).keys()]).toEqual(['ben']);
  expect(() => upsertUser(usersFile(aUser('Ben')), entry, [])).toThrow(/two users have this name/);
});

test('a hash matches its password and no other', async () => {
  const hash = parsePasswordHash(await hashPassword('open sesame!', systemRandom));
  if (!hash) throw new Error('The hash does not parse.');
  expect(await passwordMatches('open sesame!', hash)).toBe(true);
  expect(await passwordMatches('open sesame', hash)).toBe(false);
});

test.each([
  ['text', 'open sesame'],
  ['an empty hash', 'scrypt$32768$8$1$AAAAAAAAAAAAAAAAAAAAAA==$'],
  ['no cost', 'scrypt$2$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=='],
  [
    'a cost that is no power of two',
    'scrypt$32767$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==',
  ],
  [
    'a cost that eats the memory',
    'scrypt$8388608$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==',
  ],
  ['a hash of another kind', '$2b$12$KIXQ4d6E6ZQm1G1J9o0FqeX1o7QZ'],
])('%s is no password hash', (_what, text) => {
  expect(parsePasswordHash(text)).toBeUndefined();
});
