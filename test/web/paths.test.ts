import * as fc from 'fast-check';
import { consolePath, parseConsolePath, safeReturnPath } from '../../services/broker/web/src/paths.ts';

describe('addresses', () => {
  test('every console path can be parsed', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text !== '.' && text !== '..'),
        fc.integer({ min: 100, max: 999_999_999 }),
        fc.constantFrom('control' as const, 'view' as const),
        fc.constantFrom('screen' as const, 'terminal' as const),
        (cluster, vmid, mode, kind) => {
          const url = new URL(consolePath(cluster, vmid, mode, kind), 'https://porthole.example');
          expect(parseConsolePath(url.pathname, url.search)).toEqual({ cluster, vmid, mode, kind });
        },
      ),
    );
  });

  test.each([
    'https://evil.example/console/lab/1',
    '//evil.example/console/lab/1',
    '/\\evil.example/console/lab/1',
    '/console/../../evil',
    '/console/lab/1x',
    'javascript:alert(1)',
    '/api/v1/logout',
    '',
    null,
  ])('%p is no return path', (wanted) => {
    expect(safeReturnPath(wanted, 'https://porthole.example')).toBeUndefined();
  });

  test('a return path never leaves the origin', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const path = safeReturnPath(`/console/${text}`, 'https://porthole.example');
        if (path === undefined) return;
        expect(new URL(path, 'https://porthole.example').origin).toBe('https://porthole.example');
      }),
    );
    expect(safeReturnPath('/console/lab/7?mode=view', 'https://porthole.example')).toBe(
      '/console/lab/7?mode=view',
    );
  });
});

test('a sign-in can lead back to a recording, and to nothing beside it', () => {
  const id = `20260105-083000-${'0'.repeat(32)}`;
  expect(safeReturnPath(`/recordings/${id}`, 'https://porthole.example')).toBe(`/recordings/${id}`);
  expect(safeReturnPath(`/recordings/${id}/../../x`, 'https://porthole.example')).toBeUndefined();
  expect(safeReturnPath('/recordings/../api/v1/me', 'https://porthole.example')).toBeUndefined();
});
