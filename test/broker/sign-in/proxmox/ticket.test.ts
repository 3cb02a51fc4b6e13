import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock } from '../../../fakes/clock.ts';
import { accounts, closeSchool, code, grant, password, signedIn, start } from './school.ts';

afterEach(closeSchool);

describe('the ticket of a Proxmox account', () => {
  test('is renewed as long as the user sends requests', async () => {
    const { rig, clock } = await start();
    const anna = await signedIn(rig, 'anna');
    for (let minutes = 0; minutes < 300; minutes += 20) {
      clock.advance(20 * 60_000);
      expect((await anna.get('/api/v1/me')).status).toBe(200);
    }
  });

  test('expires after two hours without a request, which ends no console', async () => {
    const { rig, clock } = await start();
    const anna = await signedIn(rig, 'anna');
    clock.advance(7_200_000);
    expect((await anna.get('/api/v1/me')).status).toBe(401);
    expect(rig.audited.map(({ event }) => event)).not.toContain('sign_out');
  });

  test('ends the sign-in of a disabled account within 15 minutes', async () => {
    const { rig, fake, clock } = await start();
    const anna = await signedIn(rig, 'anna');
    fake.setUserEnabled('anna@ad', false);
    clock.advance(15 * 60_000);
    expect((await anna.get('/api/v1/me')).status).toBe(401);
    expect(rig.audited).toContainEqual(expect.objectContaining({ event: 'sign_out', reason: 'provider' }));
    fake.setUserEnabled('anna@ad', true);
    expect((await anna.get('/api/v1/me')).status).toBe(401);
  });

  test('ends the sign-in at the next grant if Proxmox rejects it', async () => {
    const { rig, fake } = await start();
    const anna = await signedIn(rig, 'anna');
    fake.rotateKey();
    expect((await grant(anna, 101)).json.code).toBe('not_signed_in');
    expect(rig.audited).toContainEqual(expect.objectContaining({ event: 'sign_out', reason: 'provider' }));
  });

  test("stays valid while Proxmox can't renew it", async () => {
    const { rig, fake, clock } = await start();
    const anna = await signedIn(rig, 'anna');
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
    const { rig, fake } = await start({
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
