import { spawnSync } from 'node:child_process';

/** A program that builds images. */
export interface Engine {
  readonly name: 'docker' | 'podman' | 'buildah';
  /** The command that builds, without the place of the sources. */
  build(image: Image): readonly string[];
}

export interface Image {
  readonly target: string;
  readonly tag: string;
  readonly args: Readonly<Record<string, string>>;
  readonly epochSeconds: number;
}

type Answers = (command: string, args: readonly string[]) => boolean;

const buildArgs = ({ args }: Image) =>
  Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);

const common = (image: Image) => ['--target', image.target, '--tag', image.tag, ...buildArgs(image)];

// The network of the host: what is built must reach a package registry, which a bridge doesn't everywhere.
const network = ['--network', 'host'];
const timestamp = ({ epochSeconds }: Image) => ['--timestamp', String(epochSeconds)];

const known: readonly (Engine & { readonly asks: readonly string[] })[] = [
  // Whether its daemon answers, not whether the command is there.
  {
    name: 'docker',
    asks: ['version', '--format', '{{.Server.Version}}'],
    build: (image) => ['docker', 'build', ...network, ...common(image)],
  },
  {
    name: 'podman',
    asks: ['info'],
    build: (image) => ['podman', 'build', ...network, ...timestamp(image), ...common(image)],
  },
  {
    name: 'buildah',
    asks: ['info'],
    build: (image) => ['buildah', 'build', ...network, ...timestamp(image), ...common(image)],
  },
];

/** The first that answers, or the one that was asked for. */
export function findEngine(wanted: string | undefined, answers: Answers = runs): Engine {
  const candidates = known.filter(({ name }) => wanted === undefined || name === wanted);
  if (candidates.length === 0)
    throw new Error(`Nothing is known of ${wanted}: say ${known.map(({ name }) => name).join(', ')}.`);
  const found = candidates.find(({ name, asks }) => answers(name, asks));
  if (found) return found;
  const names = candidates.map(({ name }) => name).join(', ');
  throw new Error(
    `Nothing here builds images: none of ${names} answers. Start Docker's daemon (\`docker version\` must show a server), ` +
      'or install podman or buildah, which need none (`apt-get install buildah`).',
  );
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}
