import { z } from 'zod';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createToken } from '@porthole/shared/crypto/token';
import { PortholeError } from '@porthole/shared/errors';
import { digest, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import { byToken, putSealed, takeSealed, type SealedRecordType } from '@porthole/shared/store/sealed-records';
import { launchMessage, type LaunchMessage } from './launch-message.ts';

/** A launch between the request of the platform and its message. */
const pendingLogin = z.object({
  platform: z.string(),
  nonce: z.string(),
  /** Only the browser that has the secret can complete the launch. */
  browserDigest: z.string(),
  /** Set if the platform keeps the secret for the browser: the name of the frame to ask. Otherwise a cookie has it. */
  storageTarget: z.string().optional(),
});
export type PendingLogin = z.infer<typeof pendingLogin>;

const confirmation = z.object({ message: launchMessage, browserDigest: z.string() });
const selection = z.object({ message: launchMessage });

const loginRecord = {
  purpose: 'porthole lti login v1',
  schema: pendingLogin,
  locate: byToken(storeKeys.ltiLogin),
} satisfies SealedRecordType<string, PendingLogin>;

const confirmationRecord = {
  purpose: 'porthole lti confirmation v1',
  schema: confirmation,
  locate: byToken(storeKeys.ltiConfirmation),
} satisfies SealedRecordType<string, z.infer<typeof confirmation>>;

const selectionRecord = {
  purpose: 'porthole lti selection v1',
  schema: selection,
  locate: byToken(storeKeys.ltiSelection),
} satisfies SealedRecordType<string, z.infer<typeof selection>>;

const signInRecord = {
  purpose: 'porthole lti sign-in v1',
  schema: selection,
  locate: byToken(storeKeys.ltiSignIn),
} satisfies SealedRecordType<string, z.infer<typeof selection>>;

/** Launches that are under way. Everything works once, and rejects with `lti_launch_expired` otherwise. */
export interface PendingLaunches {
  /** Returns the `state` parameter. */
  begin(login: Omit<PendingLogin, 'browserDigest'>, browserSecret: string): Promise<string>;
  takeLogin(state: string): Promise<PendingLogin>;
  /** For a message whose browser has not confirmed it yet. */
  awaitConfirmation(message: LaunchMessage, browserDigest: string): Promise<string>;
  takeConfirmation(code: string, browserSecret: string): Promise<LaunchMessage>;
  awaitSelection(message: LaunchMessage): Promise<string>;
  takeSelection(code: string): Promise<LaunchMessage>;
  awaitSignIn(message: LaunchMessage): Promise<string>;
  takeSignIn(code: string): Promise<LaunchMessage>;
}

/** Where a platform keeps the secret of the launch with this state. It reveals neither. */
export const storageKeyOf = (state: string): string => `porthole-${digest(state).slice(0, 16)}`;

/** Rejects with `lti_browser_unconfirmed`. */
export function requireBrowser(secret: string | undefined, browserDigest: string): void {
  if (secret === undefined || digest(secret) !== browserDigest)
    throw new PortholeError('lti_browser_unconfirmed', {
      detail: secret === undefined ? 'no secret' : 'started in another browser',
    });
}

export function createPendingLaunches(deps: {
  readonly records: Pick<RecordStore, 'put' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): PendingLaunches {
  async function put<T>(type: SealedRecordType<string, T>, value: T, ttlMs: number): Promise<string> {
    const token = createToken(deps.random);
    await putSealed(deps, type, token, value, ttlMs);
    return token;
  }

  async function take<T>(type: SealedRecordType<string, T>, token: string): Promise<T> {
    const { value, problem } = await takeSealed(deps, type, token);
    if (value === undefined)
      throw new PortholeError('lti_launch_expired', {
        detail: problem === 'malformed_id' ? 'malformed' : 'unknown, used or expired',
      });
    return value;
  }

  return {
    begin: (login, browserSecret) =>
      put(loginRecord, { ...login, browserDigest: digest(browserSecret) }, lifetimes.ltiLogin),
    takeLogin: (state) => take(loginRecord, state),
    awaitConfirmation: (message, browserDigest) =>
      put(confirmationRecord, { message, browserDigest }, lifetimes.ltiConfirmation),
    async takeConfirmation(code, browserSecret) {
      const { message, browserDigest } = await take(confirmationRecord, code);
      requireBrowser(browserSecret, browserDigest);
      return message;
    },
    awaitSelection: (message) => put(selectionRecord, { message }, lifetimes.ltiSelection),
    takeSelection: async (code) => (await take(selectionRecord, code)).message,
    awaitSignIn: (message) => put(signInRecord, { message }, lifetimes.ltiSignIn),
    takeSignIn: async (code) => (await take(signInRecord, code)).message,
  };
}
