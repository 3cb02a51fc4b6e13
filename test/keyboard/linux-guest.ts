import { execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { LayoutId } from '../../services/broker/web/src/console/keyboard/layouts/layout-list.ts';
import { eventually } from '../eventually.ts';
import { connectUnix } from '../fakes/guests/connect-unix.ts';
import { openRfb, encodings, type RfbClient } from '../fakes/guests/rfb-client.ts';
import { createCpio, type InitramfsFile } from './cpio.ts';
import { sections } from './xkb-layouts.ts';

/** Debian's kernel in QEMU, whose console uses the layouts that Debian makes of xkeyboard-config (`ckbcomp`, `loadkeys`). */
export interface LinuxGuest {
  readonly rfb: RfbClient;
  useLayout(id: LayoutId): Promise<void>;
  /** What its console has received since the layout was loaded. */
  received(): string;
  stop(): Promise<void>;
}

/** Forwards what the console types to the first serial port, and loads the layouts that the second one names. */
const init = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox stty -F /dev/ttyS0 raw -echo
/bin/busybox stty -F /dev/ttyS1 raw -echo icanon
/bin/busybox stty -F /dev/tty1 raw -echo
/bin/kbd_mode -u -C /dev/tty1
/bin/busybox cat /dev/tty1 > /dev/ttyS0 &
echo -n '@ready@' > /dev/ttyS0
while read layout; do
  /bin/loadkeys -q -u -C /dev/tty1 /keymaps/$layout > /dev/ttyS0 2>&1
  echo -n "@$layout@" > /dev/ttyS0
done < /dev/ttyS1
`;

/** From Debian, without installing them: a kernel has to be on no machine that runs tests. */
const packages = ['busybox-static', 'kbd', 'console-setup', 'keyboard-configuration'];

async function unpackPackages(folder: string): Promise<string> {
  const kernel = execFileSync('apt-cache', ['depends', 'linux-image-cloud-amd64'], { encoding: 'utf8' });
  const [image = ''] = /linux-image-\d\S+/.exec(kernel) ?? [];
  execFileSync('apt-get', ['download', '-qq', image, ...packages], { cwd: folder, stdio: 'pipe' });
  for (const file of globSync('*.deb', { cwd: folder }))
    execFileSync('dpkg-deb', ['-x', file, folder], { cwd: folder });
  return folder;
}

function initramfs(folder: string): Buffer {
  const program = (path: string): InitramfsFile => ({
    path,
    content: readFileSync(join(folder, path)),
    mode: 0o755,
  });
  const library = (path: string): InitramfsFile => ({
    path: path.slice(1),
    content: readFileSync(path),
    mode: 0o755,
  });
  const libraries = execFileSync('ldd', [join(folder, 'bin/loadkeys')], { encoding: 'utf8' }).matchAll(
    /\s(\/\S+)/g,
  );
  return createCpio([
    { path: 'init', content: Buffer.from(init), mode: 0o755 },
    program('bin/busybox'),
    program('bin/loadkeys'),
    program('bin/kbd_mode'),
    ...[...libraries].map(([, path = '']) => library(path)),
    ...Object.entries(sections).map(([id, section]) => {
      const [, layout = '', variant = ''] = /^(\w+)(?:\((\w+)\))?$/.exec(section) ?? [];
      const args = [
        join(folder, 'usr/bin/ckbcomp'),
        '-I/usr/share/X11/xkb',
        '-layout',
        layout,
        '-variant',
        variant,
      ];
      const content = execFileSync('perl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      return { path: `keymaps/${id}`, content, mode: 0o644 };
    }),
  ]);
}

export async function startLinuxGuest(): Promise<LinuxGuest> {
  const folder = await unpackPackages(await mkdtemp(join(tmpdir(), 'porthole-linux-')));
  writeFileSync(join(folder, 'initramfs'), gzipSync(initramfs(folder)));
  const [kernel = ''] = globSync('boot/vmlinuz-*', { cwd: folder });
  const args = [
    ['-machine', 'pc', '-accel', 'tcg', '-m', '256', '-nodefaults', '-display', 'none', '-vga', 'std'],
    ['-kernel', join(folder, kernel), '-initrd', join(folder, 'initramfs'), '-append', 'quiet console=tty0'],
    ['-chardev', `file,id=keys,path=${join(folder, 'keys')}`, '-serial', 'chardev:keys'],
    [
      '-chardev',
      `socket,id=orders,path=${join(folder, 'orders')},server=on,wait=off`,
      '-serial',
      'chardev:orders',
    ],
    ['-vnc', `unix:${join(folder, 'vnc')}`],
  ];
  const qemu = spawn('qemu-system-x86_64', args.flat(), { stdio: ['ignore', 'inherit', 'inherit'] });
  const output = () => (existsSync(join(folder, 'keys')) ? readFileSync(join(folder, 'keys'), 'utf8') : '');
  await eventually('Linux is ready', () => output().includes('@ready@'));
  const orders = await connectUnix(join(folder, 'orders'));
  const rfb = await openRfb(await connectUnix(join(folder, 'vnc')), {
    encodings: [encodings.raw, encodings.qemuExtendedKey],
  });
  let from = 0;
  return {
    rfb,
    async useLayout(id) {
      const before = output().length;
      orders.write(`${id}\n`);
      const sign = `@${id}@`;
      from = await eventually(`Linux loads the layout ${id}`, () => {
        const at = output().indexOf(sign, before);
        return at >= 0 && at + sign.length;
      });
    },
    received: () => output().slice(from).replaceAll('\r', '\n'),
    async stop() {
      rfb.close();
      orders.destroy();
      qemu.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
