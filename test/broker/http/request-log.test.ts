import { aCluster, closeBrokers, password, startBroker } from '../rig.ts';
import { login } from './problem.ts';

afterEach(closeBrokers);

test('the log contains no cookie, password, token, or query string', async () => {
  const fake = await aCluster();
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const anna = rig.browser();
  await anna.signIn('anna', 'a wrong guess');
  // A password in the name field, and a malformed body that the parser would quote.
  await anna.signIn('my-password-as-a-name', password);
  await anna.post('/api/v1/login', undefined, { 'content-type': 'application/json' });
  await rig.ask('/api/v1/login', { ...login, raw: `{"password":"${password}"` });
  await rig.ask('/api/v1/login', { ...login, raw: password });
  await anna.signIn('anna');
  const cookie = anna.cookie?.split('=')[1] ?? '';
  await anna.get('/api/v1/consoles?private=query');
  await anna.get('/console/school/101?mode=view');
  const grant = await anna.post('/api/v1/consoles/school/101/grants?secret=1', { mode: 'control' });
  fake.failRequests(/resources/, { body: 'nonsense' });
  await anna.post('/api/v1/consoles/school/101/grants', { mode: 'nonsense' });
  await anna.post('/api/v1/logout');
  const log = rig.log.join('') + JSON.stringify(rig.audited);
  const secrets = [
    cookie,
    password,
    'correct horse',
    'a wrong guess',
    'my-password-as-a-name',
    grant.json.protocols[1],
    grant.json.protocols[1].slice('porthole.grant.'.length),
    'private=',
    'secret=',
    'mode=view',
    'scrypt$',
    ...fake.issuedSecrets(),
  ];
  expect(log).toContain('"event":"sign_in"');
  expect(log).toContain('"event":"grant"');
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
});

test('each request logs one line with method, path, status, duration, and user', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  rig.log.length = 0;
  await anna.get('/api/v1/me?q=1');
  expect(rig.log.map((line) => JSON.parse(line))).toMatchObject([
    {
      msg: 'request',
      method: 'GET',
      path: '/api/v1/me',
      status: 200,
      user: 'local:anna',
      ms: expect.any(Number),
    },
  ]);
});
