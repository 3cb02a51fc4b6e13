const storageKey = 'porthole-dismissed-messages';
const maxRemembered = 50;

/** The ids of messages that the user has dismissed in this tab, also before a reload. */
export interface DismissedMessages {
  read(): ReadonlySet<string>;
  add(id: string): void;
}

export function createDismissedMessages(storage: () => Storage): DismissedMessages {
  let ids: readonly string[] = load();

  /** An embedded page may be denied its storage. Then it remembers until it is reloaded. */
  function load(): readonly string[] {
    try {
      const value: unknown = JSON.parse(storage().getItem(storageKey) ?? '[]');
      return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];
    } catch {
      return [];
    }
  }

  return {
    read: () => new Set(ids),
    add(id) {
      ids = [...ids, id].slice(-maxRemembered);
      try {
        storage().setItem(storageKey, JSON.stringify(ids));
      } catch {
        // See above.
      }
    },
  };
}
