import { createHmac } from 'node:crypto';
import { connectTokenReview } from '@porthole/broker/kubernetes/client';
import { createServiceAccountVerifier } from '@porthole/broker/sign-in/programs/service-account-verifier';
import { CompactEncrypt, exportSPKI, generateKeyPair, UnsecuredJWT, type JWTPayload } from 'jose';
import { constantSecret } from '@porthole/shared/config/secret';
import { aCluster, aUser, closeBrokers, startBroker, usersFile, type Rig } from '../broker/rig.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { pointAt } from '../fakes/kubernetes/kube-config.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../fakes/kubernetes/api-server.ts';
import { startHostileIssuer, type HostileIssuer } from './hostile-issuer.ts';
import { threat } from './threat-table.ts';

const rigUsers = constantSecret(usersFile(aUser('anna')));
let labs: HostileIssuer;
/** Another issuer that Porthole accepts, for another audience. */
let other: HostileIssuer;
/** One that Porthole does not know. */
let stranger: HostileIssuer;
let rig: Rig;
beforeAll(async () => {
  [labs, other, stranger] = await Promise.all([
    startHostileIssuer(),
    startHostileIssuer(),
    startHostileIssuer(),
  ]);
  const common = { algorithms: ['ES256' as const], subjects: ['portal'] };
  rig = await startBroker({
    proxmox: [{ name: 'proxmox', fake: await aCluster() }],
    config: {
      access: [
        { who: { programs: ['portal'] }, which: { all: true }, allow: ['control'] },
        { who: { users: ['anna'] }, which: { all: true }, allow: ['control'] },
      ],
      signIn: {
        local: { usersFile: rigUsers },
        programs: [
          { name: 'labs', issuer: labs.url, audience: 'porthole', ...common },
          { name: 'other', issuer: other.url, audience: 'porthole-of-other', ...common },
        ],
      },
    },
  });
});
afterAll(async () => {
  await closeBrokers();
  await Promise.all([labs, other, stranger].map((issuer) => issuer.stop()));
});

const seconds = () => Math.floor(Date.now() / 1000);
const claims = (changes: object = {}): JWTPayload => ({
  iss: labs.url,
  aud: 'porthole',
  sub: 'portal',
  exp: seconds() + 60,
  ...changes,
});
const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const grant = (authorization: string, headers: Readonly<Record<string, string>> = {}) =>
  rig.ask('/api/v1/consoles/proxmox/101/grants', {
    method: 'POST',
    body: { mode: 'control' },
    headers: { authorization, ...headers },
  });

async function expectRefused(token: string): Promise<void> {
  const { status, text } = await grant(`Bearer ${token}`);
  expect([status, token.length > 0]).toEqual([401, true]);
  expect(text).not.toContain('eyJ');
}
/** A token of the same issuer that is correct still works, so that nothing else was the reason. */
afterEach(async () => {
  expect((await grant(`Bearer ${await labs.sign(claims())}`)).status).toBe(201);
});

describe(threat('T1'), () => {
  /** A token with any header, signed with any secret. */
  const hmac = (bits: number, secret: string | Buffer, header: object = {}) => {
    const signed = `${base64({ alg: `HS${bits}`, kid: 'k1', ...header })}.${base64(claims())}`;
    return `${signed}.${createHmac(`sha${bits}`, secret).update(signed).digest('base64url')}`;
  };
  const changed = async (change: (parts: string[]) => string) =>
    change((await labs.sign(claims())).split('.'));

  test.each(['none', 'None', 'NONE', 'nOnE', '', 'None '])('alg %j', async (alg) => {
    const unsigned = `${base64({ alg, kid: 'k1' })}.${base64(claims())}.`;
    const [, , signature = ''] = (await labs.sign(claims())).split('.');
    for (const token of [unsigned, unsigned + signature, `${unsigned}AAAA`]) await expectRefused(token);
  });

  test('the public key as the secret of HMAC, in every spelling', async () => {
    const pem = await exportSPKI(labs.publicKey);
    const { x = '', y = '' } = labs.publicJwk;
    const raw = Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const secrets = [
      pem,
      pem.trim(),
      `${pem.trim()}\n`,
      JSON.stringify(labs.publicJwk),
      raw,
      x,
      der,
      '',
      'k1',
    ];
    for (const bits of [256, 384, 512]) for (const secret of secrets) await expectRefused(hmac(bits, secret));
  });

  test('keys that the header names or brings', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const theirs = {
      jku: `${stranger.url}/jwks`,
      x5u: `${stranger.url}/cert`,
      jwk: stranger.publicJwk,
      x5c: ['AAAA'],
    };
    for (const [name, value] of Object.entries(theirs))
      for (const kid of ['k1', 'k2', undefined]) {
        await expectRefused(await stranger.sign(claims(), { [name]: value, kid }));
        await expectRefused(await labs.sign(claims(), { [name]: value, kid }, privateKey));
      }
    expect(stranger.requests).toEqual([]);
  });

  test.each([
    '../../../dev/null',
    '/proc/sys/kernel/randomize_va_space',
    "k1' UNION SELECT 'secret",
    '__proto__',
    'constructor',
    'k1\0',
    'x'.repeat(5000),
  ])('the key ID %j', async (kid) => {
    await expectRefused(hmac(256, '', { kid }));
    await expectRefused(await stranger.sign(claims(), { kid }));
  });

  test.each<[string, (parts: string[]) => string]>([
    ['is all zeros', ([header, payload]) => `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`],
    ['is empty', ([header, payload]) => `${header}.${payload}.`],
    ['is missing', ([header, payload]) => `${header}.${payload}`],
    ['is cut', ([header, payload, signature = '']) => `${header}.${payload}.${signature.slice(0, -2)}`],
    ['is extended', ([header, payload, signature]) => `${header}.${payload}.${signature}AA`],
    ['is in DER', ([header, payload]) => `${header}.${payload}.${base64('0E\u0002\u0001\0')}`],
    [
      'is behind another payload',
      ([header, , signature]) => `${header}.${base64(claims({ sub: 'portal', x: 1 }))}.${signature}`,
    ],
    [
      'is behind another header',
      ([, payload, signature]) => `${base64({ alg: 'ES256', kid: 'k1', x: 1 })}.${payload}.${signature}`,
    ],
    ['is followed by another part', (parts) => [...parts, 'AAAA'].join('.')],
    [
      'is said not to cover the encoding',
      ([, payload, signature]) =>
        `${base64({ alg: 'ES256', kid: 'k1', b64: false, crit: ['b64'] })}.${payload}.${signature}`,
    ],
    [
      'has a critical extension',
      ([, payload, signature]) =>
        `${base64({ alg: 'ES256', kid: 'k1', crit: ['evil'], evil: 1 })}.${payload}.${signature}`,
    ],
  ])('a signature that %s', async (_what, change) => expectRefused(await changed(change)));

  test('an encrypted token', async () => {
    const text = new TextEncoder().encode(JSON.stringify(claims()));
    const { publicKey } = await generateKeyPair('ECDH-ES');
    await expectRefused(
      await new CompactEncrypt(text)
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
        .encrypt(publicKey),
    );
  });
});

describe(threat('T2'), () => {
  test('of one issuer in the name of another', async () => {
    await expectRefused(await other.sign(claims()));
    await expectRefused(await other.sign(claims({ iss: other.url })));
    await expectRefused(await labs.sign(claims({ iss: other.url, aud: 'porthole-of-other' })));
    await expectRefused(await labs.sign(claims({ aud: 'porthole-of-other' })));
    await expectRefused(await stranger.sign(claims({ iss: stranger.url })));
    const { status } = await grant(
      `Bearer ${await other.sign(claims({ iss: other.url, aud: 'porthole-of-other' }))}`,
    );
    expect(status).toBe(201);
  });

  test.each<[string, object]>([
    ['for another client', { aud: 'grafana' }],
    ['for an audience that contains ours', { aud: 'porthole-admin' }],
    ['for an audience in other letters', { aud: 'Porthole' }],
    ['for a list of other audiences', { aud: ['grafana', 'vault'] }],
    ['for an object', { aud: { porthole: true } }],
    ['without audience', { aud: undefined }],
    ['without issuer', { iss: undefined }],
    ['of a list of issuers', { iss: ['http://127.0.0.1'] }],
    ['that has expired', { exp: seconds() - 31 }],
    ['that expired at the epoch', { exp: 0 }],
    ['that expires at a text', { exp: '9999999999' }],
    ['that expires at an object', { exp: { valueOf: 1 } }],
    ['that never expires', { exp: undefined }],
    ['that expires at null', { exp: null }],
    ['that is valid later', { nbf: seconds() + 600 }],
    ['that is valid from a text', { nbf: 'now' }],
    ['of another subject', { sub: 'portal2' }],
    ['of a subject in other letters', { sub: 'Portal' }],
    ['of a list of subjects', { sub: ['portal'] }],
    ['of an object', { sub: { toString: 'portal' } }],
    ['of an empty subject', { sub: '' }],
    ['of a subject with a line break', { sub: 'portal\n' }],
  ])('a token %s', async (_what, changes) => expectRefused(await labs.sign(claims(changes))));

  test('no other credential makes up for an invalid token', async () => {
    const anna = await rig.signedIn('anna');
    const headers = {
      cookie: anna.cookie ?? '',
      'sec-fetch-site': 'same-origin',
      origin: 'http://localhost:8080',
    };
    const expired = await labs.sign(claims({ exp: 1 }));
    for (const authorization of [
      `Bearer ${expired}`,
      'Bearer',
      'Bearer x',
      'Basic YW5uYTphbm5h',
      'bearer\t',
      'Negotiate x',
    ])
      expect([authorization, (await grant(authorization, headers)).status]).toEqual([authorization, 401]);
    expect((await anna.post('/api/v1/consoles/proxmox/101/grants', { mode: 'control' })).status).toBe(201);
  });
});

describe(threat('T5'), () => {
  let kubernetes: FakeKubernetes;
  beforeAll(async () => {
    kubernetes = await startFakeKubernetes();
  });
  afterAll(() => kubernetes.stop());
  async function createVerifier() {
    const review = await connectTokenReview((config) => pointAt(config, kubernetes.url));
    const config = { audience: 'porthole', allow: ['labs:grader'], impersonation: undefined };
    return createServiceAccountVerifier({ config, review, clock: createFakeClock() });
  }
  const account = 'system:serviceaccount:labs:grader';
  const tokenOf = (sub: string, extra: object = {}) => new UnsecuredJWT({ sub, ...extra }).encode();

  test.each([
    ['for the API server', { username: account, audiences: ['https://kubernetes.default.svc'] }],
    ['for no audience', { username: account, audiences: [] }],
    ['for an audience that contains ours', { username: account, audiences: ['porthole-admin', 'xporthole'] }],
    [
      'of another account that claims to be the right one',
      { username: 'system:serviceaccount:labs:student', audiences: ['porthole'] },
    ],
    [
      'of an account of the same name elsewhere',
      { username: 'system:serviceaccount:evil:grader', audiences: ['porthole'] },
    ],
    ['of an account with a longer name', { username: `${account}:extra`, audiences: ['porthole'] }],
    ['of a user with such a name', { username: 'labs:grader', audiences: ['porthole'] }],
  ])('a token %s', async (what, owner) => {
    const verify = await createVerifier();
    const token = tokenOf(account, { what });
    kubernetes.knowToken(token, owner);
    await expect(verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  test('a token beside one that was accepted a moment ago', async () => {
    const verify = await createVerifier();
    const good = tokenOf(account, { jti: 'good' });
    kubernetes.knowToken(good, { username: account, audiences: ['porthole'] });
    expect(await verify(good)).toMatchObject({ name: 'labs:grader' });
    for (const forged of [tokenOf(account, { jti: 'forged' }), `${good}x`, good.replace(/\.$/, '.AAAA')])
      await expect(verify(forged)).rejects.toMatchObject({ code: 'token_invalid' });
  });
});
