import type { AuditEvent } from './events.ts';
import { escapeControls } from '../telemetry/escape-controls.ts';
import type { Clock } from '../time/clock.ts';

/** Records an audit event. Never throws and never waits. */
export type Audit = (event: AuditEvent) => void;

/** Discards all events. For tests and command-line tools. */
export const noAudit: Audit = () => {};

/** Passes each event to both. */
export function combineAudits(first: Audit = noAudit, second: Audit): Audit {
  return (event) => {
    first(event);
    second(event);
  };
}

/** Writes one JSON line per event. The field `"audit":1` distinguishes it from log lines in the same stream. */
export function createAudit(deps: {
  readonly service: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly write: (line: string) => void;
}): Audit {
  const { service, clock, write } = deps;
  return ({ event, ...fields }) => {
    const time = new Date(clock.now()).toISOString();
    write(`${escapeControls(JSON.stringify({ audit: 1, time, service, event, ...fields }))}\n`);
  };
}
