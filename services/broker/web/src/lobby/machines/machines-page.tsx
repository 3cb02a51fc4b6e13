import { useMemo, useRef, useState } from 'preact/hooks';
import type { Machine, Problem, User } from '../../api.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { AlertIcon } from '../../components/icons.tsx';
import type { SignInReason } from '../../paths.ts';
import { countText, listProblem, staleText } from '../../texts.ts';
import { sortMachines, machineKey, matchesMachine } from './sort-machines.ts';
import { EmptyList, FailedList, NoMatch, Skeleton } from './machine-list-states.tsx';
import { MachineRow } from './machine-row.tsx';
import { ErrorBanner } from '../error-banner.tsx';
import { SearchField } from '../search-field.tsx';
import { PageHeader } from '../page-header.tsx';
import { usePowerActions, type PowerActions } from './use-power-actions.ts';
import { useMachines } from './use-machines.ts';

interface MachinesPageProps {
  readonly user: User;
  readonly oversees: boolean;
  readonly left: (note: SignInReason) => void;
}

export function MachinesPage({ user, oversees, left }: MachinesPageProps) {
  const { list, problem, news, reload } = useMachines(() => left('expired'));
  const [search, setSearch] = useState('');
  const power = usePowerActions(list?.consoles, reload);
  const field = useRef<HTMLInputElement>(null);
  const all = useMemo(() => sortMachines(list?.consoles ?? []), [list]);
  const found = useMemo(() => all.filter((machine) => matchesMachine(machine, search.trim())), [all, search]);
  const clusters = new Set(all.map((machine) => machine.cluster)).size;

  const clear = () => {
    setSearch('');
    field.current?.focus();
  };

  return (
    <>
      <PageHeader user={user} showSessions={oversees} current="machines" onSignedOut={left} />
      <main class="page">
        <div class="page-head">
          <div>
            <h1>Your machines</h1>
            <p class="count">{list ? countText(all) : problem ? '' : 'Looking for your machines…'}</p>
          </div>
          <SearchField
            field={field}
            label="Search by name, number, tag or pool"
            placeholder="Search name, number or tag"
            hidden={list !== undefined && all.length === 0}
            value={search}
            set={setSearch}
          />
        </div>
        {list && (list.stale || problem) ? (
          <p class="stale" role="status" data-stale>
            <AlertIcon />
            {problem ? listProblem(problem) : staleText(list)}
          </p>
        ) : null}
        <Body
          loaded={list !== undefined}
          problem={problem}
          total={all.length}
          found={found}
          showCluster={clusters > 1}
          pick={setSearch}
          clear={clear}
          reload={reload}
          power={power}
        />
        <ErrorBanner said={power.error} forget={power.dismissError} />
        {power.confirmation ? (
          <ConfirmDialog question={power.confirmation} done={power.closeConfirmation} />
        ) : null}
        <p class="visually-hidden" role="status" aria-live="polite">
          {search.trim() && list ? `${found.length} found. ${news}` : news}
        </p>
      </main>
    </>
  );
}

interface BodyProps {
  readonly loaded: boolean;
  readonly problem: Problem | undefined;
  readonly total: number;
  readonly found: readonly Machine[];
  readonly showCluster: boolean;
  readonly pick: (search: string) => void;
  readonly clear: () => void;
  readonly reload: () => void;
  readonly power: PowerActions;
}

function Body({ loaded, problem, total, found, showCluster, pick, clear, reload, power }: BodyProps) {
  if (!loaded) return problem ? <FailedList problem={problem} retry={reload} /> : <Skeleton />;
  if (total === 0) return <EmptyList />;
  if (found.length === 0) return <NoMatch clear={clear} />;
  return (
    <ul class="machines" aria-label="Machines">
      {found.map((machine) => (
        <MachineRow
          key={machineKey(machine)}
          machine={machine}
          showCluster={showCluster}
          pick={pick}
          going={power.pending.get(machineKey(machine))}
          power={(action) => power.request(machine, action)}
        />
      ))}
    </ul>
  );
}
