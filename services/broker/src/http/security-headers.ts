import helmet from 'koa-helmet';
import type { Step } from './context.ts';

export interface SecurityHeaderDeps {
  readonly publicUrl: URL;
  readonly relayOrigin: string;
  /** Origins that can embed console pages. */
  readonly frameAncestors: readonly string[];
}

/** Restricts what pages can do in a browser: load from this origin, call its API, and connect to the relay. */
export function securityHeaders(deps: SecurityHeaderDeps): Step {
  // Only console pages can be embedded.
  const forPages = headersWith(deps, []);
  const forConsoles = headersWith(deps, deps.frameAncestors);
  const permissions = [
    'clipboard-read=(self)',
    'clipboard-write=(self)',
    'fullscreen=(self)',
    ...['camera', 'microphone', 'geolocation', 'payment', 'usb'].map((name) => `${name}=()`),
  ].join(', ');
  return async (ctx, next) => {
    ctx.set('permissions-policy', permissions);
    await (ctx.path.startsWith('/console/') ? forConsoles : forPages)(ctx, next);
  };
}

function headersWith(
  { publicUrl, relayOrigin }: SecurityHeaderDeps,
  frameAncestors: readonly string[],
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
        formAction: ["'self'"],
        frameAncestors: embeddable ? ["'self'", ...frameAncestors] : ["'none'"],
      },
    },
    // URLs of console pages name machines.
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    strictTransportSecurity: https ? { maxAge: 365 * 24 * 3600, includeSubDomains: false } : false,
    // X-Frame-Options can't name origins, so frame-ancestors replaces it.
    xFrameOptions: embeddable ? false : { action: 'deny' },
  });
}
