import { systemRandom } from '@porthole/shared/crypto/random';
import { createSessionRecords } from '@porthole/shared/session/records';
import type { Store } from '@porthole/shared/store/ports';
import { eventually } from '../../eventually.ts';
import type { ConsoleClient } from '../console-client.ts';
import { grantKey, type RelayRig, type RigOptions } from '../rig.ts';

export const keys = () => [grantKey];

/** Two relays of one installation. */
export async function startTwoRelays(
  start: (options?: RigOptions) => Promise<RelayRig>,
): Promise<[RelayRig, RelayRig]> {
  const one = await start();
  return [one, await start({ sharedWith: one })];
}

/** The resume tokens that the page has received so far, the newest last. */
export const resumeTokens = (client: ConsoleClient) =>
  client.messages.flatMap((message) => (message.type === 'resume' ? [message.token] : []));

export async function latestResumeToken(client: ConsoleClient): Promise<string> {
  await eventually('the page has a resume token', () => resumeTokens(client).length > 0);
  return resumeTokens(client).at(-1) ?? '';
}

/** Opens a console, with a new grant or by resuming, and waits for its handshake and its resume token. */
export async function openWithToken(
  rig: RelayRig,
  overrides: Parameters<RelayRig['open']>[0] = {},
  resumeToken?: string,
) {
  const client =
    resumeToken === undefined
      ? await rig.open({ sessionId: 'session-1', ...overrides })
      : rig.connect({ token: resumeToken });
  const rfb = await client.rfb();
  return { client, rfb, token: await latestResumeToken(client) };
}

export const sessionRecordsIn = ({ records, leases }: Store) =>
  createSessionRecords({ records, leases, keys, random: systemRandom });
