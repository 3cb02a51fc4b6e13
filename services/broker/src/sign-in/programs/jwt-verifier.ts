import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { ProgramsConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { createIssuerKeys, fetchWithCa, type IssuerKeys } from '../issuer-http.ts';
import type { TokenVerifier } from './token-authenticator.ts';

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
/** Seconds by which clocks may differ. */
const clockTolerance = 30;

/**
 * Tokens of an issuer (RFC 7519, RFC 9068): signed by one of its published keys with one of the named algorithms,
 * for this audience, not expired.
 */
export function createJwtVerifier(config: ProgramsConfig): TokenVerifier {
  let keys: Promise<IssuerKeys> | undefined;

  function keySet(): Promise<IssuerKeys> {
    keys ??= findKeys(config).catch((error: unknown) => {
      keys = undefined;
      throw error;
    });
    return keys;
  }

  return async (token) => {
    if (!isFrom(token, config.issuer)) return undefined;
    const invalid = (detail: string) =>
      new PortholeError('token_invalid', { detail: `${config.name}: ${detail}` });
    try {
      const { payload } = await jwtVerify(token, await keySet(), {
        issuer: [config.issuer.href, config.issuer.href.replace(/\/$/, '')],
        audience: config.audience,
        algorithms: config.algorithms,
        requiredClaims: ['exp', 'sub'],
        clockTolerance,
      });
      const subject = payload.sub ?? '';
      if (subject === '' || subject.length > 200) throw invalid('no usable subject');
      if (config.subjects && !config.subjects.includes(subject)) throw invalid('not a subject that is named');
      return { id: `program:${config.name}:${subject}`, name: subject, impersonation: config.impersonation };
    } catch (error) {
      if (error instanceof PortholeError) throw error;
      const isOurs =
        error instanceof errors.JOSEError &&
        error.code !== 'ERR_JWKS_TIMEOUT' &&
        error.code !== 'ERR_JOSE_GENERIC';
      if (isOurs) throw invalid(error.code);
      throw new PortholeError('sign_in_provider_unavailable', {
        detail: `the keys of ${config.name} can not be fetched`,
        cause: error,
      });
    }
  };
}

/** Only to choose who looks at it: nothing is believed yet. */
function isFrom(token: string, issuer: URL): boolean {
  try {
    decodeProtectedHeader(token);
    const { iss } = decodeJwt(token);
    return iss === issuer.href || iss === issuer.href.replace(/\/$/, '');
  } catch {
    return false;
  }
}

async function findKeys(config: ProgramsConfig): Promise<IssuerKeys> {
  if (config.jwksUrl) return createIssuerKeys(config.jwksUrl, config.caFile);
  const get = config.caFile ? fetchWithCa(config.caFile) : fetch;
  const base = config.issuer.href.replace(/\/$/, '');
  const response = await get(`${base}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(5000),
    redirect: 'error',
  });
  const found = discovery.parse(await response.json());
  if (found.issuer.replace(/\/$/, '') !== base) throw new Error('the document is of another issuer');
  return createIssuerKeys(new URL(found.jwks_uri), config.caFile);
}
