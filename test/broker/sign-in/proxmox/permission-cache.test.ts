import {
  createPermissionCache,
  type PermissionCache,
} from '@porthole/broker/sign-in/proxmox/permission-cache';
import { PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';

const anna = { userid: 'anna@ad', ticket: 'PVE:anna:1' };
const console101 = { '/vms/101': { 'VM.Console': 1 } };

describe('cached permissions', () => {
  let clock: FakeClock;
  let cache: PermissionCache;
  /** The ticket of every request, in order. */
  let asked: string[];
  let answers: (ticket: string) => Promise<object>;

  beforeEach(() => {
    clock = createFakeClock();
    asked = [];
    answers = async () => console101;
    const get = async ({ credentialHeaders }: { credentialHeaders?: { cookie?: string } }) => {
      const ticket = decodeURIComponent(credentialHeaders?.cookie ?? '').replace('PVEAuthCookie=', '');
      asked.push(ticket);
      return { data: await answers(ticket) };
    };
    cache = createPermissionCache({ client: { get: get as unknown as ProxmoxClient['get'] }, clock });
  });

  test('belong to an account and its ticket: neither another ticket nor another account gets them', async () => {
    answers = async (ticket) => (ticket === anna.ticket ? console101 : {});
    expect((await cache.get(anna, false))(101).has('control')).toBe(true);
    const renewed = { ...anna, ticket: 'PVE:anna:2' };
    expect((await cache.get(renewed, false))(101).has('control')).toBe(false);
    expect((await cache.get({ ...anna, userid: 'ben@ad' }, false))(101).has('control')).toBe(true);
    await cache.get(anna, false);
    expect(asked).toEqual([anna.ticket, renewed.ticket, anna.ticket]);
  });

  test('are those of at most ten thousand tickets', async () => {
    const ticketOf = (index: number) => ({ userid: 'anna@ad', ticket: `PVE:anna:${index}` });
    for (let index = 0; index <= 10_000; index += 1) await cache.get(ticketOf(index), false);
    await cache.get(ticketOf(10_000), false);
    await cache.get(ticketOf(1), false);
    expect(asked).toHaveLength(10_001);
    await cache.get(ticketOf(0), false);
    expect(asked).toHaveLength(10_002);
  });

  test('that Proxmox rejected the ticket for are not cached', async () => {
    answers = () => Promise.reject(new PortholeError('proxmox_credential'));
    for (let time = 1; time <= 2; time += 1) {
      await expect(cache.get(anna, false)).rejects.toMatchObject({ code: 'not_signed_in' });
      expect(asked).toHaveLength(time);
    }
    answers = async () => console101;
    expect((await cache.get(anna, false))(101).has('control')).toBe(true);
  });

  test('of a request that has run for long do not count as fresh, nor replace newer ones', async () => {
    const slow = Promise.withResolvers<object>();
    answers = () => slow.promise;
    const reading = cache.get(anna, false);
    clock.advance(5000);
    answers = async () => ({});
    expect((await cache.get(anna, true))(101).has('control')).toBe(false);
    slow.resolve(console101);
    await reading;
    expect((await cache.get(anna, false))(101).has('control')).toBe(false);
    expect(asked).toHaveLength(2);
  });

  test('are requested once for simultaneous requests', async () => {
    await Promise.all([cache.get(anna, false), cache.get(anna, true), cache.get(anna, false)]);
    expect(asked).toHaveLength(1);
  });
});
