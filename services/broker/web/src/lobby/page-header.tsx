import { api, type User } from '../api.ts';
import { sessionsPath, type SignInReason } from '../paths.ts';
import { Brand } from './brand.tsx';

interface PageHeaderProps {
  readonly user: User;
  /** Whether this person has a say about the consoles of others. */
  readonly showSessions: boolean;
  readonly current: 'machines' | 'sessions';
  readonly onSignedOut: (note: SignInReason) => void;
}

/** The head of every page that one sees after signing in. */
export function PageHeader({
  user,
  showSessions: oversees,
  current: at,
  onSignedOut: left,
}: PageHeaderProps) {
  async function signOut() {
    const answer = await api.signOut();
    // Out of what signed them in, too.
    if (answer.ok && answer.value) return location.assign(answer.value.url);
    left('signed-out');
  }

  const called = user.displayName ?? user.name;
  return (
    <header class="top">
      <div class="top-inner">
        <a class="home" href="/" aria-label="Porthole">
          <Brand />
        </a>
        {oversees ? (
          <nav class="places" aria-label="Pages">
            <a href="/" aria-current={at === 'machines' ? 'page' : undefined}>
              Machines
            </a>
            <a href={sessionsPath} aria-current={at === 'sessions' ? 'page' : undefined}>
              Live consoles
            </a>
          </nav>
        ) : null}
        <div class="me">
          <span class="avatar" aria-hidden="true">
            {called.trim().charAt(0).toUpperCase()}
          </span>
          <span class="me-name">{called}</span>
          <button type="button" class="button quiet" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      </div>
    </header>
  );
}
