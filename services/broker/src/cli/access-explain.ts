import { parseArgs } from 'node:util';
import { readConfig } from '@porthole/shared/config/read';
import { systemClock } from '@porthole/shared/time/clock';
import { formatExplanation } from '../access/format-explanation.ts';
import { describeConflict } from '../access/overlaps.ts';
import { compileRules, readAccessDocument } from '../access/rules.ts';
import type { Subject } from '../access/subject.ts';
import { UsageError, type Command } from './command.ts';
import { findUserGroups, lookUpMachine } from './look-up.ts';

const usage = `--user NAME --machine MACHINE [--groups a,b] [--claim name=value]... [--at TIME]
       porthole access explain --program NAME --machine MACHINE [--at TIME]

Shows what a user or program may do with a machine, which rules give it, and why the other rules do not apply. Warns if
name patterns give the machine to several users. Requests the machine from Proxmox.

MACHINE is CLUSTER/NUMBER, a number, or a name.
--groups  Default: the groups in the users file.
--at      Such as 2026-06-01T09:30+02:00. Default: now.
`;

export const accessExplain: Command = {
  summary: 'explain what a user may do with a machine, and why',
  usage,
  async run(args, { env, cwd, stdout }) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        user: { type: 'string' },
        program: { type: 'string' },
        machine: { type: 'string' },
        groups: { type: 'string' },
        claim: { type: 'string', multiple: true },
        at: { type: 'string' },
      },
    });
    const { user, program } = values;
    if (values.machine === undefined || (user === undefined) === (program === undefined))
      throw new UsageError();
    const at = values.at === undefined ? systemClock.now() : Date.parse(values.at);
    if (Number.isNaN(at)) throw new UsageError(`${values.at} is not a time`);

    const config = readConfig(env, cwd);
    const document = readAccessDocument(config);
    const access = compileRules(document, { limits: config.limits, clock: systemClock });
    const subject: Subject =
      program === undefined
        ? {
            name: user ?? '',
            groups: findUserGroups(values.groups, user ?? '', config),
            claims: parseClaims(values.claim ?? []),
          }
        : { name: program, groups: [], kind: 'program' };
    const machine = await lookUpMachine(config, values.machine);
    stdout.write(formatExplanation(access.explain(subject, machine, at), { subject, machine, at }));
    const conflict = document && describeConflict(document, machine);
    if (conflict !== undefined) stdout.write(`Warning: ${conflict}\n`);
  },
};

function parseClaims(given: readonly string[]): Record<string, string[]> {
  // Without a prototype, so that every name can be a claim.
  const claims = Object.create(null) as Record<string, string[]>;
  for (const text of given) {
    const [name = '', ...value] = text.split('=');
    if (name === '' || value.length === 0) throw new UsageError(`${text} is not name=value`);
    (claims[name] ??= []).push(value.join('='));
  }
  return claims;
}
