import { Counter, Gauge, type Registry } from 'prom-client';

/** What the relay exports about parked sessions. */
export interface ParkingMetrics {
  /** A session has released its console at Proxmox, because its page is hidden. */
  parked(): void;
  /** A parked session has ended here. `returned`: the page is visible and resumes it. */
  parkingEnded(returned: boolean): void;
}

export function createParkingMetrics(registry: Registry): ParkingMetrics {
  const registers = [registry];
  const parked = new Gauge({
    name: 'porthole_relay_parked_sessions',
    help: 'Sessions whose page is hidden and whose console at Proxmox is closed meanwhile.',
    registers,
  });
  const parkings = new Counter({
    name: 'porthole_relay_parkings_total',
    help: 'Consoles at Proxmox that were closed because their page was hidden.',
    registers,
  });
  const returns = new Counter({
    name: 'porthole_relay_parking_returns_total',
    help: 'Parked sessions whose page became visible and opened the console again.',
    registers,
  });
  return {
    parked() {
      parked.inc();
      parkings.inc();
    },
    parkingEnded(returned) {
      parked.dec();
      if (returned) returns.inc();
    },
  };
}
