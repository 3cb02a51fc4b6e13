import { locale } from '../../language/locale.ts';
import type { Session } from '../../api.ts';
import { displayName } from '../../texts/sessions.ts';
import { containsWords } from '../contains-words.ts';

/** By user, then machine, so that rows stay in place while consoles open and close. */
export function sortSessions(sessions: readonly Session[]): Session[] {
  const names = new Intl.Collator(locale(), { numeric: true, sensitivity: 'base' });
  return [...sessions].sort(
    (a, b) =>
      names.compare(displayName(a), displayName(b)) ||
      names.compare(a.machine.name, b.machine.name) ||
      names.compare(a.id, b.id),
  );
}

/** Whether the session's names, number, node, cluster and relay contain every word of the search. */
export function matchesSession({ user, machine, relay }: Session, search: string): boolean {
  const { name, vmid, node, cluster } = machine;
  const fields = [user.name, user.displayName ?? '', name, String(vmid), node, cluster, relay];
  return containsWords(fields, search);
}
