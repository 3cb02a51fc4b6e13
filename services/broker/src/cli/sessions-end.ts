import { parseArgs } from 'node:util';
import { systemClock } from '@porthole/shared/time/clock';
import { createConsoleSignals, type TerminationTarget } from '@porthole/shared/session/signals';
import { createTerminationOrders, targetsOf } from '@porthole/shared/session/termination-orders';
import { systemRandom } from '@porthole/shared/crypto/random';
import { leaseNames } from '@porthole/shared/store/keys';
import { CommandError, UsageError, type Command } from './command.ts';
import { withStore } from './with-store.ts';

const usage = `--session ID | --user ID | --machine CLUSTER/NUMBER

Ends consoles within a second, at whichever relay: one, all of a user (such as local:anna), or all at a machine. Grants from
before that are not used yet open nothing any more. They may open consoles again, as far as rules allow.
`;

export const sessionsEnd: Command = {
  summary: 'end consoles: one, all of a user, all at a machine',
  usage,
  async run(args, io) {
    const { values } = parseArgs({
      args: joined(args),
      options: { session: { type: 'string' }, user: { type: 'string' }, machine: { type: 'string' } },
    });
    const [target, ...more] = Object.entries(values).map(([kind, ref]): TerminationTarget => ({
      kind: kind as keyof typeof values,
      ref,
    }));
    if (!target || more.length > 0) throw new UsageError('Say which, and one of them only.');
    if (target.kind === 'machine' && !/^[^/]+\/\d+$/.test(target.ref))
      throw new UsageError(`${target.ref} is not CLUSTER/NUMBER`);
    await withStore(io, async ({ store, keys, sessions, audit, operator }) => {
      const live = await sessions.list(leaseNames.allSessions);
      const hit = live.filter((session) =>
        targetsOf({ ...session, user: { ...session.user, groups: [] }, issuedAt: 0 }).some(
          ({ kind, ref }) => kind === target.kind && ref === target.ref,
        ),
      );
      if (target.kind === 'session' && hit.length === 0)
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
        consoles: hit.length,
      });
      io.stdout.write(`${hit.length} ${hit.length === 1 ? 'console ends' : 'consoles end'}.\n`);
    });
  },
};

/** Each option with its value in one word: a session's number may begin with a dash, which two words would make an option. */
function joined(args: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [word = '', value] = [args[at], args[at + 1]];
    const lone =
      word.startsWith('--') && !word.includes('=') && value !== undefined && !value.startsWith('--');
    words.push(lone ? `${word}=${value}` : word);
    if (lone) at++;
  }
  return words;
}
