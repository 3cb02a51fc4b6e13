import type { Session } from '../../api.ts';
import { displayName } from '../../texts.ts';

/** By person, then machine: rows stay where they are while consoles come and go. */
export function sortSessions(sessions: readonly Session[]): Session[] {
  const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  return [...sessions].sort(
    (a, b) =>
      names.compare(displayName(a), displayName(b)) ||
      names.compare(a.machine.name, b.machine.name) ||
      names.compare(a.id, b.id),
  );
}

/** Every word must be found somewhere. */
export function matchesSession({ user, machine, relay }: Session, search: string): boolean {
  const { name, vmid, node, cluster } = machine;
  const hay = [user.name, user.displayName ?? '', name, String(vmid), node, cluster, relay]
    .join('\n')
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}
