import { PortholeError } from '@porthole/shared/errors';
import { createProxmoxCredential } from '@porthole/shared/proxmox/credential';
import type { ProxmoxResponse } from '@porthole/shared/proxmox/http';
import { createFakeClock } from '../../fakes/clock.ts';

const hour = 3_600_000;

/** An account, and a Proxmox that writes down with what somebody signed in and answers as told. */
function anAccount(different: { readonly password?: () => string } = {}) {
  const clock = createFakeClock();
  const tried: string[] = [];
  let tickets = 0;
  const proxmox = {
    /** What Proxmox answers; it gives tickets unless told otherwise. */
    answer: (_password: string): ProxmoxResponse | Promise<ProxmoxResponse> => ticketAnswer(),
  };
  const ticketAnswer = (more: Record<string, unknown> = {}): ProxmoxResponse => ({
    status: 200,
    reason: 'OK',
    json: { data: { ticket: `PVE:porthole@pve:${++tickets}`, CSRFPreventionToken: 'csrf', ...more } },
  });
  const config = {
    kind: 'password',
    username: 'porthole@pve',
    password: () => 'hunter2',
    ...different,
  } as const;
  const credential = createProxmoxCredential(config, {
    clock,
    async requestTicket({ username, password }) {
      expect(username).toBe('porthole@pve');
      tried.push(password ?? '');
      return proxmox.answer(password ?? '');
    },
  });
  const cookie = async () => (await credential.headers())['cookie'];
  return { clock, credential, tried, proxmox, ticketAnswer, cookie };
}

const refusal: ProxmoxResponse = { status: 401, reason: 'authentication failure', json: undefined };
const cookieOf = (ticket: number) => `PVEAuthCookie=PVE%3Aporthole%40pve%3A${ticket}`;

describe('an API token', () => {
  test('is sent as it is, and read anew each time', async () => {
    let secret = 'one';
    const credential = createProxmoxCredential(
      { kind: 'token', token: 'porthole@pve!relay', secret: () => secret },
      { clock: createFakeClock(), requestTicket: () => Promise.reject(new Error('It signed in.')) },
    );
    expect(await credential.headers()).toEqual({ authorization: 'PVEAPIToken=porthole@pve!relay=one' });
    secret = 'two';
    credential.invalidate(await credential.headers());
    expect(await credential.headers()).toEqual({ authorization: 'PVEAPIToken=porthole@pve!relay=two' });
  });
});

describe('an account with a password', () => {
  test('signs in at first use, and keeps its ticket', async () => {
    const { credential, tried } = anAccount();
    expect(tried).toEqual([]);
    expect(await credential.headers()).toEqual({ cookie: cookieOf(1), csrfpreventiontoken: 'csrf' });
    await credential.headers();
    expect(tried).toEqual(['hunter2']);
  });

  test('signs in once for all who ask at the same time', async () => {
    const { credential, tried } = anAccount();
    await Promise.all(Array.from({ length: 50 }, () => credential.headers()));
    expect(tried).toHaveLength(1);
  });

  test('renews its ticket with itself after an hour', async () => {
    const { clock, cookie, tried } = anAccount();
    await cookie();
    clock.advance(hour - 1);
    expect(await cookie()).toBe(cookieOf(1));
    clock.advance(1);
    expect(await cookie()).toBe(cookieOf(2));
    expect(tried).toEqual(['hunter2', 'PVE:porthole@pve:1']);
  });

  test('takes the password when its ticket is too old to renew, or is refused', async () => {
    const { clock, cookie, tried, proxmox, ticketAnswer } = anAccount();
    await cookie();
    clock.advance(2 * hour);
    await cookie();
    expect(tried).toEqual(['hunter2', 'hunter2']);
    clock.advance(hour);
    proxmox.answer = (password) => (password === 'hunter2' ? ticketAnswer() : refusal);
    expect(await cookie()).toBe(cookieOf(3));
    expect(tried.slice(2)).toEqual(['PVE:porthole@pve:2', 'hunter2']);
  });

  test('goes on with a ticket that is still good while Proxmox is away', async () => {
    const { clock, cookie, proxmox } = anAccount();
    await cookie();
    proxmox.answer = () => Promise.reject(new PortholeError('proxmox_unreachable'));
    clock.advance(hour);
    expect(await cookie()).toBe(cookieOf(1));
    clock.advance(hour);
    await expect(cookie()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('signs in anew after its ticket was refused', async () => {
    const { credential, cookie, tried } = anAccount();
    await cookie();
    credential.invalidate(await credential.headers());
    expect(await cookie()).toBe(cookieOf(2));
    expect(tried).toEqual(['hunter2', 'hunter2']);
  });

  test('keeps a fresh ticket when the refusal was of the one before', async () => {
    const { credential, cookie } = anAccount();
    const refused = await credential.headers();
    credential.invalidate(refused);
    await cookie();
    credential.invalidate(refused);
    expect(await cookie()).toBe(cookieOf(2));
  });

  test('with a wrong password says whose sign-in failed, and not with what', async () => {
    const { cookie, proxmox } = anAccount();
    proxmox.answer = () => refusal;
    await expect(cookie()).rejects.toMatchObject({
      code: 'proxmox_credential',
      detail: 'sign-in of porthole@pve: authentication failure',
    });
  });

  test('tries again after it failed', async () => {
    const { cookie, proxmox, ticketAnswer } = anAccount();
    proxmox.answer = () => refusal;
    await expect(cookie()).rejects.toThrow();
    proxmox.answer = () => ticketAnswer();
    expect(await cookie()).toBe(cookieOf(1));
  });

  test('that needs a second factor says what to use instead', async () => {
    for (const NeedTFA of [1, true]) {
      const { cookie, proxmox, ticketAnswer } = anAccount();
      proxmox.answer = () => ticketAnswer({ NeedTFA });
      await expect(cookie()).rejects.toMatchObject({
        code: 'proxmox_credential',
        detail: expect.stringContaining('use an API token'),
      });
    }
  });

  test.each([
    { status: 200, reason: 'OK', json: undefined },
    { status: 200, reason: 'OK', json: { data: null } },
    { status: 200, reason: 'OK', json: { data: { ticket: '' } } },
    { status: 500, reason: 'Internal Server Error', json: undefined },
  ])('takes %j for nonsense', async (answer) => {
    const { cookie, proxmox } = anAccount();
    proxmox.answer = () => answer;
    await expect(cookie()).rejects.toMatchObject({ code: 'proxmox_invalid_response' });
  });

  test('reads its password anew, in case its file changed', async () => {
    let password = 'one';
    const { credential, cookie, tried } = anAccount({
      password: () => password,
    });
    await cookie();
    password = 'two';
    credential.invalidate(await credential.headers());
    await cookie();
    expect(tried).toEqual(['one', 'two']);
  });
});
