import { appendFileSync } from 'node:fs';
import { createAudit, noAudit, type Audit } from '@porthole/shared/audit/audit';
import { systemClock } from '@porthole/shared/time/clock';
import { grantKeysOf, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { PortholeError } from '@porthole/shared/errors';
import { createLog } from '@porthole/shared/telemetry/log';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createSessionRecords, type SessionRecords } from '@porthole/shared/session/records';
import { openStore } from '@porthole/shared/store/open';
import type { Store } from '@porthole/shared/store/ports';
import { CommandError, type CommandIo } from './command.ts';

export interface StoreContext {
  readonly config: Config;
  readonly store: Store;
  readonly keys: SealKeys;
  readonly sessions: SessionRecords;
  readonly audit: Audit;
  /** Who types here, for the audit. */
  readonly operator: { readonly id: string; readonly name: string };
}

/** Lends a command the store that the services share, for as long as it works. */
export async function withStore(
  { env, cwd, stderr }: Pick<CommandIo, 'env' | 'cwd' | 'stderr'>,
  work: (opened: StoreContext) => Promise<void>,
): Promise<void> {
  const config = readConfig(env, cwd);
  if (!config.redis || !config.grantKeys)
    throw new CommandError(
      'There is no Redis in this configuration: everything is in the memory of one process, where only its own pages reach it.',
    );
  const keys = grantKeysOf(config.grantKeys);
  const store = openStore(config, {
    log: createLog({ service: 'porthole', level: 'silent' }),
    clock: systemClock,
  });
  await store.start();
  try {
    const sessions = createSessionRecords({ ...store, keys, random: systemRandom });
    const name = env['USER'] ?? env['HOSTNAME'] ?? 'somebody';
    const operator = { id: `cli:${name}`, name };
    await work({ config, store, keys, sessions, audit: auditOf(config, stderr), operator });
  } catch (error) {
    if (error instanceof PortholeError && error.code === 'store_unavailable')
      throw new CommandError(
        `Redis does not answer: ${error.detail ?? error.message}. porthole doctor says more.`,
      );
    throw error;
  } finally {
    await store.stop();
  }
}

/** Where the services' own lines go, if that is a file; otherwise beside what the command prints. */
function auditOf({ audit }: Config, stderr: CommandIo['stderr']): Audit {
  if (audit.to === 'none') return noAudit;
  const { file } = audit;
  const write = (line: string) =>
    void (audit.to === 'file' && file !== undefined ? appendFileSync(file, line) : stderr.write(line));
  return createAudit({ service: 'cli', clock: systemClock, write });
}
