import { dateTimeText } from '../../language/formats.ts';
import { t } from '../../language/t.ts';
import type { Session } from '../../api.ts';
import { CloseIcon, EyeIcon, HandIcon, SignOutIcon } from '../../components/icons.tsx';
import { consolePath } from '../../paths.ts';
import { displayName, elapsedText, observersText, trafficText } from '../../texts/sessions.ts';
import { Avatar } from '../avatar.tsx';
import type { RowPlace } from '../use-growing-list.ts';

interface SessionRowProps {
  readonly session: Session;
  readonly place: RowPlace;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly showCluster: boolean;
  readonly ending: boolean;
  readonly end: () => void;
  readonly signOut: () => void;
}

/** One console: its user, its machine, its age, and the actions that are allowed. */
export function SessionRow(props: SessionRowProps) {
  const { session, place, now, ending } = props;
  const { mine, since, user } = session;
  const name = displayName(session);
  return (
    <li
      class="session"
      data-session={session.id}
      data-ending={ending}
      aria-posinset={place.position}
      aria-setsize={place.total}
    >
      <Avatar name={name} />
      <span class="session-user">
        <span class="session-name" title={user.name}>
          {name}
          {mine ? <span class="you">{t('session.you')}</span> : null}
        </span>
        <span class="machine-facts">
          <time dateTime={since} title={dateTimeText(since)}>
            {elapsedText(since, now)}
          </time>
        </span>
      </span>
      <SessionMachine {...props} />
      <SessionActions {...props} name={name} />
    </li>
  );
}

function SessionMachine({ session, showCluster }: Pick<SessionRowProps, 'session' | 'showCluster'>) {
  const { machine, mode, observer, observers, bytes, parked } = session;
  const facts = [
    showCluster ? `${machine.cluster} / ${machine.node}` : machine.node,
    trafficText(bytes),
    ...(mode === 'view' && !observer ? [t('session.viewOnly')] : []),
    ...(parked ? [t('session.parked')] : []),
  ];
  return (
    <span class="session-machine">
      <span class="session-name">
        {machine.name} {machine.type === 'node' ? null : <span class="vmid">{machine.vmid}</span>}
      </span>
      <span class="machine-facts">
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </span>
      {observer || observers.length > 0 ? (
        <span class="badge">
          <EyeIcon /> {observer ? t('session.observing') : observersText({ by: observers, others: 0 })}
        </span>
      ) : null}
    </span>
  );
}

interface SessionActionsProps extends Pick<SessionRowProps, 'session' | 'ending' | 'end' | 'signOut'> {
  /** The user's name. */
  readonly name: string;
}

function SessionActions({ session, name, ending, end, signOut }: SessionActionsProps) {
  const { machine, may, mine } = session;
  const { cluster, vmid } = machine;
  return (
    <span class="session-actions">
      {may.includes('watch') && !mine ? (
        <a
          class="button"
          href={consolePath(cluster, vmid, 'view')}
          target="_blank"
          rel="noopener"
          aria-label={t('session.observeLong', { name, machine: machine.name })}
        >
          <EyeIcon /> {t('session.observe')}
        </a>
      ) : null}
      {may.includes('control') && !mine ? (
        <a
          class="button"
          href={consolePath(cluster, vmid)}
          target="_blank"
          rel="noopener"
          aria-label={t('session.takeOverLong', { machine: machine.name, name })}
        >
          <HandIcon /> {t('session.takeOver')}
        </a>
      ) : null}
      {may.includes('end') ? (
        <button
          type="button"
          class="button quiet bad"
          aria-label={t('session.endLong', { name, machine: machine.name })}
          aria-disabled={ending}
          onClick={() => {
            if (!ending) end();
          }}
        >
          <CloseIcon /> {t(ending ? 'session.ending' : 'session.end')}
        </button>
      ) : null}
      {may.includes('sign_out') ? (
        <button
          type="button"
          class="icon-button"
          title={t('session.signOut')}
          aria-label={t('session.signOutLong', { name })}
          onClick={signOut}
        >
          <SignOutIcon />
        </button>
      ) : null}
    </span>
  );
}
