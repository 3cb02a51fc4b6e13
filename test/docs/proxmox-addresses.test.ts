import { globSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Proxmox's certificates contain the name of the node and its addresses, but often no name with a domain. */
test('examples reach Proxmox by a name that its certificate contains', () => {
  const files = globSync(['*.md', 'docs/**/*.md', 'helm/**/*.{md,yaml}', 'k8s/**/*.{md,yaml}'], {
    cwd: root,
  });
  const found = files.flatMap((file) => {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    return [...text.matchAll(/https:\/\/([^\s:/\]]+):8006/g)].map(([, host = '']) => ({ file, host }));
  });
  expect(found.length).toBeGreaterThan(5);
  expect(found.filter(({ host }) => host.includes('.') && !isIP(host))).toEqual([]);
});
