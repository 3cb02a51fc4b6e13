import { Counter, Gauge, type Registry } from 'prom-client';
import type { ScreenMetrics, ScreenReadings } from './screen-metrics.ts';

const works = ['decode', 'encode'] as const;

export function createScreenMetrics(
  registry: Registry,
  deps: { readonly ping: ScreenMetrics['ping']; readonly readings: () => ScreenReadings },
): ScreenMetrics {
  const registers = [registry];
  const work = new Counter({
    name: 'porthole_relay_screen_work_seconds_total',
    help: 'CPU time that worker threads have worked for shared screens in seconds, by work: decode (bytes of machines) or encode (for their viewers).',
    labelNames: ['work'],
    registers,
  });
  const lost = new Counter({
    name: 'porthole_relay_screen_workers_lost_total',
    help: 'Worker threads of shared screens that died or hung. Their screens open their consoles again.',
    registers,
  });
  for (const kind of works) work.inc({ work: kind }, 0);
  const gauges = {
    screens: [
      'porthole_relay_shared_screens',
      'Shared screens of this relay: machines with one console for all viewers.',
    ],
    viewers: [
      'porthole_relay_shared_screen_viewers',
      'Viewers of the shared screens of this relay, also those of other relays.',
    ],
    thumbnails: [
      'porthole_relay_shared_screen_thumbnails',
      'Tiles of walls that show shared screens of this relay, also walls at other relays.',
    ],
    pixels: ['porthole_relay_shared_screen_pixels', 'Pixels of all shared screens of this relay.'],
    cacheBytes: [
      'porthole_relay_shared_screen_cache_bytes',
      'Encoded pictures that worker threads keep for viewers, in bytes.',
    ],
  } as const satisfies Record<keyof ScreenReadings, readonly [name: string, help: string]>;
  for (const reading of ['screens', 'viewers', 'thumbnails', 'pixels', 'cacheBytes'] as const) {
    const [name, help] = gauges[reading];
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(deps.readings()[reading]);
      },
    });
    registry.registerMetric(gauge);
  }
  return {
    pictureWork: (kind, seconds) => work.inc({ work: kind }, seconds),
    workerLost: () => lost.inc(),
    ping: deps.ping,
  };
}
