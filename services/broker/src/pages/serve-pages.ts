import { PortholeError } from '@porthole/shared/errors';
import type { Context, Step } from '../http/context.ts';
import { inLanguage, type PageFile, type PageFiles } from './load-pages.ts';
import { pageTexts } from './page-texts.ts';
import { requestLanguage } from './request-language.ts';
import { htmlTag } from './translate-page.ts';

const listPages = new Set(['/', '/sessions', '/classes', '/recordings']);
const recordingPage = /^\/recordings\/\d{8}-\d{6}-[0-9a-f]{32}$/;
const consolePage = /^\/console\/[a-z0-9][a-z0-9-]{0,31}\/[1-9]\d{0,8}\/?$/;

/**
 * Serves pages and assets for all paths outside /api. Must be the last middleware. `pages` is undefined until the
 * start.
 */
export function servePages(pages: () => PageFiles | undefined, basePath: string): Step {
  return async (ctx) => {
    if (ctx.path === '/api' || ctx.path.startsWith('/api/')) return;
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('allow', 'GET, HEAD');
      throw new PortholeError('method_not_allowed');
    }
    const name = nameOf(ctx.path);
    const file = pages()?.get(name);
    if (file) send(ctx, name, file.translations ? inLanguage(file, requestLanguage(ctx)) : file);
    else sendNotFound(ctx, basePath);
  };
}

/** Pages have paths of their own. Other files keep their path in the build. */
function nameOf(path: string): string {
  if (listPages.has(path)) return 'index.html';
  if (recordingPage.test(path)) return 'recording.html';
  if (consolePage.test(path)) return 'console.html';
  return path.endsWith('.html') ? '' : path.slice(1);
}

function send(ctx: Context, name: string, file: PageFile): void {
  const asset = name.startsWith('assets/');
  const page = name.endsWith('.html');
  ctx.state.route = page ? 'page' : 'asset';
  ctx.set('content-type', file.type);
  // Names of assets contain a digest of the content, so the content of a name never changes.
  ctx.set('cache-control', asset ? 'public, max-age=31536000, immutable' : 'no-cache');
  // The language comes from the cookie or the browser.
  ctx.set('vary', page ? 'accept-encoding, accept-language, cookie' : 'accept-encoding');
  // Module scripts of other sites are requested with CORS. The file is the same for everyone.
  if (name.startsWith('embed/')) ctx.set('access-control-allow-origin', '*');
  ctx.set('etag', file.etag);
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  const [encoding, body] = encoded(ctx, file);
  if (encoding) ctx.set('content-encoding', encoding);
  ctx.body = body;
}

function encoded(ctx: Context, { br, gzip, plain }: PageFile): readonly [string | undefined, Buffer] {
  const offered = ['br', 'gzip', 'identity'].filter(
    (name) => name === 'identity' || (name === 'br' ? br : gzip),
  );
  const chosen = ctx.acceptsEncodings(...offered);
  if (chosen === 'br' && br) return ['br', br];
  if (chosen === 'gzip' && gzip) return ['gzip', gzip];
  return [undefined, plain];
}

function sendNotFound(ctx: Context, basePath: string): void {
  ctx.state.route = 'page';
  ctx.status = 404;
  ctx.set('cache-control', 'no-store');
  ctx.type = 'html';
  const language = requestLanguage(ctx);
  const { notFound, allConsoles } = pageTexts[language];
  ctx.body = `<!doctype html>
${htmlTag(language)}
<meta charset="utf-8">
<title>${notFound} – Porthole</title>
<main>
<h1>${notFound}</h1>
<p><a href="${basePath}/">${allConsoles}</a></p>
</main>
</html>
`;
}
