import { useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { api } from '../../api.ts';
import type { ClassAction } from '../../class-types.ts';

/** The actions of an instructor for one class. */
export interface ClassActions {
  /** Answers whether it succeeded. One action at a time. */
  act(action: ClassAction): Promise<boolean>;
  readonly busy: boolean;
  readonly error: string | undefined;
  dismissError(): void;
}

export function useClassActions(className: string | undefined, reload: () => void): ClassActions {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  return {
    busy,
    error,
    async act(action) {
      if (busy || className === undefined) return false;
      setBusy(true);
      setError(undefined);
      const { ok } = await api.classAction(className, action);
      setBusy(false);
      if (!ok) setError(t('actionFailed'));
      reload();
      return ok;
    },
    dismissError: () => setError(undefined),
  };
}
