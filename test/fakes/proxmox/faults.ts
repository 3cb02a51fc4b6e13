/** A response that replaces the real one. `times` limits how often; default always. */
export type Fault =
  | { readonly status: number; readonly message: string; readonly times?: number }
  /** Status 200 with this body. */
  | { readonly body: string; readonly times?: number }
  /** The request is read and gets no response. */
  | { readonly noAnswer: true; readonly times?: number };

export interface Faults {
  /** Replaces the fault set under the same key; null removes it. */
  set(key: string, where: RegExp, fault: Fault | null): void;
  /** Returns the fault for a call such as `GET /nodes/...`, and counts it as used. */
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
