import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { SessionList } from '../../api.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { AlertIcon } from '../../components/icons.tsx';
import { sessionsPath } from '../../paths.ts';
import { listProblem } from '../../texts/machines.ts';
import { sessionCount } from '../../texts/sessions.ts';
import { ErrorBanner } from '../error-banner.tsx';
import { PageHeader, type PageProps } from '../page-header.tsx';
import { SearchField } from '../search-field.tsx';
import { useGrowingList } from '../use-growing-list.ts';
import { ClassFilter } from './class-filter.tsx';
import { SessionListState } from './session-list-states.tsx';
import { SessionRow } from './session-row.tsx';
import { matchesSession, sortSessions } from './sort-sessions.ts';
import { useSessionActions, type SessionActions } from './use-session-actions.ts';
import { useSessions } from './use-sessions.ts';

/** The open consoles that an instructor or operator may see. */
export function SessionsPage(props: PageProps) {
  const [className, setClassName] = useState(new URLSearchParams(location.search).get('class') ?? undefined);
  const { value: list, problem, reload } = useSessions(className, () => props.onSignedOut('expired'));
  const [search, setSearch] = useState('');
  const field = useRef<HTMLInputElement>(null);
  // The classes stay in place while the list of another class loads.
  const classes = useRef<SessionList['classes']>([]);
  if (list) classes.current = list.classes;

  const all = useMemo(() => sortSessions(list?.sessions ?? []), [list]);
  const found = useMemo(() => all.filter((session) => matchesSession(session, search.trim())), [all, search]);
  const actions = useSessionActions(all, reload);
  const count = sessionCount(all.length, new Set(all.map((session) => session.user.id)).size);

  function selectClass(name: string | undefined) {
    const query = name === undefined ? '' : `?class=${encodeURIComponent(name)}`;
    history.replaceState(null, '', `${sessionsPath}${query}`);
    setClassName(name);
  }

  return (
    <>
      <PageHeader {...props} current="sessions" />
      <main class="page">
        <div class="page-head">
          <div>
            <h1>{t('liveConsoles')}</h1>
            <p class="count">
              {list ? count : problem ? '' : t('sessions.loading')}
              {list?.truncated ? ` ${t('listTruncated')}` : ''}
            </p>
          </div>
          <SearchField
            field={field}
            label={t('sessions.search')}
            placeholder={t('sessions.searchHint')}
            hidden={list !== undefined && all.length === 0}
            value={search}
            set={setSearch}
          />
        </div>
        <Classes classes={classes.current} selected={className} select={selectClass} all={all} {...actions} />
        {list && problem ? (
          <p class="stale" role="status">
            <AlertIcon /> {listProblem(problem)}
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
        <Rows all={all} found={found} search={search.trim()} {...actions} />
        <ErrorBanner error={actions.error} dismiss={actions.dismissError} />
        {actions.confirmation ? (
          <ConfirmDialog confirmation={actions.confirmation} onClose={actions.closeConfirmation} />
        ) : null}
        <p class="visually-hidden" role="status" aria-live="polite">
          {list ? (search.trim() ? t('found', { count: found.length }) : count) : ''}
        </p>
      </main>
    </>
  );
}

type Sessions = SessionList['sessions'];

interface ClassesProps extends Pick<SessionActions, 'endClass'> {
  readonly classes: SessionList['classes'];
  readonly selected: string | undefined;
  readonly select: (name: string | undefined) => void;
  readonly all: Sessions;
}

function Classes({ classes, selected, select, all, endClass }: ClassesProps) {
  if (classes.length === 0) return null;
  const current = classes.find(({ name }) => name === selected);
  const others = all.filter(({ may, mine }) => may.includes('end') && !mine);
  const endAll =
    current && others.length > 0 ? () => endClass(current.name, current.title, others) : undefined;
  return <ClassFilter classes={classes} selected={selected} select={select} endAll={endAll} />;
}

interface RowsProps extends Pick<SessionActions, 'ending' | 'end' | 'signOut'> {
  readonly all: Sessions;
  readonly found: Sessions;
  readonly search: string;
}

function Rows({ all, found, search, ending, end, signOut }: RowsProps) {
  const list = useGrowingList(found.length, search);
  const now = useNow();
  const clusters = new Set(all.map((session) => session.machine.cluster)).size;
  if (found.length === 0) return null;
  return (
    <>
      <ul class="sessions" aria-label={t('liveConsoles')}>
        {found.slice(0, list.rendered).map((session, index) => (
          <SessionRow
            key={session.id}
            session={session}
            place={{ position: index + 1, total: found.length }}
            now={now}
            showCluster={clusters > 1}
            ending={ending.has(session.id)}
            end={() => end(session)}
            signOut={() => signOut(session)}
          />
        ))}
      </ul>
      {list.rendered < found.length ? <div ref={list.end} /> : null}
    </>
  );
}

const clockIntervalMs = 15_000;

/** The time, often enough for durations in minutes. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), clockIntervalMs);
    return () => clearInterval(timer);
  }, []);
  return now;
}
