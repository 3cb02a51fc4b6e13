import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * A fault that the schema found, in words: where it is in the file, or the variable that it came from. Never
 * quotes what was given. Wants issues that were reported with their input.
 */
export function describeIssue(issue: Issue, nameOf: (path: string) => string): string[] {
  return flattenUnion(issue).flatMap((fault) => {
    const path = fault.path.join('.');
    if (fault.code === 'unrecognized_keys')
      return fault.keys.map((key) => `${[path, key].filter(Boolean).join('.')}: there is no such setting`);
    return `${path === '' ? 'the file' : nameOf(path)}: ${messageOf(fault)}`;
  });
}

function messageOf(issue: Issue): string {
  if (issue.input === undefined) return 'is missing';
  if (issue.code === 'invalid_union') return 'is not one of the allowed forms';
  return issue.message.replace(/^Invalid input: /, '');
}

/** Of a value that may take several forms, the faults in the form that it seems to be meant in. */
function flattenUnion(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.input === undefined) return [issue];
  const meant = issue.errors.find((faults) =>
    faults.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  if (!meant || meant.length === 0) return [issue];
  return meant.flatMap((fault) => flattenUnion({ ...fault, path: [...issue.path, ...fault.path] }));
}
