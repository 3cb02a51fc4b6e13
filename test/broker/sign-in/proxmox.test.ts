import { randomBytes } from 'node:crypto';
import { ConfigError } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createBroker } from '@porthole/broker/broker';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
} from '../../fakes/proxmox/fake-proxmox.ts';
import {
  aConfig,
  brokerToken,
  aUser,
  closeBrokers,
  everyoneControlsAll,
  usersFile,
  someGuests,
  startBroker,
  type Browser,
  type Rig,
} from '../rig.ts';

let fake: FakeProxmox;
let clock: FakeClock;
afterEach(async () => {
  await closeBrokers();
  await fake.close();
});

const accounts = {
  anna: { userid: 'anna@ad', password: 'pw of anna', acl: { '/vms/101': ['VM.Console', 'VM.Audit'] } },
  /** By a pool, and without VM.PowerMgmt. */
  ben: { userid: 'ben@ad', password: 'pw of ben', acl: { '/pool/class-a': ['VM.Console', 'VM.Audit'] } },
  /** All machines except one with NoAccess. */
  tina: {
    userid: 'tina@pve',
    password: 'pw of tina',
    acl: { '/': ['VM.Console', 'VM.Audit', 'VM.PowerMgmt'], '/vms/200': [] },
  },
  /** With a second factor. */
  carl: {
    userid: 'carl@ad',
    password: 'pw of carl',
    totp: '123456',
    recovery: ['aaaa-1', 'bbbb-2'],
    acl: { '/vms/101': ['VM.Console'] },
  },
  kim: { userid: 'kim@ad', password: 'pw of kim', webauthn: true },
  root: { userid: 'root@pam', password: 'pw of root' },
} as const;

const school = { cluster: 'school', realms: [{ name: 'ad', title: 'School account' }, { name: 'pve' }] };
type Settings = NonNullable<NonNullable<Parameters<typeof startBroker>[0]>['config']>;

async function start({
  signIn = school,
  settings = {},
  proxmox = {},
  store,
}: {
  signIn?: object;
  settings?: Settings;
  proxmox?: FakeProxmoxOptions;
  store?: ReturnType<typeof createMemoryStore>;
} = {}): Promise<Rig> {
  clock = createFakeClock(Date.UTC(2026, 10, 23, 12));
  fake = await createFakeProxmox({
    clock,
    unauthorizedDelayMs: 0,
    statusRefreshMs: 0,
    users: [
      { userid: 'porthole@pve', password: 'unused', acl: { '/vms': ['VM.Audit'], '/pool': ['Pool.Audit'] } },
      ...Object.values(accounts),
    ],
    tokens: [{ ...brokerToken, privsep: false }],
    guests: someGuests,
    ...proxmox,
  });
  return startBroker({
    clock,
    ...(store ? { store } : {}),
    proxmox: [{ name: 'school', fake }],
    config: { signIn: { proxmox: [signIn] } as never, access: undefined, ...settings },
  });
}

const path = '/api/v1/login/proxmox/school';

type Name = keyof typeof accounts;
function password(browser: Browser, who: Name, secret: string = accounts[who].password) {
  const [username, realm] = accounts[who].userid.split('@');
  return browser.post(path, { realm, username, password: secret });
}
const code = (browser: Browser, id: string, text: string, factor = 'totp') =>
  browser.post(`${path}/code`, { id, factor, code: text });

async function enters(rig: Rig, who: Name): Promise<Browser> {
  const browser = rig.browser();
  const answer = await password(browser, who);
  if (answer.status !== 200) throw new Error(answer.text);
  return browser;
}

async function machines(browser: Browser): Promise<Record<number, string[]>> {
  const { json } = await browser.get('/api/v1/consoles');
  return Object.fromEntries(
    (json.consoles as { vmid: number; allow: string[] }[]).map(({ vmid, allow }) => [vmid, allow]),
  );
}
const grant = (browser: Browser, vmid: number) =>
  browser.post(`/api/v1/consoles/school/${vmid}/grants`, { mode: 'control' });

describe('sign-in with a Proxmox account', () => {
  test('is listed with its realms', async () => {
    const rig = await start();
    expect((await rig.ask('/api/v1/login')).json.methods).toEqual([
      {
        kind: 'proxmox',
        url: path,
        realms: [
          { name: 'ad', title: 'School account' },
          { name: 'pve', title: 'pve' },
        ],
      },
    ]);
  });

  test('signs in the user that Proxmox returns, with an ID of its own prefix', async () => {
    const rig = await start();
    const answer = await password(rig.browser(), 'anna');
    expect(answer.json.user).toEqual({ id: 'proxmox:school:anna@ad', name: 'anna@ad', groups: [] });
    expect(rig.audited).toContainEqual(
      expect.objectContaining({ event: 'sign_in', method: 'proxmox', provider: 'school' }),
    );
    expect(await rig.registry.metrics()).toContain(
      'porthole_broker_sign_ins_total{method="proxmox",result="ok"} 1',
    );
  });

  test('uses names without the realm if `shortNames` is on', async () => {
    const rig = await start({ signIn: { ...school, shortNames: true } });
    expect((await password(rig.browser(), 'anna')).json.user.name).toBe('anna');
  });

  test.each([
    ['a wrong password', { username: 'anna', realm: 'ad', password: 'nope' }],
    ['an unknown name', { username: 'unknown', realm: 'ad', password: 'x' }],
    ['a realm that is not configured', { username: 'root', realm: 'pam', password: accounts.root.password }],
    ['a name that is too long for Proxmox', { username: 'a'.repeat(60), realm: 'pve', password: 'x' }],
  ])('rejects %s with the same error', async (_what, wish) => {
    const rig = await start();
    const answer = await rig.browser().post(path, wish);
    expect([answer.status, answer.json.code]).toEqual([401, 'wrong_password']);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('rejects root@pam unless `allowRoot` is on', async () => {
    const realms = [{ name: 'pam' }];
    const rig = await start({ signIn: { ...school, realms } });
    for (const username of ['root', 'ROOT'])
      expect(
        (await rig.browser().post(path, { realm: 'pam', username, password: accounts.root.password })).status,
      ).toBe(401);
    await closeBrokers();
    await fake.close();
    const other = await start({ signIn: { ...school, realms, allowRoot: true } });
    expect(Object.keys(await machines(await enters(other, 'root')))).toEqual(['101', '102', '110', '200']);
  });

  test('does not accept a ticket as a password', async () => {
    const rig = await start();
    await enters(rig, 'anna');
    const ticket = fake.issuedSecrets().find((text) => text.startsWith('PVE:anna'));
    expect(ticket).toBeDefined();
    expect((await password(rig.browser(), 'anna', ticket)).json.code).toBe('wrong_password');
  });

  test('locks out guesses for one name only', async () => {
    const rig = await start();
    const browser = rig.browser();
    for (let time = 0; time < 5; time += 1)
      expect((await password(browser, 'anna', 'x')).json.code).toBe('wrong_password');
    const answer = await password(browser, 'anna');
    expect([answer.status, answer.json.code]).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await password(browser, 'tina')).status).toBe(200);
  });

  test('rejects requests from other sites', async () => {
    const rig = await start();
    const answer = await rig.ask(path, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site' },
      body: { realm: 'ad', username: 'anna', password: accounts.anna.password },
    });
    expect([answer.status, answer.json.code]).toEqual([403, 'cross_site']);
  });

  test('reports an unreachable Proxmox, which does not count as a wrong password', async () => {
    const rig = await start();
    await fake.setNodeDown('pve1', true);
    const answer = await password(rig.browser(), 'anna');
    expect([answer.status, answer.json.code]).toEqual([504, 'proxmox_unreachable']);
  });

  test('needs a configured cluster', () => {
    const config = aConfig({ config: { signIn: { proxmox: [{ ...school, cluster: 'nowhere' }] } } });
    const make = () =>
      createBroker({
        config,
        store: createMemoryStore({ clock }),
        clock,
        random: randomBytes,
        log: createLog({ service: 'broker', level: 'silent' }),
        registry: createRegistry(),
        pagesDir: '/nowhere',
      });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow('signIn.proxmox.0.cluster: there is no cluster nowhere');
  });
});

describe('the second factor', () => {
  async function first(rig: Rig) {
    const browser = rig.browser();
    const answer = await password(browser, 'carl');
    return { browser, answer, id: answer.json.secondFactor.id as string };
  }

  test('is required after the password, and completes the sign-in', async () => {
    const rig = await start();
    const { browser, answer, id } = await first(rig);
    expect(answer.json).toEqual({
      secondFactor: { id: expect.any(String), factors: ['totp', 'recovery'] },
    });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect((await browser.get('/api/v1/me')).status).toBe(401);
    expect(await rig.registry.metrics()).not.toContain('method="proxmox",result="ok"');
    expect((await code(browser, id, ' 123456 ')).json.user.name).toBe('carl@ad');
    expect((await browser.get('/api/v1/me')).status).toBe(200);
    expect(await rig.registry.metrics()).toContain('{method="proxmox",result="ok"} 1');
  });

  test('accepts a recovery key once', async () => {
    const rig = await start();
    const { browser, id } = await first(rig);
    expect((await code(browser, id, 'aaaa-1', 'recovery')).status).toBe(200);
    const again = await first(rig);
    expect((await code(again.browser, again.id, 'aaaa-1', 'recovery')).json.code).toBe('wrong_code');
    expect((await code(again.browser, again.id, 'bbbb-2', 'recovery')).status).toBe(200);
  });

  test('can be tried again until the lockout', async () => {
    const rig = await start();
    const { browser, id } = await first(rig);
    for (let time = 0; time < 5; time += 1)
      expect((await code(browser, id, '000000')).json.code).toBe('wrong_code');
    expect((await code(browser, id, '123456')).json.code).toBe('rate_limited');
    // Fewer attempts than after which Proxmox locks the factor permanently.
    const asked = fake.calls.filter(({ path: to, status }) => to.endsWith('/ticket') && status === 401);
    expect(asked).toHaveLength(5);
  });

  test('is valid once and for five minutes, with the ID of the sign-in only', async () => {
    const rig = await start();
    const { browser, id } = await first(rig);
    expect((await code(browser, id, '123456')).status).toBe(200);
    expect((await code(browser, id, '123456')).json.code).toBe('sign_in_expired');
    const late = await first(rig);
    clock.advance(300_000);
    expect((await code(late.browser, late.id, '123456')).json.code).toBe('sign_in_expired');
    expect((await code(browser, 'x'.repeat(43), '123456')).json.code).toBe('sign_in_expired');
  });

  test('must be one that Proxmox offers', async () => {
    const rig = await start();
    const { browser, id } = await first(rig);
    expect((await code(browser, id, '123456', 'yubico')).json.code).toBe('sign_in_expired');
    expect((await code(browser, id, accounts.carl.password)).json.code).toBe('wrong_code');
  });

  test("is reported as unusable if it can't be typed", async () => {
    const rig = await start();
    expect((await password(rig.browser(), 'kim')).json.code).toBe('second_factor_unusable');
  });
});

describe('the rights of a Proxmox account', () => {
  test('are those of Proxmox without access rules', async () => {
    const rig = await start();
    expect(await machines(await enters(rig, 'anna'))).toEqual({ 101: ['view', 'control', 'terminal'] });
    expect(await machines(await enters(rig, 'ben'))).toEqual({ 101: ['view', 'control', 'terminal'] });
    const all = ['view', 'control', 'terminal', 'power'];
    expect(await machines(await enters(rig, 'tina'))).toEqual({ 101: all, 102: all, 110: all });
  });

  test('exclude machines with NoAccess, which stay invisible', async () => {
    const rig = await start();
    const tina = await enters(rig, 'tina');
    expect((await grant(tina, 102)).status).toBe(201);
    const answer = await grant(tina, 200);
    expect([answer.status, answer.json.code]).toEqual([404, 'machine_not_found']);
  });

  test('are limited by access rules', async () => {
    const rig = await start({
      settings: {
        access: [{ who: { users: ['tina@pve', 'anna@ad'] }, which: { vmids: [101, 102] }, allow: ['view'] }],
      },
    });
    expect(await machines(await enters(rig, 'tina'))).toEqual({ 101: ['view'], 102: ['view'] });
    expect(await machines(await enters(rig, 'anna'))).toEqual({ 101: ['view'] });
    expect(await machines(await enters(rig, 'ben'))).toEqual({});
    expect((await grant(await enters(rig, 'anna'), 101)).json.code).toBe('not_allowed');
  });

  test('limit access rules that allow more', async () => {
    const rig = await start({
      settings: {
        access: [
          {
            who: { everyone: true },
            which: { all: true },
            allow: ['control', 'power', 'watch', 'end', 'explain'],
          },
        ],
      },
    });
    const anna = await enters(rig, 'anna');
    expect(await machines(anna)).toEqual({ 101: ['view', 'control', 'watch', 'end', 'explain'] });
    expect((await anna.post('/api/v1/consoles/school/101/power', { action: 'start' })).json.code).toBe(
      'not_allowed',
    );
    expect((await grant(anna, 102)).json.code).toBe('machine_not_found');
  });

  test('do not apply to another cluster', async () => {
    const rig = await start();
    const other = await startBroker({
      clock,
      proxmox: [
        { name: 'school', fake },
        { name: 'other', fake },
      ],
      config: { signIn: { proxmox: [school] }, access: undefined },
    });
    const tina = await enters(other, 'tina');
    const { json } = await tina.get('/api/v1/consoles');
    expect(new Set((json.consoles as { cluster: string }[]).map(({ cluster }) => cluster))).toEqual(
      new Set(['school']),
    );
    expect((await tina.post('/api/v1/consoles/other/101/grants', { mode: 'view' })).status).toBe(404);
    expect(rig.port).not.toBe(other.port);
  });

  test('do not apply to a user of the same name with another sign-in method', async () => {
    const users = constantSecret(usersFile(aUser('anna@ad')));
    const rig = await start({
      settings: {
        signIn: { proxmox: [school], local: { usersFile: users } },
        access: everyoneControlsAll,
      },
    });
    expect(Object.keys(await machines(await rig.signedIn('anna@ad')))).toHaveLength(4);
    expect(Object.keys(await machines(await enters(rig, 'anna')))).toEqual(['101']);
  });

  test('follow Proxmox: at once for a grant, and within a minute in the list', async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    expect(Object.keys(await machines(anna))).toEqual(['101']);
    fake.setAcl('anna@ad', { '/vms/102': ['VM.Console'] });
    clock.advance(5000);
    expect(Object.keys(await machines(anna))).toEqual(['101']);
    expect((await grant(anna, 101)).status).toBe(404);
    expect((await grant(anna, 102)).status).toBe(201);
    expect(Object.keys(await machines(anna))).toEqual(['102']);
  });

  test('are requested once for repeated reads', async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    for (let time = 0; time < 10; time += 1) await machines(anna);
    expect(fake.calls.filter(({ path: to }) => to.endsWith('/access/permissions'))).toHaveLength(1);
  });

  test('stay cached for the list while Proxmox is unavailable, but not for grants', async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    await machines(anna);
    fake.failRequests(/access\/permissions/, { status: 500, message: 'broken' });
    clock.advance(61_000);
    expect(Object.keys(await machines(anna))).toEqual(['101']);
    expect((await grant(anna, 101)).status).toBe(502);
    clock.advance(600_000);
    expect((await anna.get('/api/v1/consoles')).status).toBe(502);
    fake.failRequests(/access\/permissions/, null);
    expect((await grant(anna, 101)).status).toBe(201);
  });
});

describe('the ticket of a Proxmox account', () => {
  test('is renewed as long as the user sends requests', async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    for (let minutes = 0; minutes < 300; minutes += 20) {
      clock.advance(20 * 60_000);
      expect((await anna.get('/api/v1/me')).status).toBe(200);
    }
  });

  test('expires after two hours without a request, which ends no console', async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    clock.advance(7_200_000);
    expect((await anna.get('/api/v1/me')).status).toBe(401);
    expect(rig.audited.map(({ event }) => event)).not.toContain('sign_out');
  });

  test('ends the sign-in of a disabled account within 15 minutes', async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    fake.setUserEnabled('anna@ad', false);
    clock.advance(15 * 60_000);
    expect((await anna.get('/api/v1/me')).status).toBe(401);
    expect(rig.audited).toContainEqual(expect.objectContaining({ event: 'sign_out', reason: 'provider' }));
    fake.setUserEnabled('anna@ad', true);
    expect((await anna.get('/api/v1/me')).status).toBe(401);
  });

  test('ends the sign-in at the next grant if Proxmox rejects it', async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    fake.rotateKey();
    expect((await grant(anna, 101)).json.code).toBe('not_signed_in');
    expect(rig.audited).toContainEqual(expect.objectContaining({ event: 'sign_out', reason: 'provider' }));
  });

  test("stays valid while Proxmox can't renew it", async () => {
    const rig = await start();
    const anna = await enters(rig, 'anna');
    await anna.get('/api/v1/me');
    fake.failRequests(/access\/ticket/, { status: 500, message: 'broken' });
    for (const minutes of [16, 30]) {
      clock.advance(minutes * 60_000);
      expect((await anna.get('/api/v1/me')).status).toBe(200);
    }
  });

  test('appears in no response, log, or audit event, and only encrypted in the store', async () => {
    const store = createMemoryStore({ clock: createFakeClock() });
    const written: string[] = [];
    const rig = await start({
      store: {
        ...store,
        records: {
          ...store.records,
          put: (key, value, ttl) => {
            written.push(key, value);
            return store.records.put(key, value, ttl);
          },
        },
      },
    });
    const browser = rig.browser();
    const answers = [await password(browser, 'carl')];
    answers.push(await code(browser, answers[0]?.json.secondFactor.id, '123456'));
    answers.push(
      await browser.get('/api/v1/me'),
      await browser.get('/api/v1/me/logins'),
      await grant(browser, 101),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 201]);
    const seen = [
      ...answers.map(({ text, headers }) => text + JSON.stringify(headers)),
      ...rig.log,
      ...written,
      JSON.stringify(rig.audited),
    ].join('\n');
    const tickets = fake.issuedSecrets().filter((text) => text.startsWith('PVE:'));
    expect(tickets.length).toBeGreaterThanOrEqual(2);
    for (const secret of [...tickets, ...tickets.map(encodeURIComponent), accounts.carl.password, '123456'])
      expect(seen).not.toContain(secret);
    expect(written.length).toBeGreaterThan(0);
  });
});
