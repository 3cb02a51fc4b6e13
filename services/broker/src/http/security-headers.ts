import helmet from 'koa-helmet';
import type { Step } from './context.ts';

export interface SecurityHeaderDeps {
  readonly publicUrl: URL;
  readonly relayOrigin: string;
  /** Origins that can embed console pages. */
  readonly frameAncestors: readonly string[];
  /** Origins of learning platforms: they can embed console pages, and get the answers of the pages of launches. */
  readonly platformOrigins: readonly string[];
}

/** Restricts what pages can do in a browser: load from this origin, call its API, and connect to the relay. */
export function securityHeaders(deps: SecurityHeaderDeps): Step {
  const { frameAncestors, platformOrigins } = deps;
  // Only console pages can be embedded, and those of launches.
  const forPages = headersWith(deps, {});
  const forConsoles = headersWith(deps, { frameAncestors: [...frameAncestors, ...platformOrigins] });
  // Pages of other sites load the script.
  const forScripts = headersWith(deps, { resourcePolicy: 'cross-origin' });
  const forLaunches = headersWith(deps, {
    frameAncestors: platformOrigins,
    formActions: platformOrigins,
    // A launch in a new window asks the window that opened it.
    keepsOpener: true,
  });
  const permissions = [
    'clipboard-read=(self)',
    'clipboard-write=(self)',
    'fullscreen=(self)',
    ...['camera', 'microphone', 'geolocation', 'payment', 'usb'].map((name) => `${name}=()`),
  ].join(', ');
  const headersFor = (path: string) => {
    if (path.startsWith('/console/')) return forConsoles;
    if (path.startsWith('/embed/')) return forScripts;
    return path.startsWith('/lti/') ? forLaunches : forPages;
  };
  return async (ctx, next) => {
    ctx.set('permissions-policy', permissions);
    await headersFor(ctx.path)(ctx, next);
  };
}

function headersWith(
  { publicUrl, relayOrigin }: SecurityHeaderDeps,
  {
    frameAncestors = [],
    formActions = [],
    keepsOpener = false,
    resourcePolicy = 'same-origin',
  }: {
    readonly frameAncestors?: readonly string[];
    readonly formActions?: readonly string[];
    readonly keepsOpener?: boolean;
    readonly resourcePolicy?: 'same-origin' | 'cross-origin';
  },
): Step {
  const embeddable = frameAncestors.length > 0;
  const https = publicUrl.protocol === 'https:';
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // noVNC draws from blob URLs and sets the cursor from data URLs.
        imgSrc: ["'self'", 'data:', 'blob:'],
        // Named even for the same host, because in some browsers 'self' does not include WebSockets.
        connectSrc: ["'self'", relayOrigin],
        objectSrc: ["'none'"],
        // Pages name the base path of all their links.
        baseUri: ["'self'"],
        formAction: ["'self'", ...formActions],
        frameAncestors: embeddable ? ["'self'", ...frameAncestors] : ["'none'"],
      },
    },
    // URLs of console pages name machines.
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: keepsOpener ? 'unsafe-none' : 'same-origin' },
    crossOriginResourcePolicy: { policy: resourcePolicy },
    strictTransportSecurity: https ? { maxAge: 365 * 24 * 3600, includeSubDomains: false } : false,
    // X-Frame-Options can't name origins, so frame-ancestors replaces it.
    xFrameOptions: embeddable ? false : { action: 'deny' },
  });
}
