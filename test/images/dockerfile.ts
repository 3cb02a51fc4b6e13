import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Service } from '../../k8s/images/stage.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const dockerfile = readFileSync(`${root}Dockerfile`, 'utf8');

/** The lines of one stage, those that it is based on included. */
export function stageOf(name: string): string {
  const stages = dockerfile.split(/^(?=FROM )/m);
  const own = stages.find((text) => new RegExp(`^FROM \\S+ AS ${name}\\n`).test(text));
  if (own === undefined) throw new Error(`The Dockerfile has no stage ${name}.`);
  const base = /^FROM (\w+) AS/.exec(own)?.[1];
  return base === undefined ? own : `${stageOf(base)}${own}`;
}

/** What an image gives Node, from its CMD. */
export function commandOf(service: Service): readonly string[] {
  const words = /^CMD (\[.*\])$/m.exec(stageOf(service))?.[1];
  return JSON.parse(words ?? '') as string[];
}

export function userOf(service: Service): string {
  return /^USER (\S+)$/m.exec(stageOf(service))?.[1] ?? '';
}
