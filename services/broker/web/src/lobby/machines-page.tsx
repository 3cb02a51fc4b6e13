import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, type Machine, type User } from '../api.ts';
import { AlertIcon, SearchIcon } from '../icons.tsx';
import type { SignInReason } from '../paths.ts';
import { countText } from '../texts.ts';
import { arrange, keyOf, matches } from './arrange.ts';
import { Brand } from './brand.tsx';
import { EmptyList, FailedList, NoMatch, Skeleton } from './list-states.tsx';
import { MachineRow } from './machine-row.tsx';
import { useMachines } from './use-machines.ts';

interface MachinesPageProps {
  readonly user: User;
  readonly left: (note: SignInReason) => void;
}

export function MachinesPage({ user, left }: MachinesPageProps) {
  const { list, problem, news, reload } = useMachines(() => left('expired'));
  const [search, setSearch] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const all = useMemo(() => arrange(list?.consoles ?? []), [list]);
  const found = useMemo(() => all.filter((machine) => matches(machine, search.trim())), [all, search]);
  const clusters = new Set(all.map((machine) => machine.cluster)).size;

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const writing =
        event.target instanceof HTMLElement && event.target.matches('input, textarea, [role=menuitem]');
      if (event.key !== '/' || writing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  async function signOut() {
    const answer = await api.signOut();
    // Out of what signed them in, too.
    if (answer.ok && answer.value) location.assign(answer.value.url);
    else left('signed-out');
  }

  const clear = () => {
    setSearch('');
    field.current?.focus();
  };

  const called = user.displayName ?? user.name;
  return (
    <>
      <header class="top">
        <div class="top-inner">
          <a class="home" href="/" aria-label="Porthole">
            <Brand />
          </a>
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
      <main class="page">
        <div class="page-head">
          <div>
            <h1>Your machines</h1>
            <p class="count">{list ? countText(all) : problem ? '' : 'Looking for your machines…'}</p>
          </div>
          <div class="search" hidden={list !== undefined && all.length === 0}>
            <SearchIcon />
            <input
              ref={field}
              type="search"
              aria-label="Search by name, number, tag or pool"
              aria-keyshortcuts="/"
              placeholder="Search name, number or tag"
              autocomplete="off"
              spellcheck={false}
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === 'Escape') setSearch('');
              }}
            />
            <kbd aria-hidden="true">/</kbd>
          </div>
        </div>
        {list && (list.stale || problem) ? (
          <p class="stale" role="status" data-stale>
            <AlertIcon />
            {problem
              ? 'Porthole does not answer. You see what was known last; we keep trying.'
              : 'Proxmox does not answer at the moment. What you see may be out of date.'}
          </p>
        ) : null}
        <Body
          loaded={list !== undefined}
          failed={problem !== undefined}
          total={all.length}
          found={found}
          showCluster={clusters > 1}
          pick={setSearch}
          clear={clear}
          reload={reload}
        />
        <p class="visually-hidden" role="status" aria-live="polite">
          {search.trim() && list ? `${found.length} found. ${news}` : news}
        </p>
      </main>
    </>
  );
}

interface BodyProps {
  readonly loaded: boolean;
  readonly failed: boolean;
  readonly total: number;
  readonly found: readonly Machine[];
  readonly showCluster: boolean;
  readonly pick: (search: string) => void;
  readonly clear: () => void;
  readonly reload: () => void;
}

function Body({ loaded, failed, total, found, showCluster, pick, clear, reload }: BodyProps) {
  if (!loaded) return failed ? <FailedList retry={reload} /> : <Skeleton />;
  if (total === 0) return <EmptyList />;
  if (found.length === 0) return <NoMatch clear={clear} />;
  return (
    <ul class="machines" aria-label="Machines">
      {found.map((machine) => (
        <MachineRow key={keyOf(machine)} machine={machine} showCluster={showCluster} pick={pick} />
      ))}
    </ul>
  );
}
