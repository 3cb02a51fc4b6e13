import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, type SessionList, type User } from '../../api.ts';
import { ConfirmDialog, type Confirmation } from '../../components/confirm-dialog.tsx';
import { AlertIcon } from '../../components/icons.tsx';
import { sessionsPath, type SignInReason } from '../../paths.ts';
import {
  endClassConfirmation,
  endError,
  endConfirmation,
  sessionCount,
  signOutConfirmation,
} from '../../texts.ts';
import { sortSessions, matchesSession } from './sort-sessions.ts';
import { ErrorBanner } from '../error-banner.tsx';
import { SearchField } from '../search-field.tsx';
import { SessionRow } from './session-row.tsx';
import { SessionListState } from './session-list-states.tsx';
import { PageHeader } from '../page-header.tsx';
import { useSessions } from './use-sessions.ts';

interface SessionsPageProps {
  readonly user: User;
  readonly oversees: boolean;
  readonly left: (note: SignInReason) => void;
}

/** For how long a console that was ended is shown as ending: its relay takes a moment to say that it is gone. */
const endingMs = 1500;

/** Who has what open, for instructors and operators. */
export function SessionsPage({ user, oversees, left }: SessionsPageProps) {
  const [className, setClassName] = useState(new URLSearchParams(location.search).get('class') ?? undefined);
  const { list, problem, reload } = useSessions(className, () => left('expired'));
  const [search, setSearch] = useState('');
  const [question, setQuestion] = useState<Confirmation | undefined>(undefined);
  const [failed, setFailed] = useState<string | undefined>(undefined);
  const [ending, setEnding] = useState<ReadonlySet<string>>(new Set());
  const field = useRef<HTMLInputElement>(null);
  const now = useNow();
  // The classes stay where they are while another list is on its way.
  const classes = useRef<SessionList['classes']>([]);
  if (list) classes.current = list.classes;

  const all = useMemo(() => sortSessions(list?.sessions ?? []), [list]);
  const found = useMemo(() => all.filter((session) => matchesSession(session, search.trim())), [all, search]);
  const count = sessionCount(all, new Set(all.map((session) => session.user.id)).size);
  const clusters = new Set(all.map((session) => session.machine.cluster)).size;
  const taught = classes.current.find(({ name }) => name === className);
  const endable = all.filter(({ may, mine }) => may.includes('end') && !mine);

  function choose(name: string | undefined) {
    const query = name === undefined ? '' : `?class=${encodeURIComponent(name)}`;
    history.replaceState(null, '', `${sessionsPath}${query}`);
    setClassName(name);
  }

  async function end(ids: readonly string[], order: () => Promise<{ readonly ok: boolean }>) {
    setFailed(undefined);
    setEnding(new Set(ids));
    if (!(await order()).ok) setFailed(endError);
    setTimeout(() => {
      setEnding(new Set());
      reload();
    }, endingMs);
  }

  return (
    <>
      <PageHeader user={user} showSessions={oversees} current="sessions" onSignedOut={left} />
      <main class="page">
        <div class="page-head">
          <div>
            <h1>Live consoles</h1>
            <p class="count">
              {list ? count : problem ? '' : 'Looking for consoles…'}
              {list?.truncated ? ' (more are not shown)' : ''}
            </p>
          </div>
          <SearchField
            field={field}
            label="Search by person, machine, number or node"
            placeholder="Search person or machine"
            hidden={list !== undefined && all.length === 0}
            value={search}
            set={setSearch}
          />
        </div>
        {classes.current.length > 0 ? (
          <div class="scopes">
            <div role="group" aria-label="Which consoles">
              {[{ name: undefined, title: 'All' }, ...classes.current].map(({ name, title }) => (
                <button
                  key={name ?? ''}
                  type="button"
                  class="scope"
                  aria-pressed={name === className}
                  onClick={() => choose(name)}
                >
                  {title}
                </button>
              ))}
            </div>
            {taught && endable.length > 0 ? (
              <button
                type="button"
                class="button quiet bad"
                onClick={() => {
                  const ids = endable.map(({ id }) => id);
                  const act = () => void end(ids, () => api.endClass(taught.name));
                  setQuestion({ ...endClassConfirmation(taught.title, ids.length), onConfirm: act });
                }}
              >
                End all of {taught.title}
              </button>
            ) : null}
          </div>
        ) : null}
        {list && problem ? (
          <p class="stale" role="status">
            <AlertIcon /> Porthole does not answer. You see what was known last; we keep trying.
          </p>
        ) : null}
        <SessionListState
          loaded={list !== undefined}
          failed={problem !== undefined}
          total={all.length}
          found={found.length}
          clear={() => {
            setSearch('');
            field.current?.focus();
          }}
          reload={reload}
        />
        {found.length > 0 ? (
          <ul class="sessions" aria-label="Live consoles">
            {found.map((session) => (
              <SessionRow
                key={session.id}
                session={session}
                now={now}
                showCluster={clusters > 1}
                ending={ending.has(session.id)}
                end={() => {
                  const act = () => void end([session.id], () => api.endSession(session.id));
                  setQuestion({ ...endConfirmation(session), onConfirm: act });
                }}
                signOut={() => {
                  const ids = all.filter(({ user: { id } }) => id === session.user.id).map(({ id }) => id);
                  const act = () => void end(ids, () => api.signOutUser(session.user.id));
                  setQuestion({ ...signOutConfirmation(session), onConfirm: act });
                }}
              />
            ))}
          </ul>
        ) : null}
        <ErrorBanner said={failed} forget={() => setFailed(undefined)} />
        {question ? <ConfirmDialog question={question} done={() => setQuestion(undefined)} /> : null}
        <p class="visually-hidden" role="status" aria-live="polite">
          {list ? (search.trim() ? `${found.length} found.` : count) : ''}
        </p>
      </main>
    </>
  );
}

/** The time, four times a minute: durations are told in minutes. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
