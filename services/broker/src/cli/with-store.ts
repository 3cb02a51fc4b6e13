import { appendFileSync } from 'node:fs';
import { createAudit, noAudit, type Audit } from '@porthole/shared/audit/audit';
import { grantKeysOf, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { PortholeError } from '@porthole/shared/errors';
import { createSessionRecords, type SessionRecords } from '@porthole/shared/session/records';
import { openStore } from '@porthole/shared/store/open';
import type { Store } from '@porthole/shared/store/ports';
import { createLog } from '@porthole/shared/telemetry/log';
import { systemClock } from '@porthole/shared/time/clock';
import { CommandError, type CommandIo } from './command.ts';

export interface StoreContext {
  readonly config: Config;
  readonly store: Store;
  readonly keys: SealKeys;
  readonly sessions: SessionRecords;
  readonly audit: Audit;
  /** The user of the command, for the audit log. */
  readonly operator: { readonly id: string; readonly name: string };
}

/** Runs a command with the store of the services, and closes the store after it. */
export async function withStore(
  { env, cwd, stderr }: Pick<CommandIo, 'env' | 'cwd' | 'stderr'>,
  work: (context: StoreContext) => Promise<void>,
): Promise<void> {
  const config = readConfig(env, cwd);
  if (!config.redis || !config.grantKeys)
    throw new CommandError(
      'The configuration has no Redis. A process without Redis keeps sessions in memory, where this command cannot access them. Use its web pages.',
    );
  const keys = grantKeysOf(config.grantKeys);
  const store = openStore(config, {
    log: createLog({ service: 'porthole', level: 'silent' }),
    clock: systemClock,
  });
  try {
    await store.start();
    const sessions = createSessionRecords({ ...store, keys, random: systemRandom });
    const name = env['USER'] ?? env['HOSTNAME'] ?? 'unknown';
    const operator = { id: `cli:${name}`, name };
    await work({ config, store, keys, sessions, audit: openAudit(config, stderr), operator });
  } catch (error) {
    if (error instanceof PortholeError && error.code === 'store_unavailable')
      throw new CommandError(
        `Redis does not answer: ${error.detail ?? error.message}. For details, run porthole doctor.`,
      );
    throw error;
  } finally {
    await store.stop();
  }
}

/** Writes to the audit file of the services if there is one, otherwise to standard error. */
function openAudit({ audit: { to, file } }: Config, stderr: CommandIo['stderr']): Audit {
  if (to === 'none') return noAudit;
  const write = (line: string) =>
    void (to === 'file' && file !== undefined ? appendFileSync(file, line) : stderr.write(line));
  return createAudit({ service: 'cli', clock: systemClock, write });
}
