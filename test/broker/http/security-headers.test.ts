import type { Answer } from '../browser.ts';
import { closeBrokers, startBroker } from '../rig.ts';

afterEach(closeBrokers);

describe('security headers', () => {
  const policyOf = (answer: Answer) =>
    Object.fromEntries(
      String(answer.headers['content-security-policy'])
        .split(';')
        .map((directive) => directive.trim().split(/ (.*)/s)),
    ) as Record<string, string>;

  test('let pages load from and connect to Porthole only', async () => {
    const rig = await startBroker({
      config: { publicUrl: 'https://porthole.school.example', relayUrl: 'wss://relay.school.example:8443' },
    });
    for (const path of ['/', '/console/school/101', '/nothing', '/api/v1/me']) {
      const answer = await rig.ask(path);
      expect(policyOf(answer)).toEqual({
        'default-src': "'self'",
        'script-src': "'self'",
        'style-src': "'self'",
        'img-src': "'self' data: blob:",
        'connect-src': "'self' wss://relay.school.example:8443",
        'object-src': "'none'",
        'base-uri': "'self'",
        'form-action': "'self'",
        'frame-ancestors': "'none'",
      });
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'strict-transport-security': 'max-age=31536000',
        'permissions-policy': expect.stringContaining(
          'clipboard-read=(self), clipboard-write=(self), fullscreen=(self)',
        ),
      });
      expect(answer.headers['x-powered-by']).toBeUndefined();
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('set no HSTS on localhost, and allow its own WebSocket', async () => {
    const rig = await startBroker();
    const answer = await rig.ask('/');
    expect(answer.headers['strict-transport-security']).toBeUndefined();
    expect(policyOf(answer)['connect-src']).toBe("'self' ws://localhost:8080");
  });
});
