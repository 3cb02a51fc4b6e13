import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  /** Missing where they would not be smaller. */
  readonly br?: Buffer;
  readonly gzip?: Buffer;
}

/** The built pages by their path below the folder, "assets/index-4f3a.js". */
export type PageFiles = ReadonlyMap<string, PageFile>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
};
const compressible = /^text\/|json|svg|wasm/;
const required = ['index.html', 'console.html'];

/**
 * Reads and compresses all files once, at the start: they are few and small. Requests then look names up in a map,
 * so no path that anybody makes up ever touches a disk.
 */
export async function loadPages(folder: string): Promise<PageFiles> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).then(
    (entries) => entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)),
    () => [],
  );
  const files = await Promise.all(
    names
      .map((path) => ({ path, name: relative(folder, path).replaceAll(sep, '/') }))
      // Such as .vite/manifest.json, which is the build's own.
      .filter(({ name }) => !name.startsWith('.'))
      .map(async ({ path, name }) => [name, await load(path)] as const),
  );
  const pages = new Map(files);
  const missing = required.filter((name) => !pages.has(name));
  if (missing.length > 0)
    throw new Error(
      `The pages are not built: ${missing.join(' and ')} not found in ${folder}. Run \`npm run build:pages\` first.`,
    );
  return pages;
}

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

async function load(path: string): Promise<PageFile> {
  const plain = await readFile(path);
  const type = types[extname(path)] ?? 'application/octet-stream';
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  if (!compressible.test(type)) return { type, etag, plain };
  // Quality 9 of 11: the last two take most of the time and gain next to nothing.
  const br = await compressBrotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  const zip = await compressGzip(plain, { level: 9 });
  return {
    type,
    etag,
    plain,
    ...(br.length < plain.length ? { br } : {}),
    ...(zip.length < plain.length ? { gzip: zip } : {}),
  };
}
