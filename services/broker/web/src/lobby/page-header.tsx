import { LanguageMenu } from '../language/language-menu.tsx';
import { t } from '../language/t.ts';
import { api, type User } from '../api.ts';
import { basePath } from '../base-path.ts';
import { classesPath, recordingsPath, sessionsPath, type SignInReason } from '../paths.ts';
import { Avatar } from './avatar.tsx';
import { Brand } from './brand.tsx';

export interface PageProps {
  readonly user: User;
  /** Whether the user may see other users' consoles. */
  readonly canSeeSessions: boolean;
  /** Whether the user may be an instructor of a class. */
  readonly canSeeClasses: boolean;
  /** Whether the user may see recordings of consoles. */
  readonly canSeeRecordings: boolean;
  readonly onSignedOut: (reason: SignInReason) => void;
}

interface PageHeaderProps extends PageProps {
  readonly current: 'machines' | 'classes' | 'sessions' | 'recordings';
}

export function PageHeader(props: PageHeaderProps) {
  const { user, canSeeSessions, canSeeClasses, canSeeRecordings, current, onSignedOut } = props;
  async function signOut() {
    const answer = await api.signOut();
    // The identity provider's sign-out page.
    if (answer.ok && answer.value) return location.assign(answer.value.url);
    onSignedOut('signed-out');
  }

  const name = user.displayName ?? user.name;
  return (
    <header class="page-header">
      <div class="page-header-inner">
        <a class="home" href={basePath} aria-label="Porthole">
          <Brand />
        </a>
        {canSeeSessions || canSeeClasses || canSeeRecordings ? (
          <nav class="page-links" aria-label={t('pages')}>
            <a href={basePath} aria-current={current === 'machines' ? 'page' : undefined}>
              {t('machines')}
            </a>
            {canSeeClasses ? (
              <a href={classesPath} aria-current={current === 'classes' ? 'page' : undefined}>
                {t('classes')}
              </a>
            ) : null}
            {canSeeSessions ? (
              <a href={sessionsPath} aria-current={current === 'sessions' ? 'page' : undefined}>
                {t('liveConsoles')}
              </a>
            ) : null}
            {canSeeRecordings ? (
              <a href={recordingsPath} aria-current={current === 'recordings' ? 'page' : undefined}>
                {t('recordings')}
              </a>
            ) : null}
          </nav>
        ) : null}
        <LanguageMenu />
        <div class="account">
          <Avatar name={name} />
          <span class="account-name">{name}</span>
          <button type="button" class="button quiet" onClick={() => void signOut()}>
            {t('signOut')}
          </button>
        </div>
      </div>
    </header>
  );
}
