import { takeGrant } from '@porthole/shared/grant/grant';
import type { Clock } from '@porthole/shared/time/clock';
import { createFakeClock } from '../../fakes/clock.ts';
import { closeBrokers, type Rig } from '../rig.ts';
import { aSchool, control, path, taking } from './fixtures.ts';

afterEach(closeBrokers);

describe('a grant has the session policy', () => {
  const claimsOf = async (rig: Rig, clock: Clock, answer: { readonly json: { protocols: string[] } }) =>
    takeGrant(taking(rig, clock), answer.json.protocols[1]?.slice('porthole.grant.'.length) ?? '');
  const rule = (more: object) => ({
    who: { users: ['anna'] },
    which: { all: true as const },
    allow: ['control' as const],
    ...more,
  });

  test('with clipboard, update rate and limits of its rules', async () => {
    const clock = createFakeClock();
    const { rig } = await aSchool({
      clock,
      config: {
        access: [
          rule({
            clipboard: 'in',
            limits: {
              updatesPerSecond: 2,
              sessionSeconds: 100,
              maxSessionSeconds: 300,
              idleSeconds: 50,
              consolesPerUser: 2,
              consolesPerMachine: 1,
            },
          }),
        ],
      },
    });
    const claims = await claimsOf(rig, clock, await (await rig.signedIn('anna')).post(path(101), control));
    expect(claims).toMatchObject({ clipboard: 'in', updatesPerSecond: 2 });
    expect(claims.limits).toEqual({
      sessionSeconds: 100,
      idleSeconds: 50,
      parkSeconds: 900,
      perUser: 2,
      perMachine: 1,
      extendSeconds: 1800,
      maxSessionSeconds: 300,
    });
    expect(claims).not.toHaveProperty('observer');
  });

  test('with the parking time of its mode, and without one if the console is never parked', async () => {
    const clock = createFakeClock();
    const { rig } = await aSchool({
      clock,
      config: {
        access: [rule({ limits: { parkViewSeconds: 60, parkControlSeconds: 0 } })],
        limits: { parkControlSeconds: 120 },
      },
    });
    const anna = await rig.signedIn('anna');
    const view = await claimsOf(rig, clock, await anna.post(path(101), { mode: 'view' }));
    expect(view.limits.parkSeconds).toBe(60);
    const controlled = await claimsOf(rig, clock, await anna.post(path(101), control));
    expect(controlled.limits).not.toHaveProperty('parkSeconds');
  });

  test('with the recording of its rules', async () => {
    const clock = createFakeClock();
    const record = { keys: true, keepDays: 30 };
    const { rig } = await aSchool({ clock, config: { access: [rule({ name: 'exam', record })] } });
    const anna = await rig.signedIn('anna');
    expect(await claimsOf(rig, clock, await anna.post(path(101), control))).toMatchObject({
      recording: { mode: 'required', keys: true, clipboard: false, keepSeconds: 2_592_000, rule: 'exam' },
    });
  });

  test('only with consent, if its rules require that, and the audit has the consent', async () => {
    const { rig } = await aSchool({
      config: { access: [rule({ name: 'exam', record: { mode: 'try', consent: true } })] },
    });
    const anna = await rig.signedIn('anna');
    const refused = await anna.post(path(101), control);
    expect([refused.status, refused.json.code]).toEqual([403, 'consent_required']);
    const granted = await anna.post(path(101), { ...control, consent: true });
    expect([granted.status, granted.json.record]).toEqual([201, 'try']);
    expect(rig.audited).toContainEqual(
      expect.objectContaining({ event: 'grant', record: 'try', consent: true, rules: ['exam'] }),
    );
  });

  test('with the end of its rules', async () => {
    const clock = createFakeClock(Date.UTC(2026, 5, 1, 9, 50, 30));
    const when = { timeZone: 'UTC', hours: '08:00-10:00' };
    const { rig } = await aSchool({
      clock,
      config: { access: [rule({ when })], limits: { sessionSeconds: 3600, maxSessionSeconds: 7200 } },
    });
    const anna = await rig.signedIn('anna');
    const claims = await claimsOf(rig, clock, await anna.post(path(101), control));
    expect(claims.limits).toMatchObject({ sessionSeconds: 570 });
    expect(claims.limits).not.toHaveProperty('maxSessionSeconds');
    clock.advance(570_000);
    expect((await anna.post(path(101), control)).json.code).toBe('machine_not_found');
  });

  test('with observer for every view-only console of a user with the right watch', async () => {
    const clock = createFakeClock();
    const { rig } = await aSchool({ clock, config: { access: [rule({ allow: ['watch', 'control'] })] } });
    const anna = await rig.signedIn('anna');
    for (const wish of [{ mode: 'view', watch: true }, { mode: 'view' }])
      expect(await claimsOf(rig, clock, await anna.post(path(101), wish))).toMatchObject({ observer: true });
    expect(await claimsOf(rig, clock, await anna.post(path(101), control))).not.toHaveProperty('observer');
    expect(rig.audited).toContainEqual(
      expect.objectContaining({ event: 'grant', observer: true, rules: ['access.0'] }),
    );
  });

  test('with observer only for users with the right watch, in mode view', async () => {
    const { rig } = await aSchool({ config: { access: [rule({ allow: ['control'] })] } });
    const anna = await rig.signedIn('anna');
    const watch = await anna.post(path(101), { mode: 'view', watch: true });
    expect([watch.status, watch.json.code]).toEqual([403, 'not_allowed']);
    expect((await anna.post(path(101), { mode: 'control', watch: true })).status).toBe(400);
    expect(rig.audited).toContainEqual(
      expect.objectContaining({
        event: 'grant_denied',
        user: { id: 'local:anna', name: 'anna' },
        machine: { cluster: 'school', vmid: 101 },
        code: 'not_allowed',
      }),
    );
  });
});
