import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { consoleWays, type ConsoleWay } from '../upstream/console-way.ts';

/** Why a session opened a console of its own instead of sharing one. */
export const fallbackReasons = [
  'limit',
  'screen_failed',
  'no_address',
  'owner_unreachable',
  'store_unavailable',
] as const;
export type FallbackReason = (typeof fallbackReasons)[number];

const adoptionResults = ['ok', 'impossible', 'failed'] as const;
const healResults = ['ok', 'failed'] as const;

export interface SharingDialMetrics {
  /** One session more or less whose bytes come this way. */
  sessionsBy(way: ConsoleWay, change: 1 | -1): void;
  /** A shared screen took over a running console; or it could not, and opened one. */
  adoption(result: (typeof adoptionResults)[number]): void;
  /** A shared screen has its console again after so many seconds, or its viewers were ended. */
  heal(result: (typeof healResults)[number], seconds: number): void;
  fallback(reason: FallbackReason): void;
  /** Seconds from a viewer's arrival to its place at a screen, here or at another relay. */
  attached(way: Exclude<ConsoleWay, 'pass_through'>, seconds: number): void;
}

export function createSharingDialMetrics(registry: Registry): SharingDialMetrics {
  const registers = [registry];
  const sessions = new Gauge({
    name: 'porthole_relay_screen_sessions',
    help: 'Open screens by the way of their data: pass_through (a console at Proxmox of their own), shared (a console of this relay that others use, too), or forwarded (a console of another relay).',
    labelNames: ['way'],
    registers,
  });
  const adoptions = new Counter({
    name: 'porthole_relay_screen_adoptions_total',
    help: 'Times that a console of one viewer became a shared one, by result: ok, impossible (its viewer can not resume), or failed. In the latter two cases, a second console was opened.',
    labelNames: ['result'],
    registers,
  });
  const heals = new Counter({
    name: 'porthole_relay_screen_heals_total',
    help: 'Shared screens that lost their console, by result: ok (opened again), or failed (the viewers were told why).',
    labelNames: ['result'],
    registers,
  });
  const healSeconds = new Histogram({
    name: 'porthole_relay_screen_heal_duration_seconds',
    help: 'Time without a console of shared screens that got one again, in seconds.',
    buckets: [1, 2, 3, 5, 10, 20, 30, 60, 120],
    registers,
  });
  const fallbacks = new Counter({
    name: 'porthole_relay_screen_fallbacks_total',
    help: 'Consoles that were opened although another one of the machine may exist, by reason: limit (of screens, viewers or memory), screen_failed, no_address or owner_unreachable (the relay that has the other one), or store_unavailable.',
    labelNames: ['reason'],
    registers,
  });
  const attachSeconds = new Histogram({
    name: 'porthole_relay_screen_attach_duration_seconds',
    help: 'Time from the request of a viewer to its place at a shared screen in seconds, by the way of its data.',
    labelNames: ['way'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10],
    registers,
  });
  for (const way of consoleWays) sessions.set({ way }, 0);
  for (const result of adoptionResults) adoptions.inc({ result }, 0);
  for (const result of healResults) heals.inc({ result }, 0);
  for (const reason of fallbackReasons) fallbacks.inc({ reason }, 0);
  for (const way of ['shared', 'forwarded']) attachSeconds.zero({ way });
  return {
    sessionsBy: (way, change) => sessions.inc({ way }, change),
    adoption: (result) => adoptions.inc({ result }),
    heal(result, seconds) {
      heals.inc({ result });
      if (result === 'ok') healSeconds.observe(seconds);
    },
    fallback: (reason) => fallbacks.inc({ reason }),
    attached: (way, seconds) => attachSeconds.observe({ way }, seconds),
  };
}
