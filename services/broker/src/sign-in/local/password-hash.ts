import { scrypt, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '@porthole/shared/crypto/random';

/**
 * A stored password, written as `scrypt$N$r$p$salt$hash` with salt and hash in base64 (RFC 7914). The text holds the
 * parameters, so new hashes can use higher ones while existing hashes stay valid.
 */
export interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** One check takes 32 MiB and about 70 ms. */
const standard = { cost: 2 ** 15, blockSize: 8, parallelization: 1 };
const saltBytes = 16;
const hashBytes = 32;
/** Upper bound in bytes for one check, so that a typing error in the users file can't exhaust the memory. */
const maxMemory = 128 * 1024 * 1024;

const format = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,2})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/;

/** Returns undefined if the text is not a hash or its parameters are too low or too high. */
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
  const inRange = parsed.blockSize >= 8 && parsed.parallelization >= 1 && parsed.parallelization <= 8;
  if (!powerOfTwo || !inRange || memoryOf(parsed) > maxMemory) return undefined;
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

/** Returns a random hash. Checking it for unknown names takes as long as for known ones, so timing reveals no names. */
export function dummyHash(random: RandomBytes): PasswordHash {
  return { ...standard, salt: random(saltBytes), hash: random(hashBytes) };
}

type Parameters = Omit<PasswordHash, 'hash'>;

function memoryOf({ cost, blockSize, parallelization }: Omit<Parameters, 'salt'>): number {
  return 128 * blockSize * (cost + parallelization);
}

/** Normalizes the password first, because keyboards compose characters differently (RFC 8265, OpaqueString). */
function derive(password: string, parameters: Parameters, length: number): Promise<Buffer> {
  const { salt, ...options } = parameters;
  return new Promise((resolve, reject) => {
    scrypt(
      password.normalize('NFC'),
      salt,
      length,
      // Node needs slightly more than the algorithm itself.
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
