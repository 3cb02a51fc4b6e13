import { appendFileSync } from 'node:fs';
import { createAudit, noAudit, type Audit } from '@porthole/shared/audit/audit';
import type { Config } from '@porthole/shared/config/schema';
import { systemClock } from '@porthole/shared/time/clock';
import type { CommandIo } from './command.ts';

/** The user of a command, for the audit log. */
export function operatorOf(env: CommandIo['env']): { readonly id: string; readonly name: string } {
  const name = env['USER'] ?? env['HOSTNAME'] ?? 'unknown';
  return { id: `cli:${name}`, name };
}

/** Writes to the audit file of the services if there is one, otherwise to standard error. */
export function openCommandAudit({ audit: { to, file } }: Config, stderr: CommandIo['stderr']): Audit {
  if (to === 'none') return noAudit;
  const write = (line: string) =>
    void (to === 'file' && file !== undefined ? appendFileSync(file, line) : stderr.write(line));
  return createAudit({ service: 'cli', clock: systemClock, write });
}
