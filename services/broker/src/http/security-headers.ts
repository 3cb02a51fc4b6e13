import helmet from 'koa-helmet';
import type { Step } from './context.ts';

export interface SecurityHeaderDeps {
  readonly publicUrl: URL;
  readonly relayOrigin: string;
  /** Sites in whose frames consoles may be shown. */
  readonly frameAncestors: readonly string[];
}

/** What our pages may do in a browser: show themselves, talk to this origin, and open consoles at the relay. */
export function securityHeaders(deps: SecurityHeaderDeps): Step {
  // The list and the sign-in page are in nobody's frame.
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
        // noVNC paints from blobs and sets the cursor from data URLs.
        imgSrc: ["'self'", 'data:', 'blob:'],
        // Named even where it is our own host: some browsers don't take 'self' to mean WebSockets.
        connectSrc: ["'self'", relayOrigin],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: embeddable ? ["'self'", ...frameAncestors] : ["'none'"],
      },
    },
    // Addresses of console pages name machines.
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    strictTransportSecurity: https ? { maxAge: 365 * 24 * 3600, includeSubDomains: false } : false,
    // Knows no list of sites; where there is one, the policy above says it all.
    xFrameOptions: embeddable ? false : { action: 'deny' },
  });
}
