import { openSync } from 'node:fs';
import { pino } from 'pino';
import { Counter, type Registry } from 'prom-client';
import { ConfigError } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import type { Log } from '../telemetry/log.ts';

/** Buffer for a slow disk. When it is full, lines are lost. */
const maxBufferedBytes = 16 * 1024 * 1024;

export const auditMetrics = {
  lost: {
    name: 'porthole_audit_events_lost_total',
    help: 'Audit events that were lost because the output was too slow or could not be written.',
  },
} as const;

/** Opens the configured output for audit lines: standard output, a file to append to, or none. */
export function openAuditOutput(deps: {
  readonly config: Config['audit'];
  /** The stream that the log uses, so that audit lines and log lines do not interleave. */
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
    if (!failing) log.error('audit events are lost: the output is too slow');
    failing = true;
  });
  // The stream keeps the lines, and retries with the next one.
  output.on('error', (error: Error) => {
    if (!failing) log.error({ err: error }, 'audit events cannot be written');
    failing = true;
  });
  output.on('write', () => {
    if (failing) log.info('audit events are written again');
    failing = false;
  });
  return {
    write: (line) => void output.write(line),
    component: {
      name: 'audit',
      stop: () =>
        new Promise((resolve) => {
          // Also closes the file. On a full disk, it would go on trying, and the process would never exit.
          output
            .once('close', resolve)
            .once('error', () => output.destroy())
            .end();
        }),
    },
  };
}

function openForAppend(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch {
    throw new ConfigError([`audit.file: cannot write ${path}`]);
  }
}
