import type { Rig } from '../../rig.ts';
import { accounts, closeSchool, code, password, start } from './school.ts';

afterEach(closeSchool);

describe('the second factor', () => {
  async function first(rig: Rig) {
    const browser = rig.browser();
    const answer = await password(browser, 'carl');
    return { browser, answer, id: answer.json.secondFactor.id as string };
  }

  test('is required after the password, and completes the sign-in', async () => {
    const { rig } = await start();
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
    const { rig } = await start();
    const { browser, id } = await first(rig);
    expect((await code(browser, id, 'aaaa-1', 'recovery')).status).toBe(200);
    const again = await first(rig);
    expect((await code(again.browser, again.id, 'aaaa-1', 'recovery')).json.code).toBe('wrong_code');
    expect((await code(again.browser, again.id, 'bbbb-2', 'recovery')).status).toBe(200);
  });

  test('can be tried again until the lockout', async () => {
    const { rig, fake } = await start();
    const { browser, id } = await first(rig);
    for (let time = 0; time < 5; time += 1)
      expect((await code(browser, id, '000000')).json.code).toBe('wrong_code');
    expect((await code(browser, id, '123456')).json.code).toBe('rate_limited');
    // Fewer attempts than after which Proxmox locks the factor permanently.
    const asked = fake.calls.filter(({ path: to, status }) => to.endsWith('/ticket') && status === 401);
    expect(asked).toHaveLength(5);
  });

  test('is valid once and for five minutes, with the ID of the sign-in only', async () => {
    const { rig, clock } = await start();
    const { browser, id } = await first(rig);
    expect((await code(browser, id, '123456')).status).toBe(200);
    expect((await code(browser, id, '123456')).json.code).toBe('sign_in_expired');
    const late = await first(rig);
    clock.advance(300_000);
    expect((await code(late.browser, late.id, '123456')).json.code).toBe('sign_in_expired');
    expect((await code(browser, 'x'.repeat(43), '123456')).json.code).toBe('sign_in_expired');
  });

  test('must be one that Proxmox offers', async () => {
    const { rig } = await start();
    const { browser, id } = await first(rig);
    expect((await code(browser, id, '123456', 'yubico')).json.code).toBe('sign_in_expired');
    expect((await code(browser, id, accounts.carl.password)).json.code).toBe('wrong_code');
  });

  test("is reported as unusable if it can't be typed", async () => {
    const { rig } = await start();
    expect((await password(rig.browser(), 'kim')).json.code).toBe('second_factor_unusable');
  });
});
