import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { EyeIcon } from '../../components/icons.tsx';
import { mineShownText, shownTitle } from '../../texts/class.ts';
import type { Shown } from './class-info.ts';
import { startFollowing } from './start-following.ts';

type Size = 'beside' | 'instead' | 'hidden';

/** The machine that is shown to the class, beside the user's own console or instead of it. */
export function ShownView({ shown }: { readonly shown: Shown | undefined }) {
  const [size, setSize] = useState<Size>('beside');
  const key = shown && `${shown.cluster}/${shown.vmid}`;
  const isVisible = shown !== undefined && !shown.mine && size !== 'hidden';
  // What is shown next is seen again.
  useEffect(() => setSize((before) => (before === 'hidden' ? 'beside' : before)), [key]);
  // The style sheet makes room for it.
  useEffect(() => {
    document.body.dataset['shown'] = isVisible ? size : 'none';
    return () => {
      document.body.dataset['shown'] = 'none';
    };
  }, [isVisible, size]);

  return (
    <>
      <p class="visually-hidden" role="status" aria-live="polite">
        {shown ? (shown.mine ? mineShownText(shown.by) : shownTitle(shown.name, shown.by)) : ''}
      </p>
      {shown?.mine ? (
        <p class="shown-mine">
          <EyeIcon /> {mineShownText(shown.by)}
        </p>
      ) : null}
      {shown && !shown.mine ? (
        <section class="shown" data-size={size} aria-label={shownTitle(shown.name, shown.by)}>
          <header class="shown-head">
            <p class="shown-title">{shownTitle(shown.name, shown.by)}</p>
            {size === 'hidden' ? (
              <button type="button" class="button" onClick={() => setSize('beside')}>
                {t('shown.showAgain')}
              </button>
            ) : (
              <>
                <button
                  type="button"
                  class="button"
                  onClick={() => setSize(size === 'beside' ? 'instead' : 'beside')}
                >
                  {t(size === 'beside' ? 'shown.large' : 'shown.beside')}
                </button>
                <button type="button" class="button" onClick={() => setSize('hidden')}>
                  {t('shown.hide')}
                </button>
              </>
            )}
          </header>
          {isVisible ? <Picture key={key} shown={shown} /> : null}
        </section>
      ) : null}
    </>
  );
}

function Picture({ shown: { cluster, vmid } }: { readonly shown: Shown }) {
  const target = useRef<HTMLDivElement>(null);
  const lastFrame = useRef<HTMLCanvasElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    if (!target.current || !lastFrame.current) return;
    const elements = { target: target.current, lastFrame: lastFrame.current };
    return startFollowing({ cluster, vmid, ...elements, onOpen: setIsOpen });
  }, [cluster, vmid]);
  return (
    <div class="shown-picture" data-open={isOpen}>
      <div class="shown-screen" dir="ltr" ref={target} />
      <canvas class="shown-last-frame" ref={lastFrame} hidden aria-hidden="true" />
      {isOpen ? null : <p class="shown-opening">{t('shown.opening')}</p>}
    </div>
  );
}
