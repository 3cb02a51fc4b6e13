import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '../../free-port.ts';
import { startNginx, type Nginx } from '../../fakes/nginx/start.ts';
import { describeWith } from '../../needs.ts';
import { aCluster, closeBrokers, startBroker, type Rig } from '../rig.ts';

afterEach(closeBrokers);

const start = (header: object = {}, config: object = {}) =>
  startBroker({ config: { signIn: { header: { from: ['127.0.0.1'], ...header } }, ...config } });
const me = (rig: Rig, headers: Readonly<Record<string, string>>) => rig.ask('/api/v1/me', { headers });

describe('identity headers of an authenticating proxy', () => {
  it('identify the user and the groups of a request from the proxy', async () => {
    const rig = await start();
    const answer = await me(rig, {
      'x-forwarded-user': 'anna',
      'x-forwarded-preferred-username': 'Anna Berg',
      'x-forwarded-groups': 'class-a, teachers',
    });
    expect(answer.json.user).toEqual({
      id: 'header:anna',
      name: 'anna',
      displayName: 'Anna Berg',
      groups: ['class-a', 'teachers'],
    });
  });

  it.each([['10.0.0.0/8'], ['127.0.0.2'], ['::1'], ['2001:db8::/32']])(
    'are rejected and logged if the request does not come from %s',
    async (from) => {
      const rig = await start({ from: [from] });
      const answer = await me(rig, { 'x-forwarded-user': 'anna' });
      expect([answer.status, answer.json.code]).toEqual([403, 'identity_header_untrusted']);
      expect(rig.log.join('')).toContain('header_spoofed');
    },
  );

  it('are rejected even if X-Forwarded-For names the proxy', async () => {
    const rig = await start({ from: ['10.0.0.1'] }, { trustedProxies: 1 });
    const answer = await me(rig, { 'x-forwarded-user': 'anna', 'x-forwarded-for': '10.0.0.1' });
    expect(answer.json.code).toBe('identity_header_untrusted');
  });

  it('can be absent, so that other sign-in methods apply', async () => {
    const rig = await start();
    expect((await me(rig, {})).json.code).toBe('not_signed_in');
    expect((await me(rig, { 'x-forwarded-user': ' ' })).json.code).toBe('not_signed_in');
  });

  it('are not cached: every request needs its own', async () => {
    const rig = await start({ from: ['127.0.0.1'] });
    const headers = { 'x-forwarded-user': 'anna', 'x-forwarded-groups': 'class-a' };
    expect((await me(rig, headers)).json.user.groups).toEqual(['class-a']);
    expect((await me(rig, { 'x-forwarded-user': 'anna' })).json.user.groups).toEqual([]);
    expect((await me(rig, {})).json.code).toBe('not_signed_in');
    const spoofed = await start({ from: ['10.0.0.1'] });
    expect((await me(spoofed, headers)).json.code).toBe('identity_header_untrusted');
    expect((await me(spoofed, {})).json.code).toBe('not_signed_in');
  });

  it('can name users of at most 256 characters', async () => {
    const rig = await start();
    expect((await me(rig, { 'x-forwarded-user': 'a'.repeat(257) })).status).toBe(403);
  });

  it("leave the sign-out to the proxy's page", async () => {
    const rig = await start({ signOutUrl: '/oauth2/sign_out' });
    const answer = await rig.ask('/api/v1/logout', {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin', 'x-forwarded-user': 'anna' },
    });
    expect(answer.json).toEqual({ url: '/oauth2/sign_out' });
  });

  it("open consoles only for requests from Porthole's own pages", async () => {
    const rig = await startBroker({
      proxmox: [{ name: 'proxmox', fake: await aCluster() }],
      config: { signIn: { header: { from: ['127.0.0.1'] } } },
    });
    const ask = (headers: Readonly<Record<string, string>>) =>
      rig.ask('/api/v1/consoles/proxmox/101/grants', {
        method: 'POST',
        body: { mode: 'view' },
        headers: { 'x-forwarded-user': 'anna', ...headers },
      });
    expect((await ask({ 'sec-fetch-site': 'cross-site' })).json.code).toBe('cross_site');
    expect((await ask({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
  });
});

describeWith('nginx')('identity headers of a real nginx with auth_request', () => {
  let auth: Server;
  let nginx: Nginx | undefined;

  beforeEach(async () => {
    // Like oauth2-proxy and Authelia: 202 and headers for requests with their cookie, otherwise 401.
    auth = createServer((request, response) => {
      const name = /session=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
      if (name) response.writeHead(202, { 'x-auth-request-user': name, 'x-auth-request-groups': 'class-a' });
      else response.writeHead(401);
      response.end();
    });
    await new Promise<void>((resolve) => auth.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await nginx?.stop();
    auth.close();
    auth.closeAllConnections();
  });

  it('identify the user that the proxy authenticated, whatever headers the browser sends', async () => {
    // nginx connects from 127.0.0.2; the test itself, from 127.0.0.1, is not the proxy.
    const rig = await start({ from: ['127.0.0.2'] }, { trustedProxies: 1 });
    const port = await freePort();
    nginx = await startNginx({
      port,
      http: `server {
        listen 127.0.0.1:${port};
        location = /auth {
            internal;
            proxy_pass http://127.0.0.1:${(auth.address() as AddressInfo).port};
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }
        location / {
            auth_request /auth;
            auth_request_set $user $upstream_http_x_auth_request_user;
            auth_request_set $groups $upstream_http_x_auth_request_groups;
            proxy_set_header X-Forwarded-User $user;
            proxy_set_header X-Forwarded-Groups $groups;
            proxy_set_header X-Forwarded-Preferred-Username "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header Host $http_host;
            proxy_bind 127.0.0.2;
            proxy_pass http://127.0.0.1:${rig.port};
        }
    }`,
    });
    const through = (headers: Readonly<Record<string, string>>) =>
      fetch(`http://127.0.0.1:${port}/api/v1/me`, { headers });
    expect((await through({})).status).toBe(401);
    const answer = await through({ cookie: 'session=anna', 'x-forwarded-user': 'root' });
    expect(await answer.json()).toEqual({
      user: { id: 'header:anna', name: 'anna', groups: ['class-a'] },
      canSeeSessions: false,
      canSeeClasses: false,
      canSeeRecordings: false,
    });
    expect((await me(rig, { 'x-forwarded-user': 'root' })).json.code).toBe('identity_header_untrusted');
  });
});
