import type { AuditEvent } from './events.ts';
import type { Clock } from '../time/clock.ts';

/** Who did what, for those who have to answer for it later. Never throws, never waits. */
export type Audit = (event: AuditEvent) => void;

/** For tests and tools that answer to nobody. */
export const noAudit: Audit = () => {};

/** To several at once. */
export function combineAudits(one: Audit = noAudit, other: Audit): Audit {
  return (event) => {
    one(event);
    other(event);
  };
}

/** One JSON line for each event; `"audit":1` tells them from lines of the log, should both go the same way. */
export function createAudit(deps: {
  readonly service: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly write: (line: string) => void;
}): Audit {
  const { service, clock, write } = deps;
  return ({ event, ...fields }) =>
    write(
      `${JSON.stringify({ audit: 1, time: new Date(clock.now()).toISOString(), service, event, ...fields })}\n`,
    );
}
