import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { ProgramsConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { createIssuerKeys, fetchWithCa, type IssuerKeys } from '../issuer-http.ts';
import { compileImpersonation } from './impersonation-policy.ts';
import type { TokenVerifier } from './token-authenticator.ts';

const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
/** Seconds by which clocks can differ. */
const clockTolerance = 30;
const maxSubjectLength = 200;

/**
 * Verifies the JWTs of one issuer (RFC 7519, RFC 9068): signed by one of its published keys with an allowed algorithm,
 * for this audience, and not expired.
 */
export function createJwtVerifier(config: ProgramsConfig): TokenVerifier {
  const impersonation = compileImpersonation(config.impersonation);
  const issuers = issuerSpellings(config.issuer);
  let finding: Promise<IssuerKeys> | undefined;

  function findKeysOnce(): Promise<IssuerKeys> {
    finding ??= findKeys(config).catch((error: unknown) => {
      finding = undefined;
      throw error;
    });
    return finding;
  }

  return async (token) => {
    if (!issuers.includes(claimedIssuer(token) ?? '')) return undefined;
    const invalid = (detail: string) =>
      new PortholeError('token_invalid', { detail: `${config.name}: ${detail}` });
    try {
      const { payload } = await jwtVerify(token, await findKeysOnce(), {
        issuer: issuers,
        audience: config.audience,
        algorithms: config.algorithms,
        requiredClaims: ['exp', 'sub'],
        clockTolerance,
      });
      const subject = payload.sub ?? '';
      if (subject === '' || subject.length > maxSubjectLength) throw invalid('no usable subject');
      if (config.subjects && !config.subjects.includes(subject))
        throw invalid('the subject is not configured');
      const id = `program:${config.name}:${subject}`;
      return { id, name: subject, impersonate: impersonation(id) };
    } catch (error) {
      if (error instanceof PortholeError) throw error;
      if (isTokenError(error)) throw invalid(error.code);
      throw new PortholeError('sign_in_provider_unavailable', {
        detail: `the keys of ${config.name} could not be fetched`,
        cause: error,
      });
    }
  };
}

/** The token is wrong, and not the request for the keys. */
function isTokenError(error: unknown): error is errors.JOSEError {
  return error instanceof errors.JOSEError && !['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC'].includes(error.code);
}

/** Issuers write their URL with or without a slash at the end. */
function issuerSpellings({ href }: URL): string[] {
  return [href, href.replace(/\/$/, '')];
}

/** Returns the issuer that an unverified token claims. Use it only to choose the verifier. */
function claimedIssuer(token: string): string | undefined {
  try {
    decodeProtectedHeader(token);
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function findKeys(config: ProgramsConfig): Promise<IssuerKeys> {
  if (config.jwksUrl) return createIssuerKeys(config.jwksUrl, config);
  const get = config.caFile ? fetchWithCa(config.caFile) : fetch;
  const base = config.issuer.href.replace(/\/$/, '');
  const response = await get(`${base}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(5000),
    redirect: 'error',
  });
  const document = discoveryDocument.parse(await response.json());
  if (document.issuer.replace(/\/$/, '') !== base)
    throw new Error('the discovery document names another issuer');
  return createIssuerKeys(new URL(document.jwks_uri), config);
}
