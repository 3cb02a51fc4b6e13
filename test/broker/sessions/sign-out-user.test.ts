import { constantSecret } from '@porthole/shared/config/secret';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import { grantKeysOf } from '@porthole/shared/config/read';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { systemRandom } from '@porthole/shared/crypto/random';
import { aCluster, aUser, closeBrokers, grantKey, startBroker, usersFile, type Rig } from '../rig.ts';

afterEach(closeBrokers);

const keys = grantKeysOf(constantSecret(grantKey));

async function start(): Promise<Rig> {
  return startBroker({
    proxmox: [{ name: 'school', fake: await aCluster() }],
    users: constantSecret(usersFile(aUser('anna'), aUser('ben'), aUser('ada'), aUser('ina'), aUser('eve'))),
    config: {
      access: [
        { who: { users: ['anna', 'ben'] }, which: { tags: ['lab'] }, allow: ['control'] },
        { who: { users: ['ada'] }, which: { all: true }, allow: ['end'] },
        // All machines of the only cluster. This is less than `all`.
        { who: { users: ['ina'] }, which: { clusters: ['school'] }, allow: ['watch', 'end'] },
        { who: { users: ['eve'] }, which: { all: true }, allow: ['control', 'watch', 'power'] },
      ],
    },
  });
}

describe('DELETE /api/v1/logins', () => {
  test('ends all sign-ins, consoles, and grants of a user', async () => {
    const rig = await start();
    const signals: ConsoleSignal[] = [];
    const bus = createConsoleSignals({
      bus: rig.store.signals,
      keys,
      random: systemRandom,
      clock: rig.clock,
    });
    bus.subscribe((signal) => signals.push(signal));
    const here = await rig.signedIn('anna');
    const there = await rig.signedIn('anna');
    const other = await rig.signedIn('ben');
    expect((await here.post('/api/v1/consoles/school/101/grants', { mode: 'control' })).status).toBe(201);
    const granted = rig.clock.now();

    const ada = await rig.signedIn('ada');
    const answer = await ada.delete('/api/v1/logins?user=local%3Aanna');
    expect(answer).toMatchObject({ status: 200, json: { signIns: 2, consoles: 0 } });

    for (const browser of [here, there]) expect((await browser.get('/api/v1/me')).status).toBe(401);
    expect((await other.get('/api/v1/me')).status).toBe(200);
    expect((await ada.get('/api/v1/me')).status).toBe(200);
    expect(signals).toContainEqual(
      expect.objectContaining({
        type: 'terminate',
        target: { kind: 'user', ref: 'local:anna' },
        cause: 'signed_out',
      }),
    );
    // A console that a program opened on behalf of the user, without a sign-in at Porthole.
    const ends = createTerminationOrders({
      records: rig.store.records,
      signals: bus,
      keys,
      random: systemRandom,
      clock: rig.clock,
    });
    const console = { sessionId: 's', loginRef: 'portal', cluster: 'school', vmid: 101, issuedAt: granted };
    const user = { id: 'local:anna', name: 'anna', groups: [] };
    expect(await ends.findFor({ ...console, user })).toMatchObject({ cause: 'signed_out' });
    expect(await ends.findFor({ ...console, user: { ...user, id: 'local:ben' } })).toBeUndefined();

    expect(rig.audited.filter(({ event }) => event === 'sign_out')).toMatchObject([
      { user: { name: 'anna' }, reason: 'operator', by: { name: 'ada' } },
      { user: { name: 'anna' }, reason: 'operator', by: { name: 'ada' } },
    ]);
    expect(rig.audited.at(-1)).toMatchObject({
      event: 'termination_ordered',
      by: { name: 'ada' },
      target: { kind: 'user', ref: 'local:anna' },
    });
  });

  test.each([
    ['ina', 'may end consoles of one cluster only'],
    ['eve', 'has all rights except `end`'],
    ['ben', 'is a student'],
  ])('is denied to %s, who %s', async (name) => {
    const rig = await start();
    const anna = await rig.signedIn('anna');
    const answer = await (await rig.signedIn(name)).delete('/api/v1/logins?user=local%3Aanna');
    expect(answer).toMatchObject({ status: 403, json: { code: 'not_allowed' } });
    expect((await anna.get('/api/v1/me')).status).toBe(200);
  });

  test.each(['', '?user=', '?name=anna', '?user=local%3Aanna&all=1', `?user=${'x'.repeat(257)}`])(
    'is a bad request as %j',
    async (query) => {
      const rig = await start();
      const answer = await (await rig.signedIn('ada')).delete(`/api/v1/logins${query}`);
      expect(answer).toMatchObject({ status: 400, json: { code: 'bad_request' } });
    },
  );

  test('ends nothing for an unknown user, and reports zero', async () => {
    const rig = await start();
    const answer = await (await rig.signedIn('ada')).delete('/api/v1/logins?user=local%3Aunknown');
    expect(answer).toMatchObject({ status: 200, json: { signIns: 0, consoles: 0 } });
  });

  test("is allowed from Porthole's own pages only", async () => {
    const rig = await start();
    const answer = await (
      await rig.signedIn('ada')
    ).delete('/api/v1/logins?user=local%3Aanna', {
      'sec-fetch-site': 'cross-site',
      origin: 'https://evil.test',
    });
    expect(answer).toMatchObject({ status: 403, json: { code: 'cross_site' } });
  });
});
