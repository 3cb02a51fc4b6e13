import { parseArgs } from 'node:util';
import { noAudit } from '@porthole/shared/audit/audit';
import { systemClock } from '@porthole/shared/time/clock';
import { readConfig } from '@porthole/shared/config/read';
import type { Subject } from '../access/subject.ts';
import { formatExplanation } from '../access/format-explanation.ts';
import { createAccessRules } from '../access/rules.ts';
import { UsageError, type Command } from './command.ts';
import { lookUpMachine, lookUpGroups } from './look-up.ts';

const usage = `--user NAME --machine MACHINE [--groups a,b] [--claim name=value]... [--at TIME]
       porthole access explain --program NAME --machine MACHINE [--at TIME]

Says what somebody may do with a machine, which rules give it, and why the others don't.
MACHINE is cluster/number, a number, or a name; Proxmox is asked what it is. Without --groups, groups are those in the
users file. TIME is such as 2026-06-01T09:30+02:00; without, it is now.
`;

export const accessExplain: Command = {
  summary: 'say what somebody may do with a machine, and why',
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
    const { machine: wanted, user, program } = values;
    if (wanted === undefined || (user === undefined) === (program === undefined)) throw new UsageError();
    const at = values.at === undefined ? systemClock.now() : Date.parse(values.at);
    if (Number.isNaN(at)) throw new UsageError(`${values.at} is not a time`);

    const config = readConfig(env, cwd);
    const log = { info: () => {}, error: () => {} };
    const access = createAccessRules({ config, clock: systemClock, log, audit: noAudit }).current();
    const subject: Subject =
      program === undefined
        ? {
            name: user ?? '',
            groups: lookUpGroups(values.groups, user ?? '', config),
            claims: claimsIn(values.claim ?? []),
          }
        : { name: program, groups: [], kind: 'program' };
    const machine = await lookUpMachine(config, wanted);
    stdout.write(formatExplanation(access.explain(subject, machine, at), { subject, machine, at }));
  },
};

function claimsIn(given: readonly string[]): Record<string, string[]> {
  const claims = Object.create(null) as Record<string, string[]>; // no name is taken
  for (const text of given) {
    const [name = '', ...value] = text.split('=');
    if (name === '' || value.length === 0) throw new UsageError(`${text} is not name=value`);
    (claims[name] ??= []).push(value.join('='));
  }
  return claims;
}
