import type { Duplex } from 'node:stream';
import type { Cancel } from '@porthole/shared/time/clock';
import type { ConsoleProgram } from './byte-sink.ts';
import type { Cluster } from './cluster.ts';
import { drawDelay } from './delay.ts';
import type { Machine } from './machines.ts';

/** Time for which a password that was set over the monitor is valid for new connections. */
const passwordSeconds = 30;

/**
 * `qm vncproxy`, the program behind the console port of a QEMU guest. It starts when its client is accepted, and only
 * then sets the guest's VNC password, so that the later of two overlapping openings invalidates the earlier password.
 */
export function qmVncproxy(options: {
  cluster: Cluster;
  machine: Machine;
  /** The node in the path of the call. Proxmox looks for the guest only there. */
  node: string;
  viaSsh: boolean;
  password: string;
}): ConsoleProgram {
  const { cluster, machine, node, viaSsh, password } = options;
  const { clock, settings } = cluster;

  return (client) => {
    const early: Buffer[] = [];
    let connection: Duplex | undefined;
    let ended = false;
    let cancelIdle: Cancel | undefined;

    const end = () => {
      if (ended) return;
      ended = true;
      cancelIdle?.();
      connection?.destroy();
      client.end();
    };
    const busy = () => {
      cancelIdle?.();
      cancelIdle = clock.after(settings.idleSeconds * 1000, end);
    };

    const start = async () => {
      if (cluster.isSilent(machine)) return;
      if (machine.node !== node || !machine.running) return end();
      // It goes on trying to set the password.
      if (machine.hung || machine.vga === 'none') {
        clock.after(settings.vncSilenceMs, end);
        return;
      }
      if (!machine.guest) return end();
      // The real program does not check either whether the client is still connected.
      await machine.guest.setPassword(password, passwordSeconds);
      const opened = await machine.guest.connect();
      opened.on('error', end);
      opened.on('close', end);
      opened.on('end', end);
      connection = opened;
      if (ended) {
        opened.destroy();
        return;
      }
      opened.on('data', (bytes: Buffer) => {
        if (ended) return;
        busy();
        client.data(bytes);
      });
      busy();
      for (const bytes of early) opened.write(bytes);
    };

    const startMs = drawDelay(settings.qmStartMs, cluster.random) + (viaSsh ? settings.sshMs : 0);
    clock.after(startMs, () => void start().catch(end));

    return {
      data(bytes) {
        if (ended) return;
        if (!connection) {
          early.push(bytes);
          return;
        }
        busy();
        connection.write(bytes);
      },
      end,
    };
  };
}
