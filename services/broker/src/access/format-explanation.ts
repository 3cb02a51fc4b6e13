import type { MismatchReason, Target } from './compile.ts';
import type { Explanation, Subject } from './decide.ts';
import type { SessionPolicy } from './session-policy.ts';

const mismatchTexts: Readonly<Record<MismatchReason, string>> = {
  who: 'is for others',
  when: 'is not open at this time',
  clusters: 'is for other clusters',
  nodes: 'is for other nodes',
  pools: 'is for other pools',
  tags: 'is for other tags',
  types: 'is for another type of machine',
  vmids: 'is for other numbers',
  names: 'is for other names',
  own: 'is for the machine of somebody else',
};

/** An explanation as a person reads it on a terminal. */
export function formatExplanation(
  { decision, rules }: Explanation,
  { subject, machine, at }: { readonly subject: Subject; readonly machine: Target; readonly at: number },
): string {
  const { allow } = decision;
  const facts = [
    `${machine.cluster}/${machine.vmid} on ${machine.node}`,
    machine.type,
    ...(machine.pool === undefined ? [] : [`pool ${machine.pool}`]),
    ...(machine.tags.length > 0 ? [`tags ${machine.tags.join(' ')}`] : []),
  ];
  const width = Math.max(0, ...rules.map(({ name }) => name.length));
  const consoles = (['view', 'control'] as const).flatMap((mode) => {
    const terms = decision.policyFor(mode);
    return terms ? [`  ${mode}: ${formatPolicy(terms, decision.validUntil(mode))}`] : [];
  });
  return [
    `${formatSubject(subject)}, and ${machine.name ?? 'a machine without a name'} (${facts.join(', ')}), at ${new Date(at).toISOString()}:`,
    allow.length > 0 ? `  may ${allow.join(', ')}` : '  may nothing, and does not learn that it exists',
    ...consoles,
    ...rules.map(
      ({ name, grants, mismatch: miss }) =>
        `  ${miss ? '-' : '+'} ${name.padEnd(width)}  ${miss ? mismatchTexts[miss] : `gives ${grants.join(', ')}`}`,
    ),
    '',
  ].join('\n');
}

function formatSubject({ name, groups, kind }: Subject): string {
  if (kind === 'program') return `the program ${name}`;
  return groups.length === 0 ? `${name}, in no group` : `${name}, in ${groups.join(', ')}`;
}

function formatPolicy(terms: SessionPolicy, until: number | undefined): string {
  return [
    `clipboard ${terms.clipboard}`,
    `${terms.sessionSeconds} s at most`,
    ...(terms.maxSessionSeconds > terms.sessionSeconds
      ? [`${terms.maxSessionSeconds} s with more time`]
      : []),
    ...(until === undefined ? [] : [`until ${new Date(until).toISOString()}`]),
    `${terms.idleSeconds} s idle`,
    `${terms.consolesPerUser} for a user`,
    `${terms.consolesPerMachine} for a machine`,
    ...(Number.isFinite(terms.updatesPerSecond) ? [`${terms.updatesPerSecond} pictures a second`] : []),
  ].join(', ');
}
