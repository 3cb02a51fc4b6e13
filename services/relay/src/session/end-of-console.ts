import type { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Clock } from '@porthole/shared/time/clock';
import { withDeadline } from '@porthole/shared/time/with-deadline';
import type { Deadlines } from '../upstream/deadlines.ts';
import { diagnoseEnd } from '../upstream/diagnose-end.ts';
import type { RelayCluster } from '../upstream/machine.ts';
import type { RecentEnds } from '../upstream/recent-ends.ts';
import { ViewerLeft } from './lifecycle.ts';
import type { StreamEnd } from './stream-console.ts';

/** Finds out why the session of a console of its own has ended. Rejects with the signal's reason. */
export async function endOfConsole(
  deps: {
    readonly clock: Clock;
    readonly deadlines: Pick<Deadlines, 'diagnose'>;
    readonly recentEnds: RecentEnds;
  },
  session: {
    readonly end: Exclude<StreamEnd, { readonly by: 'parking' }>;
    readonly cluster: RelayCluster;
    /** With the node that ran the machine. */
    readonly claims: GrantClaims;
    readonly openedAt: number;
    readonly signal: AbortSignal;
    readonly hadInput: () => boolean;
  },
): Promise<PortholeError | ViewerLeft> {
  const { clock, deadlines, recentEnds } = deps;
  const { end, cluster, claims, openedAt, signal, hadInput } = session;
  const broken = end.by === 'machine' && end.error?.code === 'console_lost' ? end.error : undefined;
  if (end.error && !broken) return end.error;
  if (end.by === 'viewer') return new ViewerLeft();
  const endedTogether = recentEnds.record(cluster.name, claims.node, openedAt);
  // Without input, a terminal stays closed: otherwise, login prompts that time out together would reopen forever.
  const observed = { kind: claims.kind, broken, sharedLoss: () => hadInput() && endedTogether() };
  return withDeadline({ clock, signal }, deadlines.diagnose, 'console_lost', (phase) =>
    diagnoseEnd(cluster, claims, observed, { clock, signal: phase }),
  );
}
