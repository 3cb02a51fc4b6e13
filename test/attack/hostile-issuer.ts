import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';

/** An issuer that publishes one key, and whose token endpoint answers what a test says. */
export interface HostileIssuer {
  readonly url: string;
  readonly publicJwk: JWK;
  readonly publicKey: CryptoKey;
  /** Paths that were requested. */
  readonly requests: readonly string[];
  sign(payload: JWTPayload, header?: Readonly<Record<string, unknown>>, key?: CryptoKey): Promise<string>;
  /** The body of the token endpoint's answers. */
  onToken(answer: () => Promise<object> | object): void;
  stop(): Promise<void>;
}

export async function startHostileIssuer(): Promise<HostileIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const requests: string[] = [];
  let tokenAnswer: () => Promise<object> | object = () => ({ error: 'invalid_grant' });

  async function answer(path: string, url: string): Promise<object> {
    if (path === '/jwks') return { keys: [publicJwk] };
    if (path === '/token') return tokenAnswer();
    return {
      issuer: url,
      jwks_uri: `${url}/jwks`,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }
  const server = createServer((request, response) => {
    request.resume();
    const path = request.url ?? '';
    requests.push(path);
    void answer(path, `http://${request.headers.host}`).then((body) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publicJwk,
    publicKey,
    requests,
    sign: (payload, header = {}, key = privateKey) =>
      new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key),
    onToken: (next) => (tokenAnswer = next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
