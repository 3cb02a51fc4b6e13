import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findContainerEngine } from './container-engine.ts';
import { services } from './stage-service.ts';

/** `npm run images [-- SERVICE…]`: builds the container images with docker, podman or buildah. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: 'string' },
    registry: { type: 'string', default: 'ghcr.io/porthole' },
    tag: { type: 'string' },
    'build-arg': { type: 'string', multiple: true, default: [] },
  },
});

const git = (...args: string[]) =>
  spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
const epoch = process.env['SOURCE_DATE_EPOCH'] ?? (git('log', '-1', '--format=%ct') || '0');
const extraBuildArgs = Object.fromEntries(
  values['build-arg'].map((text) => {
    const [name = '', ...value] = text.split('=');
    return [name, value.join('=')];
  }),
);

try {
  const unknown = positionals.filter((name) => !services.some((service) => service === name));
  if (unknown.length > 0)
    throw new Error(`Unknown image ${unknown.join(', ')}. Available: ${services.join(', ')}.`);
  const engine = findContainerEngine(values.engine);
  for (const target of positionals.length > 0 ? positionals : services) {
    const tag = `${values.registry}/${target}:${values.tag ?? version}`;
    const buildArgs = {
      VERSION: version,
      REVISION: git('rev-parse', 'HEAD') || 'unknown',
      SOURCE_DATE_EPOCH: epoch,
      ...extraBuildArgs,
    };
    const [command = '', ...args] = engine.buildCommand({
      target,
      tag,
      buildArgs,
      epochSeconds: Number(epoch),
    });
    console.log(`${engine.name}: ${tag}`);
    const { status } = spawnSync(command, [...args, '.'], { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error(`${engine.name} failed to build the image ${target}.`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
