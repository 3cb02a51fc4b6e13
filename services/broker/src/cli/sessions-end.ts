import { parseArgs } from 'node:util';
import { systemClock } from '@porthole/shared/time/clock';
import { createConsoleSignals, type TerminationTarget } from '@porthole/shared/session/signals';
import { createTerminationOrders, targetsOf } from '@porthole/shared/session/termination-orders';
import { systemRandom } from '@porthole/shared/crypto/random';
import { leaseNames } from '@porthole/shared/store/keys';
import { CommandError, UsageError, type Command } from './command.ts';
import { withStore } from './with-store.ts';

const usage = `--session ID | --user ID | --machine CLUSTER/NUMBER

Ends one console, all consoles of a user (such as local:anna), or all consoles of a machine, on any relay, within a second.
Also invalidates unused grants. Users can open consoles again if the access rules permit it.
`;

export const sessionsEnd: Command = {
  summary: 'end one console, or all consoles of a user or a machine',
  usage,
  async run(args, io) {
    const { values } = parseArgs({
      args: joinOptionValues(args),
      options: { session: { type: 'string' }, user: { type: 'string' }, machine: { type: 'string' } },
    });
    const [target, ...more] = Object.entries(values).map(([kind, ref]): TerminationTarget => ({
      kind: kind as keyof typeof values,
      ref,
    }));
    if (!target || more.length > 0)
      throw new UsageError('Give exactly one of --session, --user and --machine.');
    if (target.kind === 'machine' && !/^[^/]+\/\d+$/.test(target.ref))
      throw new UsageError(`${target.ref} is not CLUSTER/NUMBER`);
    await withStore(io, async ({ store, keys, sessions, audit, operator }) => {
      const live = await sessions.list(leaseNames.allSessions);
      const matching = live.filter((session) =>
        targetsOf({ ...session, user: { ...session.user, groups: [] }, issuedAt: 0 }).some(
          ({ kind, ref }) => kind === target.kind && ref === target.ref,
        ),
      );
      if (target.kind === 'session' && matching.length === 0)
        throw new CommandError(`There is no session ${target.ref}.`);
      const deps = { keys, random: systemRandom, clock: systemClock };
      const signals = createConsoleSignals({ bus: store.signals, ...deps });
      await createTerminationOrders({ records: store.records, signals, ...deps }).issue(
        target,
        'ended_by_operator',
      );
      audit({
        event: 'termination_ordered',
        by: operator,
        target: { kind: target.kind as 'session' | 'user' | 'machine', ref: target.ref },
        consoles: matching.length,
      });
      io.stdout.write(`Ending ${matching.length} ${matching.length === 1 ? 'console' : 'consoles'}.\n`);
    });
  },
};

/** Joins each option with its value, because node:util takes a session ID that begins with a dash for an option. */
function joinOptionValues(args: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [word = '', value] = [args[at], args[at + 1]];
    const isOptionWithValue =
      word.startsWith('--') && !word.includes('=') && value !== undefined && !value.startsWith('--');
    words.push(isOptionWithValue ? `${word}=${value}` : word);
    if (isOptionWithValue) at++;
  }
  return words;
}
