/** What a test can make the cluster answer instead of the truth. `times`: so often and then no more; default always. */
export type Fault =
  | { readonly status: number; readonly message: string; readonly times?: number }
  /** 200 with this as the body, whatever it is. */
  | { readonly body: string; readonly times?: number }
  /** The request is read and never answered. */
  | { readonly noAnswer: true; readonly times?: number };

export interface Faults {
  /** Replaces the fault set under the same key; null removes it. */
  set(key: string, where: RegExp, fault: Fault | null): void;
  /** The fault for `GET /nodes/...`-like text, counting it as used. */
  take(methodAndPath: string): Fault | undefined;
}

export function createFaults(): Faults {
  const faults = new Map<string, { where: RegExp; fault: Fault; left: number }>();
  return {
    set(key, where, fault) {
      if (fault) faults.set(key, { where, fault, left: fault.times ?? Number.POSITIVE_INFINITY });
      else faults.delete(key);
    },
    take(methodAndPath) {
      const found = [...faults.values()].find((entry) => entry.left > 0 && entry.where.test(methodAndPath));
      if (found) found.left--;
      return found?.fault;
    },
  };
}
