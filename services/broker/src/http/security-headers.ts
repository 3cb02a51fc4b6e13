import helmet from 'koa-helmet';
import type { Step } from './context.ts';

/** What our pages may do in a browser: show themselves, talk to this origin, and open consoles at the relay. */
export function securityHeaders(deps: { readonly publicUrl: URL; readonly relayOrigin: string }): Step {
  const https = deps.publicUrl.protocol === 'https:';
  const headers = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // noVNC paints from blobs and sets the cursor from data URLs.
        imgSrc: ["'self'", 'data:', 'blob:'],
        // Named even where it is our own host: some browsers don't take 'self' to mean WebSockets.
        connectSrc: ["'self'", deps.relayOrigin],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Addresses of console pages name machines.
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    strictTransportSecurity: https ? { maxAge: 365 * 24 * 3600, includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
  });
  const permissions = [
    'clipboard-read=(self)',
    'clipboard-write=(self)',
    'fullscreen=(self)',
    ...['camera', 'microphone', 'geolocation', 'payment', 'usb'].map((name) => `${name}=()`),
  ].join(', ');
  return async (ctx, next) => {
    ctx.set('permissions-policy', permissions);
    await headers(ctx, next);
  };
}
