import { PortholeError } from '@porthole/shared/errors';
import { createProxmoxCredential } from '@porthole/shared/proxmox/credential';
import type { ProxmoxResponse } from '@porthole/shared/proxmox/http';
import { createTrustPolicyReader } from '@porthole/shared/proxmox/trust-policy';
import { createFakeClock } from '../../fakes/clock.ts';

const hour = 3_600_000;

/** An account at a Proxmox that records the passwords of sign-ins and responds as the test says. */
function anAccount(different: { readonly password?: () => string } = {}) {
  const clock = createFakeClock();
  const passwords: string[] = [];
  /** A new policy stands for a changed CA file. */
  const trust = { policy: createTrustPolicyReader({ insecureSkipVerify: false })() };
  let tickets = 0;
  const proxmox = {
    /** Issues tickets unless a test replaces it. */
    respond: (_password: string): ProxmoxResponse | Promise<ProxmoxResponse> => issueTicket(),
  };
  const issueTicket = (more: Record<string, unknown> = {}): ProxmoxResponse => ({
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
    trustPolicy: () => trust.policy,
    async requestTicket({ username, password }) {
      expect(username).toBe('porthole@pve');
      passwords.push(password ?? '');
      return proxmox.respond(password ?? '');
    },
  });
  const cookie = async () => (await credential.headers())['cookie'];
  return { clock, credential, passwords, proxmox, trust, issueTicket, cookie };
}

const refusal: ProxmoxResponse = { status: 401, reason: 'authentication failure', json: undefined };
const cookieOf = (ticket: number) => `PVEAuthCookie=PVE%3Aporthole%40pve%3A${ticket}`;

describe('an API token', () => {
  test('is read for each call', async () => {
    let secret = 'one';
    const credential = createProxmoxCredential(
      { kind: 'token', token: 'porthole@pve!relay', secret: () => secret },
      {
        clock: createFakeClock(),
        requestTicket: () => Promise.reject(new Error('It signed in.')),
        trustPolicy: createTrustPolicyReader({ insecureSkipVerify: false }),
      },
    );
    expect(await credential.headers()).toEqual({ authorization: 'PVEAPIToken=porthole@pve!relay=one' });
    secret = 'two';
    credential.invalidate(await credential.headers());
    expect(await credential.headers()).toEqual({ authorization: 'PVEAPIToken=porthole@pve!relay=two' });
  });
});

describe('an account with a password', () => {
  test('signs in at the first call and keeps its ticket', async () => {
    const { credential, passwords } = anAccount();
    expect(passwords).toEqual([]);
    expect(await credential.headers()).toEqual({ cookie: cookieOf(1), csrfpreventiontoken: 'csrf' });
    await credential.headers();
    expect(passwords).toEqual(['hunter2']);
  });

  test('signs in once for concurrent calls', async () => {
    const { credential, passwords } = anAccount();
    await Promise.all(Array.from({ length: 50 }, () => credential.headers()));
    expect(passwords).toHaveLength(1);
  });

  test('renews its ticket with itself after an hour', async () => {
    const { clock, cookie, passwords } = anAccount();
    await cookie();
    clock.advance(hour - 1);
    expect(await cookie()).toBe(cookieOf(1));
    clock.advance(1);
    expect(await cookie()).toBe(cookieOf(2));
    expect(passwords).toEqual(['hunter2', 'PVE:porthole@pve:1']);
  });

  test('signs in with the password if the ticket is too old to renew or Proxmox refuses it', async () => {
    const { clock, cookie, passwords, proxmox, issueTicket } = anAccount();
    await cookie();
    clock.advance(2 * hour);
    await cookie();
    expect(passwords).toEqual(['hunter2', 'hunter2']);
    clock.advance(hour);
    proxmox.respond = (password) => (password === 'hunter2' ? issueTicket() : refusal);
    expect(await cookie()).toBe(cookieOf(3));
    expect(passwords.slice(2)).toEqual(['PVE:porthole@pve:2', 'hunter2']);
  });

  test('uses a ticket that is still valid while Proxmox is unavailable', async () => {
    const { clock, cookie, proxmox } = anAccount();
    await cookie();
    proxmox.respond = () => Promise.reject(new PortholeError('proxmox_unreachable'));
    clock.advance(hour);
    expect(await cookie()).toBe(cookieOf(1));
    clock.advance(hour);
    await expect(cookie()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('signs in again after Proxmox refused its ticket', async () => {
    const { credential, cookie, passwords } = anAccount();
    await cookie();
    credential.invalidate(await credential.headers());
    expect(await cookie()).toBe(cookieOf(2));
    expect(passwords).toEqual(['hunter2', 'hunter2']);
  });

  test('keeps a new ticket if Proxmox refused the previous one', async () => {
    const { credential, cookie } = anAccount();
    const refused = await credential.headers();
    credential.invalidate(refused);
    await cookie();
    credential.invalidate(refused);
    expect(await cookie()).toBe(cookieOf(2));
  });

  test('does not use or renew a ticket after the trust policy changed', async () => {
    const { cookie, passwords, trust, proxmox } = anAccount();
    expect(await cookie()).toBe(cookieOf(1));
    trust.policy = { ...trust.policy };
    proxmox.respond = () => Promise.reject(new PortholeError('proxmox_tls'));
    await expect(cookie()).rejects.toMatchObject({ code: 'proxmox_tls' });
    expect(passwords).toEqual(['hunter2', 'hunter2']);
  });

  test('does not keep a ticket that was requested before the trust policy changed', async () => {
    const { cookie, passwords, trust, proxmox, issueTicket } = anAccount();
    const responding = Promise.withResolvers<ProxmoxResponse>();
    proxmox.respond = () => responding.promise;
    const first = cookie();
    trust.policy = { ...trust.policy };
    proxmox.respond = () => issueTicket();
    expect(await cookie()).toBe(cookieOf(1));
    responding.resolve(issueTicket());
    await first;
    expect(await cookie()).toBe(cookieOf(1));
    expect(passwords).toHaveLength(2);
  });

  test('with a wrong password fails with its name and without the password in the detail', async () => {
    const { cookie, proxmox } = anAccount();
    proxmox.respond = () => refusal;
    await expect(cookie()).rejects.toMatchObject({
      code: 'proxmox_credential',
      detail: 'sign-in of porthole@pve: authentication failure',
    });
  });

  test('signs in again after a failed sign-in', async () => {
    const { cookie, proxmox, issueTicket } = anAccount();
    proxmox.respond = () => refusal;
    await expect(cookie()).rejects.toThrow();
    proxmox.respond = () => issueTicket();
    expect(await cookie()).toBe(cookieOf(1));
  });

  test('that requires a second factor fails and suggests an API token', async () => {
    for (const NeedTFA of [1, true]) {
      const { cookie, proxmox, issueTicket } = anAccount();
      proxmox.respond = () => issueTicket({ NeedTFA });
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
    { status: 500, reason: 'Internal Server Error', json: { data: { ticket: 'PVE:porthole@pve:1' } } },
    { status: 200, reason: 'OK', json: { data: { ticket: 'PVE:x', CSRFPreventionToken: 'a\r\nb: c' } } },
  ])('treats the response %j as invalid', async (response) => {
    const { cookie, proxmox } = anAccount();
    proxmox.respond = () => response;
    await expect(cookie()).rejects.toMatchObject({ code: 'proxmox_invalid_response' });
  });

  test('reports an entry point whose own daemon is unavailable as unreachable', async () => {
    const { cookie, proxmox } = anAccount();
    proxmox.respond = () => ({ status: 595, reason: 'Connection refused', json: undefined });
    await expect(cookie()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('reads its password for each sign-in', async () => {
    let password = 'one';
    const { credential, cookie, passwords } = anAccount({
      password: () => password,
    });
    await cookie();
    password = 'two';
    credential.invalidate(await credential.headers());
    await cookie();
    expect(passwords).toEqual(['one', 'two']);
  });
});
