import type { Machine } from './machines.ts';

/** What dtach has taken and not passed on before it stops. The real one takes 16 KiB, and has stopped at 45 KiB. */
const maxPendingBytes = 32 * 1024;
const stepBytes = 1024;

/**
 * dtach, which connects all terminals of a container to its one console (pve-container LXC.pm, get_console_command). It
 * passes input on in small steps. Given too much at once, it stops: it waits to write input while its client waits to
 * write output. Nothing gets through then, for all viewers of the container, until dtach is killed.
 */
export function createDtach(
  machine: Machine,
  input: (bytes: Buffer) => void,
): { push(bytes: Buffer): void; end(): void } {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let step: NodeJS.Immediate | undefined;

  function passOn(): void {
    step = undefined;
    const [first, ...rest] = pending;
    if (!first || machine.dtachStopped) return;
    const bytes = first.subarray(0, stepBytes);
    pendingBytes -= bytes.length;
    pending = bytes.length < first.length ? [first.subarray(bytes.length), ...rest] : rest;
    input(bytes);
    if (pending.length > 0) step ??= setImmediate(passOn);
  }

  return {
    push(bytes) {
      if (machine.dtachStopped) return;
      pending.push(bytes);
      pendingBytes += bytes.length;
      if (pendingBytes > maxPendingBytes) machine.dtachStopped = true;
      else step ??= setImmediate(passOn);
    },
    end() {
      if (step) clearImmediate(step);
      pending = [];
    },
  };
}
