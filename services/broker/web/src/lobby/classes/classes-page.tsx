import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { ClassList } from '../../class-types.ts';
import { AlertIcon } from '../../components/icons.tsx';
import { classesPath } from '../../paths.ts';
import { classCount, handsText, lessonText } from '../../texts/class-page.ts';
import { listProblem } from '../../texts/machines.ts';
import { LessonNews } from '../../lessons/lesson-news.tsx';
import { ListSkeleton } from '../list-skeleton.tsx';
import { PageHeader, type PageProps } from '../page-header.tsx';
import { ClassView } from './class-view.tsx';
import { useClasses } from './use-classes.ts';

/** The page of instructors: one class at a time. */
export function ClassesPage(props: PageProps) {
  const [wanted, setWanted] = useState(new URLSearchParams(location.search).get('class') ?? undefined);
  const { value: list, problem, reload } = useClasses(wanted, () => props.onSignedOut('expired'));
  // The classes stay in place while another class loads.
  const known = useRef<ClassList['available']>([]);
  if (list) known.current = list.available.filter(({ role }) => role === 'instructor');
  const selected = list?.classes.find(({ role }) => role === 'instructor');
  const [first] = known.current;
  const isMissing = list !== undefined && !selected && first !== undefined;

  // Only one class is asked for again and again. The address can name one that is gone.
  useEffect(() => {
    if (isMissing || (wanted === undefined && known.current.length > 1)) setWanted(first?.name);
  }, [list]);

  function select(name: string) {
    history.replaceState(null, '', `${classesPath}?class=${encodeURIComponent(name)}`);
    setWanted(name);
  }

  return (
    <>
      <PageHeader {...props} current="classes" />
      <main class="page">
        <div class="page-head">
          <div>
            <h1>{selected?.title ?? t('classes')}</h1>
            <p class="count">
              {selected
                ? `${classCount(selected)}${selected.truncated ? ` ${t('listTruncated')}` : ''}${selected.lesson ? '.' : ''}`
                : list || problem
                  ? ''
                  : t('classes.loading')}
              {selected?.lesson ? ` ${lessonText(selected.lesson)}` : ''}
            </p>
          </div>
          <ClassSwitch classes={known.current} selected={wanted ?? selected?.name} select={select} />
        </div>
        <LessonNews classes={list?.classes} />
        {list && problem ? (
          <p class="stale" role="status">
            <AlertIcon /> {listProblem(problem)}
          </p>
        ) : null}
        {selected ? (
          <ClassView key={selected.name} details={selected} reload={reload} />
        ) : list && !isMissing ? (
          <div class="notice" data-empty>
            <h2>{t('classes.none')}</h2>
            <p>{t('classes.noneAdvice')}</p>
          </div>
        ) : problem ? (
          <div class="notice" role="alert">
            <h2>{t('classes.failed')}</h2>
            <p>{t('classes.failedAdvice')}</p>
            <button type="button" class="button primary" onClick={reload}>
              {t('tryAgain')}
            </button>
          </div>
        ) : (
          <ListSkeleton />
        )}
        <p class="visually-hidden" role="status" aria-live="polite">
          {selected ? handsText(selected.hands) : ''}
        </p>
      </main>
    </>
  );
}

interface ClassSwitchProps {
  readonly classes: ClassList['available'];
  /** Its name. */
  readonly selected: string | undefined;
  readonly select: (name: string) => void;
}

function ClassSwitch({ classes, selected, select }: ClassSwitchProps) {
  if (classes.length < 2) return null;
  return (
    <div class="class-switch" role="group" aria-label={t('classes.which')}>
      {classes.map(({ name, title }) => (
        <button
          key={name}
          type="button"
          class="class-button"
          aria-pressed={name === selected}
          onClick={() => select(name)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
