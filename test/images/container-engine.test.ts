import { findContainerEngine } from '../../k8s/images/container-engine.ts';

describe('findContainerEngine', () => {
  const image = { target: 'relay', tag: 'here/relay:1', buildArgs: { VERSION: '1' }, epochSeconds: 7 };

  test('returns the first engine that works', () => {
    expect(findContainerEngine(undefined, () => true).name).toBe('docker');
    expect(findContainerEngine(undefined, (name) => name !== 'docker').name).toBe('podman');
    const buildah = findContainerEngine(undefined, (name) => name === 'buildah');
    expect(buildah.buildCommand(image).join(' ')).toBe(
      'buildah build --network host --timestamp 7 --target relay --tag here/relay:1 --build-arg VERSION=1',
    );
  });

  test('returns the requested engine', () => {
    expect(findContainerEngine('podman', () => true).name).toBe('podman');
  });

  test('rejects a requested engine that does not work or is not supported', () => {
    expect(() => findContainerEngine('podman', () => false)).toThrow(
      'No container engine works. Tried: podman.',
    );
    expect(() => findContainerEngine('kaniko', () => true)).toThrow(
      'Unknown container engine kaniko. Supported: docker, podman, buildah.',
    );
  });

  test('names a remedy if no engine works', () => {
    expect(() => findContainerEngine(undefined, () => false)).toThrow(
      /Start the Docker daemon .*`apt-get install buildah`/,
    );
  });
});
