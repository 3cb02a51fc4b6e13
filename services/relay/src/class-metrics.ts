import { Counter, type Registry } from 'prom-client';

const helpResults = ['raised', 'lowered', 'refused'] as const;

/** What the relay exports about classes, besides the number of paused consoles. */
export interface ClassMetrics {
  /** A change of a class was applied to consoles of its members. */
  classChanged(foundBy: 'signal' | 'poll'): void;
  /** A member of a class asked for help, or no longer. `refused`: too often, or the store is unavailable. */
  helpRequest(result: (typeof helpResults)[number]): void;
}

export function createClassMetrics(registry: Registry): ClassMetrics {
  const registers = [registry];
  const changes = new Counter({
    name: 'porthole_relay_class_changes_total',
    help: 'Changes of classes that this relay applied to consoles of members, by how it found out: signal, or poll if the signal was lost.',
    labelNames: ['found_by'],
    registers,
  });
  const requests = new Counter({
    name: 'porthole_relay_help_requests_total',
    help: 'Hands of members that were raised or lowered in their consoles; refused: too often, or the store was unavailable.',
    labelNames: ['result'],
    registers,
  });
  for (const foundBy of ['signal', 'poll']) changes.inc({ found_by: foundBy }, 0);
  for (const result of helpResults) requests.inc({ result }, 0);
  return {
    classChanged: (foundBy) => changes.inc({ found_by: foundBy }),
    helpRequest: (result) => requests.inc({ result }),
  };
}
