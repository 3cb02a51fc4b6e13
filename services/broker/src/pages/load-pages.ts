import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { builtInLanguage, languageTags, type Language } from '@porthole/shared/language/languages';
import { StartError } from '@porthole/shared/process/start-error';
import { translatePage } from './translate-page.ts';

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  /** Missing if the compressed file is not smaller. */
  readonly br?: Buffer;
  readonly gzip?: Buffer;
  /** A page in the languages that are not built into it. */
  readonly translations?: ReadonlyMap<Language, PageFile>;
}

/** The built files by their path below the folder: "assets/index-4f3a.js". */
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
const required = ['index.html', 'console.html', 'lti.html', 'recording.html'];

/**
 * Reads and compresses all files at the start. Requests look up names in a map, so no path of a request reaches the
 * file system. Pages are told the base path, and translated. Throws if the pages are not built.
 */
export async function loadPages(folder: string, basePath = ''): Promise<PageFiles> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).then(
    (entries) => entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)),
    () => [],
  );
  const found = names
    .map((path) => ({ path, name: relative(folder, path).replaceAll(sep, '/') }))
    // Hidden files, such as .vite/manifest.json, belong to the build.
    .filter(({ name }) => !name.startsWith('.'));
  const options = { basePath, names: found.map(({ name }) => name) };
  const files = await Promise.all(
    found.map(async ({ path, name }) => [name, await load(path, options)] as const),
  );
  const pages = new Map(files);
  const missing = required.filter((name) => !pages.has(name));
  if (missing.length > 0)
    throw new StartError(
      `The pages are not built: ${missing.join(' and ')} not found in ${folder}. Run \`npm run build:pages\` first.`,
    );
  return pages;
}

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

interface LoadOptions {
  readonly basePath: string;
  /** The names of all files. */
  readonly names: readonly string[];
}

async function load(path: string, { basePath, names }: LoadOptions): Promise<PageFile> {
  const content = await readFile(path);
  const type = types[extname(path)] ?? 'application/octet-stream';
  if (extname(path) !== '.html') return compress(content, type);
  const page = setBase(content.toString('utf8'), basePath);
  const translations = await Promise.all(
    languageTags
      .filter((language) => language !== builtInLanguage)
      .map(async (language) => {
        const translated = translatePage(page, language, names);
        return [language, await compress(Buffer.from(translated), type)] as const;
      }),
  );
  return { ...(await compress(Buffer.from(page), type)), translations: new Map(translations) };
}

async function compress(plain: Buffer, type: string): Promise<PageFile> {
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  if (!compressible.test(type)) return { type, etag, plain };
  const br = await compressBrotli(plain, { params: brotliParams(plain.length) });
  const zip = await compressGzip(plain, { level: 9, windowBits: windowBits(plain.length, 9, 15) });
  return {
    type,
    etag,
    plain,
    ...(br.length < plain.length ? { br } : {}),
    ...(zip.length < plain.length ? { gzip: zip } : {}),
  };
}

/** The smallest window that holds a whole file. A larger one saves nothing, and takes memory and time at the start. */
const windowBits = (size: number, least: number, most: number) =>
  Math.min(Math.max(Math.ceil(Math.log2(size + 16)), least), most);

function brotliParams(size: number) {
  return {
    // Quality 10 and 11 take much longer and save almost nothing.
    [constants.BROTLI_PARAM_QUALITY]: 9,
    [constants.BROTLI_PARAM_SIZE_HINT]: size,
    [constants.BROTLI_PARAM_LGWIN]: windowBits(
      size,
      constants.BROTLI_MIN_WINDOW_BITS,
      constants.BROTLI_MAX_WINDOW_BITS,
    ),
  };
}

/** The links of the built pages are relative to this element. It must come before them. */
function setBase(page: string, basePath: string): string {
  return page.replace('<head>', `<head>\n    <base href="${basePath}/" />`);
}

export function inLanguage(file: PageFile, language: Language): PageFile {
  return file.translations?.get(language) ?? file;
}
