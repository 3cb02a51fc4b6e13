import { Counter, Gauge, type Registry } from 'prom-client';

/** What walls report for the metrics. */
export interface WallMetrics {
  /** One wall more or less. */
  walls(change: 1 | -1): void;
  /** A picture of so many bytes was sent. */
  picture(bytes: number): void;
}

export function createWallMetrics(registry: Registry): WallMetrics {
  const registers = [registry];
  const walls = new Gauge({
    name: 'porthole_relay_walls',
    help: 'Open walls: pages of classes that show small pictures of the machines.',
    registers,
  });
  const pictures = new Counter({
    name: 'porthole_relay_wall_pictures_total',
    help: 'Small pictures that were sent to walls.',
    registers,
  });
  const bytes = new Counter({
    name: 'porthole_relay_wall_picture_bytes_total',
    help: 'Bytes of the small pictures that were sent to walls.',
    registers,
  });
  return {
    walls: (change) => walls.inc(change),
    picture(length) {
      pictures.inc();
      bytes.inc(length);
    },
  };
}
