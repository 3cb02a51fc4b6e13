import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../eventually.ts';
import { findExecutable } from './availability.ts';
import { bootSector } from './boot-sector.ts';
import { connectUnix } from './connect-unix.ts';
import type { Guest } from './guest.ts';
import { spawnOwned } from './owned-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { parsePpm } from './ppm.ts';
import type { Picture } from './ppm.ts';
import { openQmp } from './qmp.ts';
import type { Qmp } from './qmp.ts';
import { createStopListeners } from './stop-listeners.ts';

export interface QemuGuestOptions {
  name: string;
  memoryMb?: number;
  /** 512 bytes. Default: shows a banner and echoes typed keys. */
  bootSector?: Buffer;
  /** QEMU's option `-k`, which Proxmox sets for a machine or a datacenter with a keyboard layout. */
  keyboard?: string;
}

/** Real QEMU, with the VNC options of Proxmox. */
export interface QemuGuest extends Guest {
  /** A screenshot from QEMU's monitor. */
  screendump(): Promise<Picture>;
  /** Lines of QEMU's trace for keyboard and mouse events so far. */
  inputs(): Promise<readonly string[]>;
  /** Number of VNC clients of QEMU. */
  viewers(): Promise<number>;
  /** Resolves when the screen shows the banner of the boot sector, which then accepts keys. */
  booted(): Promise<void>;
}

const program = 'qemu-system-x86_64';

export const qemuMissing = `${program} is not installed (Debian package qemu-system-x86)`;

export function qemuAvailable(): boolean {
  return findExecutable(program) !== undefined;
}

interface Run {
  folder: string;
  process: OwnedProcess;
  qmp: Qmp;
  /** The lines of the trace that were read so far, and where to read on. */
  readonly trace: { lines: string[]; offset: number; rest: string };
}

export function createQemuGuest(options: QemuGuestOptions): QemuGuest {
  const { name, memoryMb = 64, bootSector: sector, keyboard } = options;
  const stopped = createStopListeners();
  const banner = ` ${name}\n\nEverything you type appears here.\n\n> `;
  let run: Run | undefined;
  let starting: Promise<void> | undefined;
  let over: Promise<void> = Promise.resolve();

  const theRun = () => {
    if (!run) throw new Error(`${name} is not running`);
    return run;
  };

  const cleanUpAfter = async (process: OwnedProcess, folder: string) => {
    await process.exited;
    const ran = run !== undefined;
    run?.qmp.close();
    run = undefined;
    await rm(folder, { recursive: true, force: true });
    if (ran) stopped.notify();
  };

  const powerOn = async () => {
    const executable = findExecutable(program);
    if (executable === undefined) throw new Error(qemuMissing);
    await over;
    const folder = await mkdtemp(join(tmpdir(), 'porthole-qemu-'));
    const disk = join(folder, 'disk');
    await writeFile(disk, sector ?? bootSector(banner));
    const args = [
      ['-name', name],
      ['-machine', 'pc'],
      ['-accel', 'tcg'],
      ['-m', String(memoryMb)],
      ['-nodefaults'],
      ['-display', 'none'],
      ['-vga', 'std'],
      ['-drive', `file=${disk},format=raw,if=ide`],
      ['-vnc', `unix:${join(folder, 'vnc')},password=on`],
      ['-D', join(folder, 'trace')],
      ['-trace', 'input_event_*'],
      ['-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
      keyboard === undefined ? [] : ['-k', keyboard],
    ];
    const process = spawnOwned(executable, args.flat());
    over = cleanUpAfter(process, folder);
    try {
      const unless = () => (process.running ? undefined : `QEMU ended: ${process.complaints()}`);
      const monitor = await eventually('QEMU opens its monitor', () => connectUnix(join(folder, 'qmp')), {
        unless,
      });
      const qmp = await openQmp(monitor);
      const probe = await eventually('QEMU opens VNC', () => connectUnix(join(folder, 'vnc')), { unless });
      probe.destroy();
      run = { folder, process, qmp, trace: { lines: [], offset: 0, rest: '' } };
    } catch (error) {
      process.end('SIGKILL');
      await over;
      throw error;
    }
  };

  const pullThePlug = async () => {
    await starting?.catch(() => {});
    run?.process.end('SIGKILL');
    await over;
  };

  const guest: QemuGuest = {
    get running() {
      return run !== undefined;
    },
    async start() {
      if (run) return;
      starting ??= powerOn().finally(() => {
        starting = undefined;
      });
      await starting;
    },
    stop: pullThePlug,
    async shutdown() {
      const { qmp, process } = theRun();
      await qmp.execute('system_powerdown');
      // The boot sector has no ACPI. Another guest gets more time before it is ended.
      const patience = new AbortController();
      const wait = sector ? 10_000 : 300;
      await Promise.race([
        process.exited,
        delay(wait, undefined, { signal: patience.signal }).catch(() => {}),
      ]);
      patience.abort();
      if (process.running) await qmp.execute('quit').catch(() => {});
      await over;
    },
    async reset() {
      await theRun().qmp.execute('system_reset');
    },
    async setPassword(password, maxSeconds) {
      const { qmp } = theRun();
      await qmp.execute('set_password', { protocol: 'vnc', password });
      await qmp.execute('expire_password', { protocol: 'vnc', time: `+${maxSeconds}` });
    },
    async connect() {
      return connectUnix(join(theRun().folder, 'vnc'));
    },
    onStopped: (listener) => stopped.add(listener),
    close: pullThePlug,
    async screendump() {
      const { qmp, folder } = theRun();
      const filename = join(folder, 'screen.ppm');
      await qmp.execute('screendump', { filename });
      return parsePpm(await readFile(filename));
    },
    async inputs() {
      const { folder, trace } = theRun();
      const file = await open(join(folder, 'trace'));
      try {
        // The trace only grows, and can be long.
        const { buffer, bytesRead } = await file.read({
          position: trace.offset,
          buffer: Buffer.alloc(1024 * 1024),
        });
        trace.offset += bytesRead;
        const complete = (trace.rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
        trace.rest = complete.pop() ?? '';
        trace.lines.push(...complete.filter((line) => /input_event_(key|btn|rel|abs)/.test(line)));
        return [...trace.lines];
      } finally {
        await file.close();
      }
    },
    async viewers() {
      const { clients } = (await theRun().qmp.execute('query-vnc')) as { clients: readonly unknown[] };
      return clients.length;
    },
    async booted() {
      await eventually('the boot sector shows its banner', async () => {
        const { width, height, data } = await guest.screendump();
        // In text mode, the upper right corner has the blue of the banner's row.
        const [red = 255, green = 255, blue = 0] = data.subarray((width - 1) * 3, width * 3);
        return height === 400 && red < 32 && green < 32 && blue > 128;
      });
    },
  };
  return guest;
}
