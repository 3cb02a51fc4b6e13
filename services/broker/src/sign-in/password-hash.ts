import { scrypt, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '@porthole/shared/crypto/random';

/**
 * Passwords at rest: `scrypt$N$r$p$salt$hash`, salt and hash in base64. The parameters are part of the text, so
 * they can grow later without touching the hashes that exist.
 */
export interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB and some 70 ms for each try. */
const standard = { cost: 2 ** 15, blockSize: 8, parallelization: 1 };
const saltBytes = 16;
const hashBytes = 32;
/** What a hash in the users file may make us spend: a typing error there must not take the service down. */
const maxMemory = 128 * 1024 * 1024;

const format = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,2})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/;

/** Undefined for anything that is not such a hash, or one that would cost too little or too much. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, cost, blockSize, parallelization, salt, hash] = (format.exec(text) ?? []).map(String);
  const parsed = {
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt: Buffer.from(salt ?? '', 'base64'),
    hash: Buffer.from(hash ?? '', 'base64'),
  };
  const powerOfTwo = parsed.cost >= 2 ** 12 && Number.isInteger(Math.log2(parsed.cost));
  const sane = parsed.blockSize >= 8 && parsed.parallelization >= 1 && parsed.parallelization <= 8;
  if (!powerOfTwo || !sane || memoryOf(parsed) > maxMemory) return undefined;
  if (parsed.salt.length < 8 || parsed.hash.length < 16 || parsed.hash.length > 64) return undefined;
  return parsed;
}

export async function hashPassword(password: string, random: RandomBytes): Promise<string> {
  const salt = random(saltBytes);
  const hash = await derive(password, { ...standard, salt }, hashBytes);
  const { cost, blockSize, parallelization } = standard;
  return ['scrypt', cost, blockSize, parallelization, salt.toString('base64'), hash.toString('base64')].join(
    '$',
  );
}

export async function passwordMatches(password: string, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected, expected.hash.length), expected.hash);
}

/** A hash that no password has, for people who don't exist: asking about them takes as long as about anybody. */
export function hashOfNobody(random: RandomBytes): PasswordHash {
  return { ...standard, salt: random(saltBytes), hash: random(hashBytes) };
}

type Parameters = Omit<PasswordHash, 'hash'>;

function memoryOf({ cost, blockSize, parallelization }: Omit<Parameters, 'salt'>): number {
  return 128 * blockSize * (cost + parallelization);
}

/** Normalised, because keyboards write the same character in more than one way (RFC 8265, OpaqueString). */
function derive(password: string, parameters: Parameters, length: number): Promise<Buffer> {
  const { salt, ...options } = parameters;
  return new Promise((resolve, reject) => {
    scrypt(
      password.normalize('NFC'),
      salt,
      length,
      // Node counts a little on top of the algorithm's own need.
      {
        cost: options.cost,
        blockSize: options.blockSize,
        parallelization: options.parallelization,
        maxmem: memoryOf(options) + 1024 * 1024,
      },
      (error, key) => (error ? reject(error) : resolve(key)),
    );
  });
}
