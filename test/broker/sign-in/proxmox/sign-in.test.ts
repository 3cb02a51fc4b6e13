import { randomBytes } from 'node:crypto';
import { ConfigError } from '@porthole/shared/config/read';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createBroker } from '@porthole/broker/broker';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createFakeClock } from '../../../fakes/clock.ts';
import { aConfig } from '../../rig.ts';
import { accounts, closeSchool, machines, password, path, school, signedIn, start } from './school.ts';

afterEach(closeSchool);

describe('sign-in with a Proxmox account', () => {
  test('is listed with its realms', async () => {
    const { rig } = await start();
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
    const { rig } = await start();
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
    const { rig } = await start({ signIn: { ...school, shortNames: true } });
    expect((await password(rig.browser(), 'anna')).json.user.name).toBe('anna');
  });

  test.each([
    ['a wrong password', { username: 'anna', realm: 'ad', password: 'nope' }],
    ['an unknown name', { username: 'unknown', realm: 'ad', password: 'x' }],
    ['a realm that is not configured', { username: 'root', realm: 'pam', password: accounts.root.password }],
    ['a name that is too long for Proxmox', { username: 'a'.repeat(60), realm: 'pve', password: 'x' }],
  ])('rejects %s with the same error', async (_what, wish) => {
    const { rig } = await start();
    const answer = await rig.browser().post(path, wish);
    expect([answer.status, answer.json.code]).toEqual([401, 'wrong_password']);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('rejects root@pam unless `allowRoot` is on', async () => {
    const realms = [{ name: 'pam' }];
    const { rig } = await start({ signIn: { ...school, realms } });
    for (const username of ['root', 'ROOT'])
      expect(
        (await rig.browser().post(path, { realm: 'pam', username, password: accounts.root.password })).status,
      ).toBe(401);
    await closeSchool();
    const { rig: other } = await start({ signIn: { ...school, realms, allowRoot: true } });
    expect(Object.keys(await machines(await signedIn(other, 'root')))).toEqual(['101', '102', '110', '200']);
  });

  test('does not accept a ticket as a password', async () => {
    const { rig, fake } = await start();
    await signedIn(rig, 'anna');
    const ticket = fake.issuedSecrets().find((text) => text.startsWith('PVE:anna'));
    expect(ticket).toBeDefined();
    expect((await password(rig.browser(), 'anna', ticket)).json.code).toBe('wrong_password');
  });

  test('locks out guesses for one name only', async () => {
    const { rig } = await start();
    const browser = rig.browser();
    for (let time = 0; time < 5; time += 1)
      expect((await password(browser, 'anna', 'x')).json.code).toBe('wrong_password');
    const answer = await password(browser, 'anna');
    expect([answer.status, answer.json.code]).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await password(browser, 'tina')).status).toBe(200);
  });

  test('rejects requests from other sites', async () => {
    const { rig } = await start();
    const answer = await rig.ask(path, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site' },
      body: { realm: 'ad', username: 'anna', password: accounts.anna.password },
    });
    expect([answer.status, answer.json.code]).toEqual([403, 'cross_site']);
  });

  test('reports an unreachable Proxmox, which does not count as a wrong password', async () => {
    const { rig, fake } = await start();
    await fake.setNodeDown('pve1', true);
    const answer = await password(rig.browser(), 'anna');
    expect([answer.status, answer.json.code]).toEqual([504, 'proxmox_unreachable']);
  });

  test('needs a configured cluster', () => {
    const config = aConfig({ config: { signIn: { proxmox: [{ ...school, cluster: 'nowhere' }] } } });
    const make = () =>
      createBroker({
        config,
        store: createMemoryStore({ clock: createFakeClock() }),
        clock: createFakeClock(),
        random: randomBytes,
        log: createLog({ service: 'broker', level: 'silent' }),
        registry: createRegistry(),
        pagesDir: '/nowhere',
      });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow('signIn.proxmox.0.cluster: there is no cluster nowhere');
  });
});
