import { spawnSync } from 'node:child_process';

/** A program that builds container images. */
export interface ContainerEngine {
  readonly name: 'docker' | 'podman' | 'buildah';
  /** Returns the build command without the build context. */
  buildCommand(image: Image): readonly string[];
}

export interface Image {
  readonly target: string;
  readonly tag: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Timestamp of the image and its files, in seconds since the epoch. */
  readonly epochSeconds: number;
}

type CommandSucceeds = (command: string, args: readonly string[]) => boolean;

const commonFlags = ({ target, tag, buildArgs }: Image) => [
  '--target',
  target,
  '--tag',
  tag,
  ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
];

// The build downloads packages, and a bridge network doesn't reach the package registry on every host.
const networkFlags = ['--network', 'host'];
const timestampFlags = ({ epochSeconds }: Image) => ['--timestamp', String(epochSeconds)];

const supportedEngines: readonly (ContainerEngine & { readonly probeArgs: readonly string[] })[] = [
  {
    name: 'docker',
    // Fails if the daemon isn't running, even if the command is installed.
    probeArgs: ['version', '--format', '{{.Server.Version}}'],
    buildCommand: (image) => ['docker', 'build', ...networkFlags, ...commonFlags(image)],
  },
  {
    name: 'podman',
    probeArgs: ['info'],
    buildCommand: (image) => [
      'podman',
      'build',
      ...networkFlags,
      ...timestampFlags(image),
      ...commonFlags(image),
    ],
  },
  {
    name: 'buildah',
    probeArgs: ['info'],
    buildCommand: (image) => [
      'buildah',
      'build',
      ...networkFlags,
      ...timestampFlags(image),
      ...commonFlags(image),
    ],
  },
];

/** Returns the requested engine, or the first one that works. Throws if there is none. */
export function findContainerEngine(
  requested: string | undefined,
  succeeds: CommandSucceeds = commandSucceeds,
): ContainerEngine {
  const candidates = supportedEngines.filter(({ name }) => requested === undefined || name === requested);
  if (candidates.length === 0)
    throw new Error(
      `Unknown container engine ${requested}. Supported: ${supportedEngines.map(({ name }) => name).join(', ')}.`,
    );
  const engine = candidates.find(({ name, probeArgs }) => succeeds(name, probeArgs));
  if (engine) return engine;
  const names = candidates.map(({ name }) => name).join(', ');
  throw new Error(
    `No container engine works. Tried: ${names}. Start the Docker daemon (\`docker version\` must show a server), ` +
      'or install podman or buildah, which need no daemon (`apt-get install buildah`).',
  );
}

function commandSucceeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}
