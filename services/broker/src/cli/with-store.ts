import type { Audit } from '@porthole/shared/audit/audit';
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
import { openCommandAudit, operatorOf } from './command-audit.ts';

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
    const audit = openCommandAudit(config, stderr);
    await work({ config, store, keys, sessions, audit, operator: operatorOf(env) });
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
