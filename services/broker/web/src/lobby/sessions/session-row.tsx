import type { Session } from '../../api.ts';
import { CloseIcon, EyeIcon, HandIcon, SignOutIcon } from '../../components/icons.tsx';
import { consolePath } from '../../paths.ts';
import { displayName, dataText, elapsedText, observersText } from '../../texts.ts';

interface SessionRowProps {
  readonly session: Session;
  readonly now: number;
  readonly showCluster: boolean;
  readonly ending: boolean;
  readonly end: () => void;
  readonly signOut: () => void;
}

/** One console: who, what, how long, and what can be done about it. */
export function SessionRow({ session, now, showCluster, ending, end, signOut }: SessionRowProps) {
  const { machine, mode, observer, observers, mine, since, bytes, user } = session;
  const called = displayName(session);
  const facts = [
    showCluster ? `${machine.cluster} / ${machine.node}` : machine.node,
    dataText(bytes),
    ...(mode === 'view' && !observer ? ['view only'] : []),
  ];
  return (
    <li class="session" data-session={session.id} data-ending={ending}>
      <span class="avatar" aria-hidden="true">
        {called.trim().charAt(0).toUpperCase()}
      </span>
      <span class="session-who">
        <span class="session-name" title={user.name}>
          {called}
          {mine ? <span class="you">you</span> : null}
        </span>
        <span class="machine-facts">
          <time dateTime={since} title={new Date(since).toLocaleString()}>
            {elapsedText(since, now)}
          </time>
        </span>
      </span>
      <span class="session-what">
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
            <EyeIcon /> {observer ? 'watching' : observersText({ by: observers, others: 0 })}
          </span>
        ) : null}
      </span>
      <SessionActions session={session} called={called} ending={ending} end={end} signOut={signOut} />
    </li>
  );
}

interface SessionActionsProps extends Pick<SessionRowProps, 'session' | 'ending' | 'end' | 'signOut'> {
  readonly called: string;
}

function SessionActions({
  session: { machine, may, mine },
  called,
  ending,
  end,
  signOut,
}: SessionActionsProps) {
  const { cluster, vmid, name } = machine;
  return (
    <span class="session-acts">
      {may.includes('watch') && !mine ? (
        <a
          class="button"
          href={consolePath(cluster, vmid, 'view')}
          target="_blank"
          rel="noopener"
          aria-label={`Look on at ${called} on ${name}`}
        >
          <EyeIcon /> Look on
        </a>
      ) : null}
      {may.includes('control') && !mine ? (
        <a
          class="button"
          href={consolePath(cluster, vmid)}
          target="_blank"
          rel="noopener"
          aria-label={`Take over ${name} from ${called}`}
        >
          <HandIcon /> Take over
        </a>
      ) : null}
      {may.includes('end') ? (
        <button
          type="button"
          class="button quiet bad"
          aria-label={`End the console of ${called} on ${name}`}
          aria-disabled={ending}
          onClick={() => {
            if (!ending) end();
          }}
        >
          <CloseIcon /> {ending ? 'Ending…' : 'End'}
        </button>
      ) : null}
      {may.includes('sign_out') ? (
        <button
          type="button"
          class="icon-button"
          title="Sign out everywhere"
          aria-label={`Sign ${called} out everywhere`}
          onClick={signOut}
        >
          <SignOutIcon />
        </button>
      ) : null}
    </span>
  );
}
