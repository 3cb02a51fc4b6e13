import { constantSecret } from '@porthole/shared/config/secret';
import { aUser, closeBrokers, password, startBroker, userEntry, usersFile } from '../rig.ts';

afterEach(closeBrokers);

test('the right password signs the user in and returns the user', async () => {
  const rig = await startBroker();
  const anna = rig.browser();
  const answer = await anna.signIn('anna');
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({ user: { id: 'local:anna', name: 'anna', groups: ['class-a'] } });
  expect((await anna.get('/api/v1/me')).json).toEqual({
    ...answer.json,
    canSeeSessions: false,
    canSeeClasses: false,
    canSeeRecordings: false,
  });
});

test('a wrong password and an unknown name get the same response', async () => {
  const rig = await startBroker();
  const wrong = await rig.browser().signIn('anna', 'guess');
  const unknown = await rig.browser().signIn('unknown', 'guess');
  expect(wrong.status).toBe(401);
  expect(wrong.headers['set-cookie']).toBeUndefined();
  expect({ ...wrong.json, requestId: '' }).toEqual({ ...unknown.json, requestId: '' });
  expect(wrong.json.code).toBe('wrong_password');
});

test('an unknown name takes as long as a password check', async () => {
  const rig = await startBroker({ users: constantSecret(usersFile()) });
  const began = performance.now();
  await rig.browser().signIn('unknown', 'guess');
  // One check with the standard parameters takes tens of milliseconds; no check takes one or two.
  expect(performance.now() - began).toBeGreaterThan(15);
});

test('a password matches in every Unicode composition', async () => {
  const rig = await startBroker({
    users: constantSecret(usersFile(userEntry('anna', 'gr\u00fcn und blau'))),
  });
  expect((await rig.browser().signIn('anna', 'gru\u0308n und blau')).status).toBe(200);
});

test('attempts for a name are limited per minute, with a Retry-After', async () => {
  const rig = await startBroker({ config: { limits: { signInsPerMinute: 3 } } });
  for (let i = 0; i < 3; i++) expect((await rig.browser().signIn('Anna', 'guess')).status).toBe(401);
  const refused = await rig.browser().signIn('anna');
  expect(refused.status).toBe(429);
  expect(refused.json.code).toBe('rate_limited');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await rig.browser().signIn('ben')).status).toBe(200);
});

test('attempts from an address are limited per minute, whatever the names', async () => {
  const rig = await startBroker({ config: { limits: { signInsPerAddressPerMinute: 2 } } });
  for (const name of ['anna', 'ben']) expect((await rig.browser().signIn(name)).status).toBe(200);
  expect((await rig.browser().signIn('carl')).status).toBe(429);
});

test('a user who is added to the file can sign in, and a removed one is signed out', async () => {
  let file = usersFile(aUser('anna'));
  const rig = await startBroker({ users: () => file });
  const anna = await rig.signedIn('anna');
  expect((await rig.browser().signIn('ben')).status).toBe(401);
  file = usersFile(aUser('ben'));
  expect((await rig.browser().signIn('ben')).status).toBe(200);
  expect((await anna.get('/api/v1/me')).json.code).toBe('not_signed_in');
});

test('a new password ends the sign-ins of the old one', async () => {
  let file = usersFile(aUser('anna'));
  const rig = await startBroker({ users: () => file });
  const anna = await rig.signedIn('anna');
  file = usersFile(userEntry('anna', 'another password'));
  expect((await anna.get('/api/v1/me')).status).toBe(401);
});

test('changed groups apply to the next request', async () => {
  const entry = aUser('anna', 'class-a');
  let file = usersFile(entry);
  const rig = await startBroker({ users: () => file });
  const anna = await rig.signedIn('anna');
  file = usersFile(entry.replace('class-a', 'class-b'));
  expect((await anna.get('/api/v1/me')).json.user.groups).toEqual(['class-b']);
});

test('if an edit makes the users file invalid, the previous users stay in effect and the error is logged', async () => {
  let file = usersFile(aUser('anna'));
  const rig = await startBroker({ users: () => file });
  for (const broken of [
    'users: [',
    'users:\n  - name: anna\n    password: plain text\n',
    '%',
    'nonsense: true',
  ]) {
    file = broken;
    expect((await rig.browser().signIn('anna')).status).toBe(200);
    expect(rig.log.at(-1)).toBeDefined();
  }
  const complaints = rig.log.filter((line) => line.includes('THE USERS FILE IS INVALID'));
  expect(complaints).toHaveLength(4);
  expect(complaints.join('')).not.toContain('plain text');
});

test('a users file that is invalid at the start is a configuration error', async () => {
  const broken = (text: string) => startBroker({ users: constantSecret(text) });
  await expect(broken('users: [')).rejects.toThrow(
    /signIn\.local\.usersFile: line \d+, column \d+: invalid YAML/,
  );
  await expect(broken('users:\n  - name: anna\n    password: secret!\n')).rejects.toThrow(/npm run user/);
  await expect(broken(usersFile(aUser('anna'), aUser('Anna')))).rejects.toThrow(/two users have this name/);
  await expect(broken('users:\n  - nam: anna\n')).rejects.toThrow(/signIn\.local\.usersFile: users\.0/);
});

test('an invalid request names the field', async () => {
  const rig = await startBroker();
  const answer = await rig.browser().post('/api/v1/login', { username: 'anna' });
  expect(answer.status).toBe(400);
  expect(answer.json.detail).toMatch(/^password: /);
  expect((await rig.browser().signIn('anna', 'x'.repeat(1025))).status).toBe(400);
});

test('the display name is returned to the pages, and rules match the user name', async () => {
  const file = usersFile(`${aUser('anna')}    displayName: Anna Meier\n`);
  const rig = await startBroker({ users: constantSecret(file) });
  const answer = await rig.browser().signIn('anna', password);
  expect(answer.json.user).toEqual({ id: 'local:anna', name: 'anna', displayName: 'Anna Meier', groups: [] });
});
