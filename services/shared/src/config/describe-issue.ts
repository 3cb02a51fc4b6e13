import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * Describes an issue of the schema: the path in the file, or the environment variable, and what is wrong. Never quotes
 * the value, which may be a secret. Needs issues that were reported with `reportInput`.
 */
export function describeIssue(issue: Issue, nameOf: (path: string) => string): string[] {
  return flattenUnion(issue).flatMap((found) => {
    const path = found.path.join('.');
    if (found.code === 'unrecognized_keys')
      return found.keys.map((key) => `${[path, key].filter(Boolean).join('.')}: unknown setting`);
    return `${path === '' ? 'the file' : nameOf(path)}: ${messageOf(found)}`;
  });
}

function messageOf(issue: Issue): string {
  if (issue.input === undefined) return 'is required';
  if (issue.code === 'invalid_union') return 'has none of the allowed forms';
  return issue.message.replace(/^Invalid input: /, '');
}

/** For a union, returns the issues of the form whose type matches the value. */
function flattenUnion(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.input === undefined) return [issue];
  const matching = issue.errors.find((issues) =>
    issues.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  if (!matching || matching.length === 0) return [issue];
  return matching.flatMap((inner) => flattenUnion({ ...inner, path: [...issue.path, ...inner.path] }));
}
