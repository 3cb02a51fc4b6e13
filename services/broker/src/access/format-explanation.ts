import type { Explanation } from './decide.ts';
import type { MismatchReason } from './match-target.ts';
import { formatRecord } from './record-policy.ts';
import { parkSecondsOf, type SessionPolicy } from './session-policy.ts';
import type { Subject, Target } from './subject.ts';

const mismatchTexts: Readonly<Record<MismatchReason, string>> = {
  who: 'does not apply to this user or program',
  when: 'does not apply at this time',
  clusters: 'names other clusters',
  nodes: 'names other nodes',
  pools: 'names other pools',
  tags: 'names other tags',
  types: 'names other machine types',
  vmids: 'names other numbers',
  names: 'names other machines',
  own: 'covers only the own machines of a member',
};

/** Formats an explanation for a terminal. */
export function formatExplanation(
  { decision, rules }: Explanation,
  { subject, machine, at }: { readonly subject: Subject; readonly machine: Target; readonly at: number },
): string {
  const { allow } = decision;
  const width = Math.max(0, ...rules.map(({ name }) => name.length));
  const consoles = (['view', 'control'] as const).flatMap((mode) => {
    const policy = decision.policyFor(mode);
    return policy ? [`  ${mode}: ${formatPolicy(policy, mode, decision.validUntil(mode))}`] : [];
  });
  return [
    `User:    ${formatSubject(subject)}`,
    `Machine: ${formatMachine(machine)}`,
    `Time:    ${new Date(at).toISOString()}`,
    allow.length > 0 ? `Rights:  ${allow.join(', ')}` : 'Rights:  none; the user does not see the machine',
    ...consoles,
    'Rules:',
    ...rules.map(
      ({ name, grants, mismatch }) =>
        `  ${mismatch ? '-' : '+'} ${name.padEnd(width)}  ${mismatch ? mismatchTexts[mismatch] : `gives ${grants.join(', ')}`}`,
    ),
    '',
  ].join('\n');
}

function formatSubject({ name, groups, kind }: Subject): string {
  if (kind === 'program') return `program ${name}`;
  return groups.length === 0 ? `${name}, no groups` : `${name}, groups ${groups.join(', ')}`;
}

function formatMachine({ cluster, vmid, node, type, name, pool, tags }: Target): string {
  return [
    `${cluster}/${vmid}`,
    ...(name === undefined ? ['no name'] : [`name ${name}`]),
    `node ${node}`,
    `type ${type}`,
    ...(pool === undefined ? [] : [`pool ${pool}`]),
    ...(tags.length > 0 ? [`tags ${tags.join(' ')}`] : []),
  ].join(', ');
}

function formatPolicy(
  policy: SessionPolicy,
  mode: 'view' | 'control',
  validUntil: number | undefined,
): string {
  const parkSeconds = parkSecondsOf(policy, mode);
  return [
    `clipboard ${policy.clipboard}`,
    `session ${policy.sessionSeconds} s`,
    ...(policy.maxSessionSeconds > policy.sessionSeconds
      ? [`${policy.maxSessionSeconds} s with extensions`]
      : []),
    ...(validUntil === undefined ? [] : [`until ${new Date(validUntil).toISOString()}`]),
    `idle ${policy.idleSeconds} s`,
    parkSeconds === undefined ? 'never parked' : `parked after ${parkSeconds} s`,
    `consoles per user ${policy.consolesPerUser}`,
    `consoles per machine ${policy.consolesPerMachine}`,
    ...(Number.isFinite(policy.updatesPerSecond) ? [`updates per second ${policy.updatesPerSecond}`] : []),
    ...(policy.record ? [`recording ${formatRecord(policy.record)}`] : []),
  ].join(', ');
}
