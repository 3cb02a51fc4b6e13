import { useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { Machine, Problem } from '../../api.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { AlertIcon } from '../../components/icons.tsx';
import { countText, listProblem, staleText } from '../../texts/machines.ts';
import { LessonNews } from '../../lessons/lesson-news.tsx';
import { useLessons } from '../../lessons/use-lessons.ts';
import { ErrorBanner } from '../error-banner.tsx';
import { ListSkeleton } from '../list-skeleton.tsx';
import { PageHeader, type PageProps } from '../page-header.tsx';
import { SearchField } from '../search-field.tsx';
import { useGrowingList } from '../use-growing-list.ts';
import { EmptyList, FailedList, NoMatch } from './machine-list-states.tsx';
import { MachineRow } from './machine-row.tsx';
import { machineKey, matchesMachine, sortMachines } from './sort-machines.ts';
import { useMachines } from './use-machines.ts';
import { usePowerActions, type PowerActions } from './use-power-actions.ts';

export function MachinesPage(props: PageProps) {
  const { value: list, problem, news, reload } = useMachines(() => props.onSignedOut('expired'));
  const lessons = useLessons(true);
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
      <PageHeader {...props} current="machines" />
      <main class="page">
        <div class="page-head">
          <div>
            <h1>{t('yourMachines')}</h1>
            <p class="count">{list ? countText(all) : problem ? '' : t('machines.loading')}</p>
          </div>
          <SearchField
            field={field}
            label={t('machines.search')}
            placeholder={t('machines.searchHint')}
            hidden={list !== undefined && all.length === 0}
            value={search}
            set={setSearch}
          />
        </div>
        <LessonNews classes={lessons} />
        {list && (list.stale || problem) ? (
          <p class="stale" role="status" data-stale>
            <AlertIcon />
            {problem ? listProblem(problem) : staleText(list)}
          </p>
        ) : null}
        <List
          loaded={list !== undefined}
          problem={problem}
          total={all.length}
          found={found}
          search={search.trim()}
          showCluster={clusters > 1}
          setSearch={setSearch}
          clear={clear}
          reload={reload}
          power={power}
        />
        <ErrorBanner error={power.error} dismiss={power.dismissError} />
        {power.confirmation ? (
          <ConfirmDialog confirmation={power.confirmation} onClose={power.closeConfirmation} />
        ) : null}
        <p class="visually-hidden" role="status" aria-live="polite">
          {search.trim() && list ? `${t('found', { count: found.length })} ${news}` : news}
        </p>
      </main>
    </>
  );
}

interface ListProps {
  readonly loaded: boolean;
  readonly problem: Problem | undefined;
  readonly total: number;
  readonly found: readonly Machine[];
  readonly search: string;
  readonly showCluster: boolean;
  readonly setSearch: (search: string) => void;
  readonly clear: () => void;
  readonly reload: () => void;
  readonly power: PowerActions;
}

function List({ loaded, problem, total, reload, ...shown }: ListProps) {
  if (!loaded) return problem ? <FailedList problem={problem} retry={reload} /> : <ListSkeleton />;
  if (total === 0) return <EmptyList />;
  if (shown.found.length === 0) return <NoMatch clear={shown.clear} />;
  return <Rows {...shown} />;
}

type RowsProps = Pick<ListProps, 'found' | 'search' | 'showCluster' | 'setSearch' | 'power'>;

function Rows({ found, search, showCluster, setSearch, power }: RowsProps) {
  const { rendered, end } = useGrowingList(found.length, search);
  return (
    <>
      <ul class="machines" aria-label={t('machines')}>
        {found.slice(0, rendered).map((machine, index) => (
          <MachineRow
            key={machineKey(machine)}
            machine={machine}
            place={{ position: index + 1, total: found.length }}
            showCluster={showCluster}
            setSearch={setSearch}
            pendingAction={power.pending.get(machineKey(machine))}
            onPowerAction={(action) => power.request(machine, action)}
          />
        ))}
      </ul>
      {rendered < found.length ? <div ref={end} /> : null}
    </>
  );
}
