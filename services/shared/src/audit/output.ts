import { openSync } from 'node:fs';
import { pino } from 'pino';
import { Counter, type Registry } from 'prom-client';
import { ConfigError } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import type { Log } from '../telemetry/log.ts';

/** What waits to be written while the disk or the reader of the standard output is slow. Beyond it, lines are lost. */
const maxBufferedBytes = 16 * 1024 * 1024;

export const auditMetrics = {
  lost: {
    name: 'porthole_audit_events_lost_total',
    help: 'Audit lines that could not be written, because the disk was full or nobody read the output.',
  },
} as const;

/** Where audit lines go: the standard output, the end of a file, or nowhere. */
export function openAuditOutput(deps: {
  readonly config: Config['audit'];
  /** The log's own, so that no line of the one comes into the middle of a line of the other. */
  readonly stdout: { write(line: string): unknown };
  readonly log: Pick<Log, 'error' | 'info'>;
  readonly registry: Registry;
}): { readonly write: (line: string) => void; readonly component: LifecycleComponent } {
  const { config, log } = deps;
  const lost = new Counter({ ...auditMetrics.lost, registers: [deps.registry] });
  if (config.to === 'none') return { write: () => {}, component: { name: 'audit' } };
  if (config.to === 'stdout')
    return { write: (line) => void deps.stdout.write(line), component: { name: 'audit' } };
  const fd = openForAppend(config.file ?? '');
  const output = pino.destination({ dest: fd, sync: false, minLength: 0, maxLength: maxBufferedBytes });
  let failing = false;
  output.on('drop', () => {
    lost.inc();
    if (!failing) log.error('THE AUDIT LOSES LINES: they can not be written as fast as they come');
    failing = true;
  });
  // The lines wait and are tried again with the next one.
  output.on('error', (error: Error) => {
    if (!failing) log.error({ err: error }, 'THE AUDIT CAN NOT BE WRITTEN');
    failing = true;
  });
  output.on('write', () => {
    if (failing) log.info('the audit is written again');
    failing = false;
  });
  return {
    write: (line) => void output.write(line),
    component: {
      name: 'audit',
      stop: () =>
        new Promise((resolve) => {
          // Also closes the file. On a full disk there is nothing to wait for.
          output.once('close', resolve).once('error', resolve).end();
        }),
    },
  };
}

function openForAppend(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch {
    throw new ConfigError([`audit.file: the file ${path} can not be written`]);
  }
}
