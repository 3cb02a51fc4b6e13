import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Service } from '../../k8s/images/stage-service.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const dockerfile = readFileSync(`${root}Dockerfile`, 'utf8');

/** The lines of a stage, including the stages that it is based on. */
export function stageOf(name: string): string {
  const stages = dockerfile.split(/^(?=FROM )/m);
  const own = stages.find((text) => new RegExp(`^FROM \\S+ AS ${name}\\n`).test(text));
  if (own === undefined) throw new Error(`The Dockerfile has no stage ${name}.`);
  const base = /^FROM (\w+) AS/.exec(own)?.[1];
  return base === undefined ? own : `${stageOf(base)}${own}`;
}

/** The CMD of an image: the arguments of Node.js. */
export function commandOf(service: Service): readonly string[] {
  const command = /^CMD (\[.*\])$/m.exec(stageOf(service))?.[1];
  return JSON.parse(command ?? '') as string[];
}

/** The USER of an image, as UID:GID. */
export function userOf(service: Service): string {
  return /^USER (\S+)$/m.exec(stageOf(service))?.[1] ?? '';
}
