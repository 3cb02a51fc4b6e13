import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT, type JWTPayload } from 'jose';

const claim = (name: string) => `https://purl.imsglobal.org/spec/lti/claim/${name}`;
const membership = 'http://purl.imsglobal.org/vocab/lis/v2/membership';
export const roles = {
  instructor: `${membership}#Instructor`,
  assistant: `${membership}/Instructor#TeachingAssistant`,
  learner: `${membership}#Learner`,
} as const;

/** Who launches what. */
export interface Launch {
  readonly sub?: string;
  readonly username?: string;
  readonly roles?: readonly string[];
  readonly context?: string;
  readonly custom?: Readonly<Record<string, string>>;
  readonly deepLinking?: boolean;
  readonly multiple?: boolean;
  /** Names the frame that keeps data for the browser. */
  readonly storageTarget?: string;
  /** Claims that replace the others. `undefined` removes one. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface Member {
  readonly user_id: string;
  /** Moodle's list has no user names: mod/lti/service/memberships. */
  readonly lis_person_sourcedid?: string;
  readonly email?: string;
  readonly roles: readonly string[];
  readonly status?: string;
}

/**
 * A learning platform from the specifications of 1EdTech (LTI 1.3, Deep Linking 2.0, Names and Roles 2.0, postMessage
 * Storage 0.1), with keys of its own. It is as strict with the tool as Moodle's mod/lti/auth.php and token.php are, and
 * names things as Moodle does. test/fakes/lti/open-edx.ts is a platform of other authors.
 */
export interface LtiPlatform {
  readonly origin: string;
  readonly clientId: string;
  readonly deploymentId: string;
  /** For `lti.platforms` of the configuration. */
  readonly registration: Readonly<Record<string, unknown>>;
  /** The tool's origin, and where its keys are. Set it before the first launch. */
  setTool(origin: string, jwksUrl?: string): void;
  /** What the course page launches in its frame. */
  setLaunch(launch: Launch): void;
  loginUrl(launch: Launch): URL;
  claimsOf(launch: Launch, nonce: string): Record<string, unknown>;
  sign(claims: Record<string, unknown>, options?: SignOptions): Promise<string>;
  /** Claims of the last answer to a deep linking request whose signature was right. */
  deepLinked(): JWTPayload | undefined;
  setMembers(members: readonly Member[]): void;
  /** Requests for access tokens and for pages of members. */
  readonly asked: { tokens: number; members: number; keys: number };
  readonly publicKeyPem: Promise<string>;
  stop(): Promise<void>;
}

export interface SignOptions {
  readonly kid?: string;
  readonly key?: CryptoKey;
  readonly alg?: string;
}

const membersPerPage = 2;

export async function startLtiPlatform(host: 'localhost' | '127.0.0.1' = '127.0.0.1'): Promise<LtiPlatform> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'p1', alg: 'RS256', use: 'sig' }];
  const clientId = 'porthole-at-school';
  const deploymentId = '1';
  const asked = { tokens: 0, members: 0, keys: 0 };
  const usedAssertions = new Set<string>();
  const tokens = new Set<string>();
  let tool = '';
  let toolJwksUrl = '';
  let launch: Launch = {};
  let members: readonly Member[] = [];
  let deepLinked: JWTPayload | undefined;
  const hinted = new Map<string, Launch>();

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://${host}:${port}`;

  function loginUrl(wanted: Launch): URL {
    const hint = String(hinted.size + 1);
    hinted.set(hint, wanted);
    const url = new URL('/lti/login', tool);
    const parameters = {
      iss: origin,
      target_link_uri: `${tool}/lti/launch`,
      login_hint: wanted.sub ?? '42',
      lti_message_hint: hint,
      client_id: clientId,
      lti_deployment_id: deploymentId,
      ...(wanted.storageTarget === undefined ? {} : { lti_storage_target: wanted.storageTarget }),
    };
    url.search = new URLSearchParams(parameters).toString();
    return url;
  }

  function claimsOf(wanted: Launch, nonce: string): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    const claims: Record<string, unknown> = {
      iss: origin,
      aud: clientId,
      sub: wanted.sub ?? '42',
      iat: now,
      exp: now + 60,
      nonce,
      name: 'Anna Example',
      [claim('version')]: '1.3.0',
      [claim('message_type')]: wanted.deepLinking ? 'LtiDeepLinkingRequest' : 'LtiResourceLinkRequest',
      [claim('deployment_id')]: deploymentId,
      [claim('target_link_uri')]: `${tool}/lti/launch`,
      [claim('roles')]: wanted.roles ?? [roles.learner],
      [claim('context')]: {
        id: wanted.context ?? '12',
        label: 'N1',
        title: 'Networks',
        type: ['CourseSection'],
      },
      [claim('ext')]: { user_username: wanted.username ?? 'anna', lms: 'moodle-2' },
      [claim('lis')]: { person_sourcedid: wanted.username ?? 'anna' },
      [claim('tool_platform')]: { product_family_code: 'moodle' },
      ...(wanted.custom ? { [claim('custom')]: wanted.custom } : {}),
      ...(wanted.deepLinking
        ? {
            'https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings': {
              deep_link_return_url: `${origin}/deep-link-return`,
              accept_types: ['ltiResourceLink'],
              accept_presentation_document_targets: ['iframe'],
              accept_multiple: wanted.multiple ?? true,
              data: 'what the platform wants back',
            },
          }
        : { [claim('resource_link')]: { id: '7', title: 'Lab 3' } }),
      'https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice': {
        context_memberships_url: `${origin}/memberships`,
        service_versions: ['1.0', '2.0'],
      },
      ...wanted.claims,
    };
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  }

  const sign = (
    claims: Record<string, unknown>,
    { kid = 'p1', key = privateKey, alg = 'RS256' }: SignOptions = {},
  ) => new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(key);

  const toolKeys = () => createRemoteJWKSet(new URL(toolJwksUrl));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const html = (text: string) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html>${text}`);
    const json = (value: unknown, headers = {}) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    switch (url.pathname) {
      case '/jwks':
        asked.keys += 1;
        return void json({ keys });
      case '/course':
        return void html(coursePage(loginUrl(launch).href));
      case '/auth':
        return void html(await authorize(url.searchParams));
      case '/token':
        return void json(await issueToken(new URLSearchParams(await bodyOf(request))));
      case '/memberships':
        return listMembers(request, url, json);
      case '/deep-link-return': {
        const token = new URLSearchParams(await bodyOf(request)).get('JWT') ?? '';
        const verified = await jwtVerify(token, toolKeys(), { issuer: clientId, audience: origin });
        deepLinked = verified.payload;
        return void html('<title>Added</title>');
      }
      default:
        response.writeHead(404).end();
    }
  }

  /** Moodle's mod/lti/auth.php refuses everything else. */
  async function authorize(query: URLSearchParams): Promise<string> {
    const wanted = hinted.get(query.get('lti_message_hint') ?? '');
    if (!wanted) throw new Error('invalid_request: lti_message_hint');
    const expected = {
      scope: 'openid',
      response_type: 'id_token',
      response_mode: 'form_post',
      prompt: 'none',
      client_id: clientId,
      redirect_uri: `${tool}/lti/launch`,
      login_hint: wanted.sub ?? '42',
    };
    for (const [name, value] of Object.entries(expected))
      if (query.get(name) !== value) throw new Error(`invalid_request: ${name}`);
    const [nonce, state] = [query.get('nonce'), query.get('state')];
    if (!nonce || !state) throw new Error('invalid_request: nonce and state');
    const token = await sign(claimsOf(wanted, nonce));
    return `<form method="post" action="${tool}/lti/launch"><input type="hidden" name="id_token" value="${token}">
      <input type="hidden" name="state" value="${state}"></form><script>document.forms[0].submit()</script>`;
  }

  async function issueToken(form: URLSearchParams): Promise<object> {
    asked.tokens += 1;
    if (
      form.get('grant_type') !== 'client_credentials' ||
      form.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' ||
      form.get('scope') !== 'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly'
    )
      throw new Error('invalid_request');
    const { payload } = await jwtVerify(form.get('client_assertion') ?? '', toolKeys(), {
      issuer: clientId,
      subject: clientId,
      audience: `${origin}/token`,
      requiredClaims: ['exp', 'iat', 'jti'],
    });
    if (usedAssertions.has(payload.jti ?? '')) throw new Error('invalid_client: jti');
    usedAssertions.add(payload.jti ?? '');
    const token = `token-${tokens.size}`;
    tokens.add(token);
    return { access_token: token, token_type: 'Bearer', expires_in: 3600, scope: form.get('scope') };
  }

  function listMembers(
    request: IncomingMessage,
    url: URL,
    json: (value: unknown, headers?: Record<string, string>) => void,
  ): void {
    asked.members += 1;
    if (!tokens.has((request.headers.authorization ?? '').replace('Bearer ', ''))) throw new Error('401');
    const from = Number(url.searchParams.get('from') ?? 0);
    const rest = members.length > from + membersPerPage;
    json(
      {
        id: `${origin}/memberships`,
        context: { id: '12' },
        members: members.slice(from, from + membersPerPage),
      },
      rest ? { link: `<${origin}/memberships?from=${from + membersPerPage}>; rel="next"` } : {},
    );
  }

  const publicKeyPem = crypto.subtle
    .exportKey('spki', publicKey)
    .then(
      (der) => `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----`,
    );

  return {
    origin,
    clientId,
    deploymentId,
    registration: {
      name: 'school',
      issuer: origin,
      clientId,
      deploymentIds: [deploymentId],
      authorizationUrl: `${origin}/auth`,
      jwksUrl: `${origin}/jwks`,
      tokenUrl: `${origin}/token`,
    },
    setTool(given, jwksUrl = `${given}/lti/jwks`) {
      tool = given;
      toolJwksUrl = jwksUrl;
    },
    setLaunch: (given) => (launch = given),
    loginUrl,
    claimsOf,
    sign,
    deepLinked: () => deepLinked,
    setMembers: (given) => (members = given),
    asked,
    publicKeyPem,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Answers `lti.put_data` and `lti.get_data` of the frame only to the origin that asked, and keeps what it stored apart. */
function coursePage(frameUrl: string): string {
  const toolOrigin = new URL(frameUrl).origin;
  return `<title>Course</title>
<iframe id="tool" width="1000" height="700" src="${frameUrl.replaceAll('&', '&amp;')}"
  allow="clipboard-read; clipboard-write; fullscreen"></iframe>
<script>
  const stored = new Map();
  window.asked = [];
  addEventListener('message', ({ data, origin, source }) => {
    if (origin !== '${toolOrigin}' || typeof data !== 'object') return;
    const { subject, message_id, key, value } = data;
    window.asked.push(subject);
    if (subject === 'lti.put_data') stored.set(key, value);
    else if (subject !== 'lti.get_data') return;
    const answer = { subject: subject + '.response', message_id, key, value: stored.get(key) };
    source.postMessage(answer, origin);
  });
</script>`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
