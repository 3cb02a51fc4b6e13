import { accessDocument, type AccessDocument } from '@porthole/shared/config/access-schema';
import { describeIssue } from '@porthole/shared/config/describe-issue';
import { parseYaml } from '@porthole/shared/config/read-yaml';
import type { Config } from '@porthole/shared/config/schema';
import { validateAccess } from './validate.ts';

/** Parses a rules file. Returns either its rules or everything that is wrong with it. */
export function parseRulesFile(
  text: string,
  { clusters }: Pick<Config, 'clusters'>,
): { readonly document?: AccessDocument; readonly issues: readonly string[] } {
  const yaml = parseYaml(text);
  if (yaml.issues.length > 0) return { issues: yaml.issues };
  const parsed = accessDocument.safeParse(yaml.value, { reportInput: true });
  if (!parsed.success)
    return { issues: parsed.error.issues.flatMap((issue) => describeIssue(issue, (path) => path)) };
  if (!parsed.data.access && !parsed.data.classes)
    return { issues: ['the file has neither access nor classes'] };
  const issues = validateAccess(parsed.data, clusters);
  return issues.length > 0 ? { issues } : { document: parsed.data, issues };
}
