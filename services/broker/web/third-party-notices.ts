import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { xkbVersion } from './src/console/keyboard/layouts/xkb-layouts.ts';

const require = createRequire(import.meta.url);

/** The nearest package.json above a package's entry: `exports` hides it from a plain require. */
function versionOf(name: string, entry: string): string {
  const path = require.resolve(entry);
  const root = path.slice(0, path.lastIndexOf(`node_modules/${name}/`)) + `node_modules/${name}/package.json`;
  return (JSON.parse(readFileSync(root, 'utf8')) as { version: string }).version;
}

export function thirdPartyNotices(): string {
  const novnc = versionOf('@novnc/novnc', '@novnc/novnc');
  const preact = versionOf('preact', 'preact');
  const xterm = versionOf('@xterm/xterm', '@xterm/xterm');
  const fit = versionOf('@xterm/addon-fit', '@xterm/addon-fit');
  const icu = versionOf('icu-minify', 'icu-minify/format');
  return `The pages of Porthole contain the following third-party software.

noVNC ${novnc} (core library)
  Copyright (C) The noVNC authors
  Mozilla Public License 2.0: https://www.mozilla.org/MPL/2.0/
  Unmodified source code: https://github.com/novnc/noVNC/tree/v${novnc}
  or: npm pack @novnc/novnc@${novnc}

pako (part of noVNC, vendor/pako)
  Copyright (C) 2014-2017 by Vitaly Puzrin and Andrei Tuputcyn
  MIT License and zlib License: https://github.com/nodeca/pako

preact ${preact}
  Copyright (c) 2015-present Jason Miller
  MIT License: https://github.com/preactjs/preact/blob/main/LICENSE

icu-minify ${icu}
  Copyright (c) 2024 Jan Amann
  MIT License: https://github.com/amannn/next-intl/blob/main/LICENSE

xkeyboard-config ${xkbVersion} (the keyboard layouts for typing text)
  Copyright (C) The authors of xkeyboard-config, among them Joseph Moss, Free Software Foundation Inc.,
  Dmitry Golubev, Gregory Mokhin, Digital Equipment Corporation, X Consortium, The Open Group, Red Hat Inc.
  MIT/X11 licenses: https://gitlab.freedesktop.org/xkeyboard-config/xkeyboard-config/-/blob/master/COPYING

@xterm/xterm ${xterm}, @xterm/addon-fit ${fit}
  Copyright (c) 2017-2019 The xterm.js authors, 2014-2016 SourceLair Private Company, 2012-2013 Christopher Jeffrey
  MIT License: https://github.com/xtermjs/xterm.js/blob/master/LICENSE
`;
}
