import { readFileSync } from 'node:fs';
import { findEngine } from '../../k8s/images/engine.ts';
import { services } from '../../k8s/images/stage.ts';
import { dockerfile, root, stageOf, userOf, commandOf } from './dockerfile.ts';

describe('the Dockerfile', () => {
  test.each(services)('makes %s run as the user of the chart, without a shell', (service) => {
    const chart = readFileSync(`${root}k8s/quickstart/porthole.yaml`, 'utf8');
    const [user, group] = userOf(service).split(':');
    expect(chart).toContain(`runAsUser: ${user}\n`);
    expect(chart).toContain(`runAsGroup: ${group}\n`);
    expect(stageOf(service)).toContain('ENTRYPOINT ["/usr/local/bin/node"]\n');
    expect(commandOf(service).at(-1)).toBe(`services/${service}/dist/main.js`);
    // Nothing is run in what will be the image: its base may have no shell.
    expect(stageOf(service)).not.toMatch(/^RUN /m);
  });

  test('gives the relay the small young generation that npm gives it, too', () => {
    expect(commandOf('relay')).toContain('--max-semi-space-size=4');
    expect(readFileSync(`${root}package.json`, 'utf8')).toContain(
      '"start:relay": "node --max-semi-space-size=4 ',
    );
  });

  test('takes what it needs from the context, and from nowhere else but registries', () => {
    expect(dockerfile).not.toMatch(/^ADD |curl|wget|apt-get/m);
    const ignored = readFileSync(`${root}.dockerignore`, 'utf8');
    expect(ignored).toMatch(/^\*$/m);
    expect(ignored).not.toMatch(/^!test|^!\.git|^!helm/m);
  });
});

describe('npm run images', () => {
  const image = { target: 'relay', tag: 'here/relay:1', args: { VERSION: '1' }, epochSeconds: 7 };

  test('takes the first engine that answers', () => {
    expect(findEngine(undefined, () => true).name).toBe('docker');
    expect(findEngine(undefined, (name) => name !== 'docker').name).toBe('podman');
    const buildah = findEngine(undefined, (name) => name === 'buildah');
    expect(buildah.build(image).join(' ')).toBe(
      'buildah build --network host --timestamp 7 --target relay --tag here/relay:1 --build-arg VERSION=1',
    );
  });

  test('takes the one that was asked for, or says that it does not answer', () => {
    expect(findEngine('podman', () => true).name).toBe('podman');
    expect(() => findEngine('podman', () => false)).toThrow('none of podman answers');
    expect(() => findEngine('kaniko', () => true)).toThrow('say docker, podman, buildah');
  });

  test('says what to do where none answers', () => {
    expect(() => findEngine(undefined, () => false)).toThrow(
      /Start Docker's daemon .*`apt-get install buildah`/,
    );
  });
});
