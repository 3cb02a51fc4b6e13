import { Counter, type Registry } from 'prom-client';

const handovers = ['confirmed', 'timeout'] as const;
const askResults = ['sent', 'refused'] as const;

/** What the relay exports about who has control of machines, besides the number of consoles that are held back. */
export interface ControlMetrics {
  /** Control of a machine was taken or returned, as applied to its consoles at this relay. */
  controlChanged(foundBy: 'signal' | 'poll'): void;
  /** After a change, input may pass, because the other relays hold back theirs. `timeout`: one of them did not confirm. */
  controlHandedOver(result: (typeof handovers)[number]): void;
  /** A user asked for control back. `refused`: too often, or the store is unavailable. */
  controlAsked(result: (typeof askResults)[number]): void;
}

export function createControlMetrics(registry: Registry): ControlMetrics {
  const registers = [registry];
  const changes = new Counter({
    name: 'porthole_relay_control_changes_total',
    help: 'Times that control of a machine was taken or returned, as applied by this relay, by how it found out: signal, or poll if the signal was lost.',
    labelNames: ['found_by'],
    registers,
  });
  const requests = new Counter({
    name: 'porthole_relay_control_requests_total',
    help: 'Users who asked for control back; refused: too often, or the store was unavailable.',
    labelNames: ['result'],
    registers,
  });
  const handedOver = new Counter({
    name: 'porthole_relay_control_handovers_total',
    help: 'Changes of control after which this relay waited for the other relays with consoles of the machine; timeout: one of them did not confirm within two seconds.',
    labelNames: ['result'],
    registers,
  });
  for (const foundBy of ['signal', 'poll']) changes.inc({ found_by: foundBy }, 0);
  for (const result of handovers) handedOver.inc({ result }, 0);
  for (const result of askResults) requests.inc({ result }, 0);
  return {
    controlChanged: (foundBy) => changes.inc({ found_by: foundBy }),
    controlHandedOver: (result) => handedOver.inc({ result }),
    controlAsked: (result) => requests.inc({ result }),
  };
}
