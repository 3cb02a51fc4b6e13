import { useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { api, type Session } from '../../api.ts';
import type { Confirmation } from '../../components/confirm-dialog.tsx';
import { endClassConfirmation, endConfirmation, signOutConfirmation } from '../../texts/sessions.ts';

/** Ending consoles and sign-ins, each after a confirmation. */
export interface SessionActions {
  /** Ids of the consoles that are being ended. */
  readonly ending: ReadonlySet<string>;
  readonly error: string | undefined;
  readonly confirmation: Confirmation | undefined;
  end(session: Session): void;
  endClass(name: string, title: string, sessions: readonly Session[]): void;
  signOut(session: Session): void;
  closeConfirmation(): void;
  dismissError(): void;
}

/** How long a console is shown as ending: its relay takes a moment to remove it from the list. */
const endingMs = 1500;

export function useSessionActions(all: readonly Session[], reload: () => void): SessionActions {
  const [confirmation, setConfirmation] = useState<Confirmation | undefined>(undefined);
  const [error, setError] = useState<string | undefined>(undefined);
  const [ending, setEnding] = useState<ReadonlySet<string>>(new Set());

  async function run(sessions: readonly Session[], request: () => Promise<{ readonly ok: boolean }>) {
    setError(undefined);
    setEnding(new Set(sessions.map(({ id }) => id)));
    if (!(await request()).ok) setError(t('actionFailed'));
    setTimeout(() => {
      setEnding(new Set());
      reload();
    }, endingMs);
  }

  return {
    ending,
    error,
    confirmation,
    end(session) {
      const onConfirm = () => void run([session], () => api.endSession(session.id));
      setConfirmation({ ...endConfirmation(session), onConfirm });
    },
    endClass(name, title, sessions) {
      const onConfirm = () => void run(sessions, () => api.endClass(name));
      setConfirmation({ ...endClassConfirmation(title, sessions.length), onConfirm });
    },
    signOut(session) {
      const { id } = session.user;
      const sessions = all.filter(({ user }) => user.id === id);
      const onConfirm = () => void run(sessions, () => api.signOutUser(id));
      setConfirmation({ ...signOutConfirmation(session), onConfirm });
    },
    closeConfirmation: () => setConfirmation(undefined),
    dismissError: () => setError(undefined),
  };
}
