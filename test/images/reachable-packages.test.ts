import { reachablePackages } from '../../k8s/images/reachable-packages.ts';

const packages = {
  'services/a': { dependencies: { b: '1', '@s/c': '1' } },
  'node_modules/b': { dependencies: { d: '2' }, optionalDependencies: { missing: '1' } },
  'node_modules/b/node_modules/d': { peerDependencies: { '@s/c': '1' } },
  'node_modules/d': {},
  'node_modules/@s/c': { dependencies: { e: '1', f: '1' } },
  'node_modules/e': { dependencies: { '@s/c': '1' } },
  'node_modules/f': {},
};

describe('reachablePackages', () => {
  test('finds packages as Node.js does: nested before top-level, in circles, and without missing optional ones', () => {
    expect([...reachablePackages(packages, ['services/a'])].toSorted()).toEqual([
      'node_modules/@s/c',
      'node_modules/b',
      'node_modules/b/node_modules/d',
      'node_modules/e',
      'node_modules/f',
      'services/a',
    ]);
  });

  test('leaves out packages that only left-out dependencies need', () => {
    const reached = reachablePackages(packages, ['services/a'], (path) =>
      path === 'node_modules/@s/c'
        ? ['e']
        : Object.keys(packages[path as 'node_modules/b'].dependencies ?? {}),
    );
    expect(reached).toContain('node_modules/e');
    expect(reached).not.toContain('node_modules/f');
  });
});
