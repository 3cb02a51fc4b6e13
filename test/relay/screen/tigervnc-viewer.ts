import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../eventually.ts';
import { findExecutable } from '../../fakes/guests/availability.ts';
import { connectUnix } from '../../fakes/guests/connect-unix.ts';
import { spawnOwned, type OwnedProcess } from '../../fakes/guests/owned-process.ts';
import type { Picture } from '../../fakes/guests/ppm.ts';
import { openRfb } from '../../fakes/guests/rfb-client.ts';
import { withoutFourth } from '../../e2e/pictures.ts';

/** TigerVNC's viewer in full screen, on a display of its own that can be read. */
export interface TigervncViewer {
  /** What it shows. */
  picture(): Promise<Picture>;
  close(): Promise<void>;
}

/** Starts a viewer on a display of this size. `serve` is given its connection. */
export async function openTigervncViewer(options: {
  readonly width: number;
  readonly height: number;
  readonly encoding: 'Tight' | 'Hextile' | 'Raw';
  readonly serve: (connection: Socket) => void;
}): Promise<TigervncViewer> {
  const { width, height, encoding, serve } = options;
  const folder = await mkdtemp(join(tmpdir(), 'porthole-tigervnc-'));
  const [displaySocket, serverSocket] = [join(folder, 'display'), join(folder, 'server')];
  const server = createServer(serve).listen(serverSocket);
  const processes: OwnedProcess[] = [];
  const start = (names: readonly string[], args: readonly (readonly string[])[]) => {
    const executable = findExecutable(...names);
    if (executable === undefined) throw new Error(`${names.join(' or ')} is not installed`);
    const process = spawnOwned(executable, args.flat(), { HOME: folder });
    processes.push(process);
    return { process, unless: () => (process.running ? undefined : process.complaints() || 'it has ended') };
  };

  async function close(): Promise<void> {
    for (const process of processes.toReversed()) {
      process.end('SIGTERM');
      await process.exited;
    }
    server.close();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const display = start(
      ['Xtigervnc', 'Xvnc'],
      [
        ['-displayfd', '3'],
        ['-rfbunixpath', displaySocket],
        ['-SecurityTypes', 'None'],
        ['-geometry', `${width}x${height}`],
        ['-depth', '24'],
        ['-nolisten', 'tcp'],
        ['-nocursor'],
        ['-ac'],
      ],
    );
    let said = '';
    display.process.report.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')));
    const number = await eventually('Xvnc names its display', () => /^(\d+)\n/.exec(said)?.[1] ?? false, {
      unless: display.unless,
    });
    start(
      ['xtigervncviewer', 'vncviewer'],
      [
        ['-display', `:${number}`],
        ['-FullScreen', '-Shared', '-ViewOnly', '-NoJPEG', '-RemoteResize=0', '-AutoSelect=0'],
        ['-PreferredEncoding', encoding],
        ['-SecurityTypes', 'None'],
        ['-AlertOnFatalError=0', '-ReconnectOnError=0'],
        [serverSocket],
      ],
    );
    return {
      close,
      async picture() {
        const rfb = await openRfb(await connectUnix(displaySocket));
        try {
          rfb.requestUpdate(false);
          await rfb.nextUpdate();
          return withoutFourth({ width: rfb.width, height: rfb.height, data: rfb.framebuffer });
        } finally {
          rfb.close();
        }
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
