import type { AccessDocument } from '@porthole/shared/config/access-schema';
import type { Config } from '@porthole/shared/config/schema';
import { parseVmidRange } from './match-target.ts';

/** Finds well-formed entries that can match nothing. They are typing errors in rules that seem to work. */
export function validateAccess(
  { access = [], classes = [] }: AccessDocument,
  clusters: Config['clusters'],
): readonly string[] {
  const known = new Set(clusters.map(({ name }) => name));
  const all = [
    ...access.map(({ which }, index) => ({ which, place: `access.${index}.which` })),
    ...classes.map(({ machines }, index) => ({ which: machines, place: `classes.${index}.machines` })),
  ];
  return all.flatMap(({ which, place }) => [
    ...(which.clusters ?? [])
      .filter((name) => !known.has(name))
      .map((name) => `${place}.clusters: there is no cluster ${name}`),
    ...(which.vmids ?? [])
      .filter((entry) => parseVmidRange(entry).from > parseVmidRange(entry).to)
      .map((entry) => `${place}.vmids: the range ${entry} ends before it begins`),
  ]);
}
