import { randomBytes } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@porthole/shared/time/clock';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { findExecutable } from './availability.ts';
import { connectUnix } from './connect-unix.ts';
import type { Guest } from './guest.ts';
import { spawnOwned } from './owned-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { createStopListeners } from './stop-listeners.ts';
import { createTestCard } from './test-card.ts';
import { obfuscatedPassword } from './vnc-des.ts';
import { openX11 } from './x11-painter.ts';
import type { X11Painter } from './x11-painter.ts';

export interface XvncGuestOptions {
  name: string;
  /** Expires passwords, because those of Xvnc have no lifetime. */
  clock?: Clock;
  width?: number;
  height?: number;
}

export const xvncMissing = 'Xvnc is not installed (Debian package tigervnc-standalone-server)';

export function xvncAvailable(): boolean {
  return findExecutable('Xtigervnc', 'Xvnc') !== undefined;
}

interface Run {
  folder: string;
  process: OwnedProcess;
  painter: X11Painter;
}

/** TigerVNC's Xvnc with a test card on its screen, as a VNC server besides QEMU's and the built-in one. */
export function createXvncGuest({
  name,
  clock = systemClock,
  width = 800,
  height = 600,
}: XvncGuestOptions): Guest {
  const stopped = createStopListeners();
  const card = createTestCard(name);
  let run: Run | undefined;
  let starting: Promise<void> | undefined;
  let over: Promise<void> = Promise.resolve();
  let cancelExpiry: Cancel | undefined;

  const theRun = () => {
    if (!run) throw new Error(`${name} is not running`);
    return run;
  };

  // Xvnc reads the file for each authentication. Renaming keeps it from reading a partial file.
  const writePassword = async (folder: string, password: string) => {
    const fresh = join(folder, `password-${randomBytes(4).toString('hex')}`);
    await writeFile(fresh, obfuscatedPassword(password), { mode: 0o600 });
    await rename(fresh, join(folder, 'password'));
  };
  const lockOut = (folder: string) => writePassword(folder, randomBytes(8).toString('latin1'));

  const cleanUpAfter = async (process: OwnedProcess, folder: string) => {
    await process.exited;
    const ran = run !== undefined;
    cancelExpiry?.();
    run?.painter.close();
    run = undefined;
    await rm(folder, { recursive: true, force: true });
    if (ran) stopped.notify();
  };

  const powerOn = async () => {
    const executable = findExecutable('Xtigervnc', 'Xvnc');
    if (executable === undefined) throw new Error(xvncMissing);
    await over;
    const folder = await mkdtemp(join(tmpdir(), 'porthole-xvnc-'));
    await lockOut(folder);
    const socket = join(folder, 'vnc');
    const args = [
      // The server reports the free display number that it chose.
      ['-displayfd', '3'],
      ['-rfbunixpath', socket],
      ['-SecurityTypes', 'VncAuth'],
      ['-PasswordFile', join(folder, 'password')],
      // All viewers on a unix socket are the same host, which a few wrong passwords would lock out.
      ['-UseBlacklist=0'],
      ['-geometry', `${width}x${height}`],
      ['-depth', '24'],
      ['-AcceptSetDesktopSize=0'],
      ['-desktop', name],
      ['-nolisten', 'tcp'],
      ['-noreset'],
      ['-ac'],
    ];
    const process = spawnOwned(executable, args.flat());
    over = cleanUpAfter(process, folder);
    try {
      let said = '';
      process.report.on('data', (chunk: Buffer) => {
        said += chunk.toString('latin1');
      });
      const unless = () => (process.running ? undefined : `Xvnc ended: ${process.complaints()}`);
      const display = await eventually('Xvnc names its display', () => /^(\d+)\n/.exec(said)?.[1] ?? false, {
        unless,
      });
      const painter: X11Painter = await openX11(Number(display), {
        key: (keysym) => card.key(painter, keysym),
        button: (x, y, button) => card.button(painter, x, y, button),
        motion: (x, y) => card.motion(painter, x, y),
      });
      card.draw(painter);
      const probe = await eventually('Xvnc opens VNC', () => connectUnix(socket), { unless });
      probe.destroy();
      run = { folder, process, painter };
    } catch (error) {
      process.end('SIGKILL');
      await over;
      throw error;
    }
  };

  // On SIGTERM, Xvnc removes its lock file and its sockets from /tmp.
  const end = async () => {
    await starting?.catch(() => {});
    const ending = run?.process;
    ending?.end('SIGTERM');
    const cancelKill = systemClock.after(5_000, () => ending?.end('SIGKILL'));
    await over;
    cancelKill();
  };

  return {
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
    stop: end,
    shutdown: end,
    async reset() {
      card.draw(theRun().painter);
    },
    async setPassword(password, maxSeconds) {
      const { folder } = theRun();
      await writePassword(folder, password);
      cancelExpiry?.();
      cancelExpiry = clock.after(maxSeconds * 1000, () => {
        // The folder is removed when the server ends.
        lockOut(folder).catch(() => {});
      });
    },
    async connect() {
      return connectUnix(join(theRun().folder, 'vnc'));
    },
    onStopped: (listener) => stopped.add(listener),
    close: end,
  };
}
