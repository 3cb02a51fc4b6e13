import type { ControlMessage } from '@porthole/shared/protocol/control-messages';

/** Parses a control message about the user's class. Undefined for any other. */
export function parseClassMessage(value: Readonly<Record<string, unknown>>): ControlMessage | undefined {
  const { type, id, text, by, seconds, raised, position, cluster, vmid, name, mine } = value;
  const named = typeof by === 'string' ? { by } : {};
  switch (type) {
    case 'message':
      return isText(id) && isText(text) ? { type, id, text, ...named } : undefined;
    case 'paused':
      if (typeof seconds !== 'number' || !(seconds >= 0) || typeof text !== 'string') return undefined;
      return { type, seconds, text, ...named };
    case 'shown':
      if (!isText(cluster) || !isText(name) || typeof vmid !== 'number' || !Number.isSafeInteger(vmid))
        return undefined;
      return { type, cluster, vmid, name, ...named, mine: mine === true };
    case 'not_shown':
    case 'unpaused':
      return { type };
    case 'help':
      if (typeof raised !== 'boolean') return undefined;
      return typeof position === 'number' && position >= 1 ? { type, raised, position } : { type, raised };
    default:
      return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
