import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { every, type Clock } from '@porthole/shared/time/clock';
import type { FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';

const pollMs = 500;

/** Writes a line whenever the number of a machine's consoles at the simulated Proxmox changes. */
export function followConsoles(
  proxmox: Pick<FakeProxmox, 'calls' | 'openConsoles'>,
  clock: Clock,
  write: (line: string) => void,
): LifecycleComponent {
  const known = new Map<number, number>();
  let cancel = () => {};

  function look(): void {
    for (const vmid of openedMachines(proxmox.calls)) {
      const consoles = proxmox.openConsoles(vmid);
      if (consoles === (known.get(vmid) ?? 0)) continue;
      known.set(vmid, consoles);
      write(`  Machine ${vmid}: ${consoles} ${consoles === 1 ? 'console' : 'consoles'} at Proxmox`);
    }
  }

  return {
    name: 'number of consoles',
    async start() {
      cancel = every(clock, pollMs, look);
    },
    async stop() {
      cancel();
    },
  };
}

/** The machines of which a console was requested. */
function openedMachines(calls: FakeProxmox['calls']): Set<number> {
  const opened = calls.flatMap(({ path }) => /\/(\d+)\/(?:vnc|term)proxy$/.exec(path)?.[1] ?? []);
  return new Set(opened.map(Number));
}
