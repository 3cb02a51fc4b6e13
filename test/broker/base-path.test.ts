import fc from 'fast-check';
import { basePathOf, urlBelow, withoutBasePath } from '@porthole/shared/http/base-path';
import { relayUrlOf } from '@porthole/broker/grants/relay-url';
import { closeBrokers, password, somePages, startBroker } from './rig.ts';

afterEach(closeBrokers);

const publicUrl = 'https://labs.school.example/consoles';
const pages = { ...somePages, 'index.html': '<head><title>Lobby', 'console.html': '<head><title>Console' };

describe.each(['/consoles', ''])(
  'below a base path, behind a proxy that asks for %p and the path',
  (asked) => {
    test.each([
      ['/', 'index.html'],
      ['/sessions', 'index.html'],
      ['/console/school/101', 'console.html'],
      ['/assets/app-1a2b.js', 'assets/app-1a2b.js'],
    ] as const)('%s serves %s', async (path, file) => {
      const rig = await startBroker({ config: { publicUrl }, pages });
      const answer = await rig.ask(asked + path);
      expect(answer.status).toBe(200);
      expect(answer.text).toBe(pages[file].replace('<head>', '<head>\n    <base href="/consoles/" />'));
    });

    test('a user signs in, and the cookie is for this path only', async () => {
      const rig = await startBroker({ config: { publicUrl }, pages });
      const answer = await rig.ask(`${asked}/api/v1/login`, {
        method: 'POST',
        headers: { origin: 'https://labs.school.example' },
        body: { username: 'anna', password },
      });
      expect(answer.headers['set-cookie']).toEqual([
        expect.stringMatching(
          /^__Secure-porthole=[A-Za-z0-9_-]{43}; Path=\/consoles; HttpOnly; SameSite=Lax; Secure$/,
        ),
      ]);
    });

    test('an unknown page links to the list of machines', async () => {
      const rig = await startBroker({ config: { publicUrl }, pages });
      const answer = await rig.ask(`${asked}/nothing`);
      expect(answer.status).toBe(404);
      expect(answer.text).toContain('<a href="/consoles/">');
    });
  },
);

test('the base path without its slash leads to the page', async () => {
  const rig = await startBroker({ config: { publicUrl }, pages });
  const { status, headers } = await rig.ask('/consoles?why=expired');
  expect([status, headers.location]).toEqual([308, '/consoles/?why=expired']);
});

test.each([
  ['https://labs.school.example', undefined, 'wss://labs.school.example/relay/v1/console'],
  ['https://labs.school.example/', undefined, 'wss://labs.school.example/relay/v1/console'],
  [publicUrl, undefined, 'wss://labs.school.example/consoles/relay/v1/console'],
  [`${publicUrl}/`, undefined, 'wss://labs.school.example/consoles/relay/v1/console'],
  [publicUrl, 'wss://relay.school.example', 'wss://relay.school.example/relay/v1/console'],
  [publicUrl, 'wss://school.example/a/b', 'wss://school.example/a/b'],
])('with publicUrl %s and relayUrl %s, browsers open consoles at %s', (at, relay, expected) => {
  const relayUrl = relay === undefined ? undefined : new URL(relay);
  expect(relayUrlOf({ publicUrl: new URL(at), relayUrl }).href).toBe(expected);
});

test('a URL below a base path leads back to its path', () => {
  const segment = fc.stringMatching(/^[a-z0-9_~-]{1,8}$/);
  const base = fc.array(segment, { maxLength: 3 }).map((parts) => parts.map((part) => `/${part}`).join(''));
  const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
  fc.assert(
    fc.property(base, path, fc.boolean(), (basePath, below, slash) => {
      const at = new URL(`https://school.example${basePath}${slash ? '/' : ''}`);
      expect(basePathOf(at)).toBe(basePath);
      expect(withoutBasePath(basePath, urlBelow(at, below).pathname)).toBe(below);
    }),
  );
});
