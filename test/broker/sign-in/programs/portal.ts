import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import type { Answer } from '../../browser.ts';
import { aCluster, closeBrokers, startBroker, type Rig } from '../../rig.ts';

/** A token issuer with a discovery document and keys. */
export interface Keys {
  readonly url: string;
  readonly privateKey: CryptoKey;
  readonly server: Server;
  readonly requests: readonly string[];
}

export async function startKeys(): Promise<Keys> {
  const requests: string[] = [];
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
  const server = createServer((request, response) => {
    const url = `http://${request.headers.host}`;
    requests.push(request.url ?? '');
    const body = request.url === '/jwks' ? { keys } : { issuer: url, jwks_uri: `${url}/jwks` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, privateKey, server, requests };
}

export const now = () => Math.floor(Date.now() / 1000);

/** A request of the portal on behalf of anna. */
export const forAnna = { mode: 'control', onBehalfOf: { id: '4711', name: 'anna', groups: ['class-a'] } };

/** A broker that accepts tokens of the program `portal`. */
export interface Portal {
  readonly rig: Rig;
  readonly keys: Keys;
  /** The claims of a valid token, with others if given. */
  claims(extra?: JWTPayload): JWTPayload;
  /** A token with these claims. Default: a valid one. */
  sign(payload?: JWTPayload, key?: CryptoKey, header?: object): Promise<string>;
  /** Requests a grant for machine 101. */
  ask(body: object, token: string | undefined, headers?: object): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startPortal(): Promise<Portal> {
  const keys = await startKeys();
  const rig = await startBroker({
    proxmox: [{ name: 'proxmox', fake: await aCluster() }],
    config: {
      access: [
        { who: { groups: ['class-a'] }, which: { names: ['lab-{user}'] }, allow: ['control'] },
        { who: { programs: ['portal'] }, which: { vmids: [101] }, allow: ['view'] },
      ],
      signIn: {
        header: { from: ['10.0.0.0/8'] },
        programs: [
          {
            name: 'labs',
            issuer: keys.url,
            audience: 'porthole',
            algorithms: ['ES256'],
            subjects: ['portal', 'other'],
            impersonation: { users: ['a*'], groups: ['class-a'] },
          },
        ],
      },
    },
  });
  const claims = (extra: JWTPayload = {}): JWTPayload => ({
    iss: keys.url,
    aud: 'porthole',
    sub: 'portal',
    exp: now() + 60,
    ...extra,
  });
  return {
    rig,
    keys,
    claims,
    sign: (payload = claims(), key = keys.privateKey, header = {}) =>
      new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key),
    ask: (body, token, headers = {}) =>
      rig.ask('/api/v1/consoles/proxmox/101/grants', {
        method: 'POST',
        body,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      }),
    async stop() {
      await closeBrokers();
      stopKeys(keys);
    },
  };
}

export function stopKeys({ server }: Keys): void {
  server.close();
  server.closeAllConnections();
}
