import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { AlertIcon } from '../../components/icons.tsx';
import type { RecordingFilter } from '../../recording-types.ts';
import { recordingProblem } from '../../texts/recordings.ts';
import { ListSkeleton } from '../list-skeleton.tsx';
import { PageHeader, type PageProps } from '../page-header.tsx';
import { RecordingFilters } from './recording-filters.tsx';
import { RecordingRow } from './recording-row.tsx';
import { useRecordings, type Recordings } from './use-recordings.ts';

/** The recordings that the user may see, newest first. */
export function RecordingsPage(props: PageProps) {
  const [filter, setFilter] = useState<RecordingFilter>({});
  const list = useRecordings(filter, () => props.onSignedOut('expired'));
  const { recordings, loading, hasMore } = list;
  const shown = loading
    ? t('recordings.loading')
    : t(hasMore ? 'recordings.countAndMore' : 'recordings.count', { count: recordings.length });

  return (
    <>
      <PageHeader {...props} current="recordings" />
      <main class="page">
        <div class="page-head">
          <div>
            <h1>{t('recordings')}</h1>
            <p class="count" role="status">
              {shown}
            </p>
          </div>
        </div>
        <RecordingFilters set={setFilter} />
        <ListState {...list} filtered={Object.keys(filter).length > 0} />
        {recordings.length > 0 ? (
          <ul class="sessions recordings" aria-label={t('recordings')}>
            {recordings.map((recording) => (
              <RecordingRow key={recording.id} recording={recording} />
            ))}
          </ul>
        ) : null}
        {hasMore && !loading ? <More load={list.loadMore} /> : null}
      </main>
    </>
  );
}

function ListState({
  recordings,
  loading,
  problem,
  hasMore,
  reload,
  filtered,
}: Recordings & { readonly filtered: boolean }) {
  if (problem && recordings.length > 0)
    return (
      <p class="stale" role="status">
        <AlertIcon /> {recordingProblem(problem)}
      </p>
    );
  if (problem)
    return (
      <div class="notice" role="alert">
        <h2>{t('recordings.failed')}</h2>
        <p>{recordingProblem(problem)}</p>
        <button type="button" class="button primary" onClick={reload}>
          {t('tryAgain')}
        </button>
      </div>
    );
  if (recordings.length > 0) return null;
  if (loading) return <ListSkeleton />;
  if (hasMore) return null;
  return (
    <div class="notice" data-empty>
      <h2>{t(filtered ? 'recordings.noMatch' : 'recordings.none')}</h2>
      <p>{t(filtered ? 'recordings.noMatchAdvice' : 'recordings.noneAdvice')}</p>
    </div>
  );
}

/** Loads the next page when it comes into view, or by its button. */
function More({ load }: { readonly load: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!button.current) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) load();
    });
    observer.observe(button.current);
    return () => observer.disconnect();
  });
  return (
    <p class="recordings-more">
      <button ref={button} type="button" class="button" onClick={load}>
        {t('recordings.more')}
      </button>
    </p>
  );
}
