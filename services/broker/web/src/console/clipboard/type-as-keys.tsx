import { systemClock } from '@porthole/shared/time/clock';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { Screen } from '../display/screen.ts';
import { LayoutSelect, type LayoutChoice } from '../keyboard/layouts/layout-select.tsx';
import { layoutKey } from '../keyboard/layouts/layout-list.ts';
import { layoutTitle } from '../keyboard/layouts/layout-title.ts';
import { loadStrokes } from '../keyboard/layouts/load-strokes.ts';
import { missingCharacters, typedText, typeText } from '../keyboard/text-entry.ts';

interface TypeAsKeysProps {
  readonly screen: Screen;
  readonly text: string;
  readonly layouts: LayoutChoice;
  readonly setStatus: (status: string) => void;
}

interface Typing {
  readonly controller: AbortController;
  readonly total: number;
}

const interrupted = Symbol('interrupted');

/** Types text with the keys of the machine's layout, for machines without a clipboard. */
export function TypeAsKeys({ screen, text, layouts, setStatus }: TypeAsKeysProps) {
  const { layout } = layouts;
  const [typing, setTyping] = useState<Typing | undefined>(undefined);
  const [typed, setTyped] = useState(0);
  const [missing, setMissing] = useState<ReadonlyMap<string, number> | undefined>(undefined);
  // Also when the panel closes, because the console ends or its input is held back.
  useEffect(() => () => typing?.controller.abort(), [typing]);
  useEffect(() => setMissing(undefined), [text, layoutKey(layout)]);
  useEscape(typing ? () => typing.controller.abort() : missing ? () => setMissing(undefined) : undefined);

  /** The user decides about missing characters before anything is typed. */
  async function start(skipMissing: boolean) {
    const strokes = await loadStrokes(layout).catch(() => undefined);
    if (!strokes) return setStatus(t('typing.noLayouts'));
    const lacking = missingCharacters(text, strokes);
    if (lacking.size > 0 && !skipMissing) {
      setStatus('');
      return setMissing(lacking);
    }
    setMissing(undefined);
    const total = typedText(text).filter((character) => strokes.has(character)).length;
    const controller = new AbortController();
    setTyped(0);
    setTyping({ controller, total });
    setStatus(t('typing.busy'));
    const { signal } = controller;
    // What is sent while a console moves could be lost, and the rest of the text would then be wrong.
    const unsubscribe = screen.onDetached(() => controller.abort(interrupted));
    const count = await typeText(text, { screen, strokes, clock: systemClock, signal, onTyped: setTyped });
    unsubscribe();
    setTyping(undefined);
    if (!signal.aborted) setStatus(t('typing.done'));
    else if (signal.reason !== interrupted) setStatus(t('typing.stopped', { count, total }));
    else setStatus(t('typing.interrupted', { count, total }));
  }

  return (
    <>
      <label for="guest-layout">{t('typing.layout')}</label>
      <LayoutSelect {...layouts} id="guest-layout" disabled={typing !== undefined} />
      {missing ? (
        <MissingCharacters
          missing={missing}
          layoutName={layoutTitle(layout.id)}
          typeOthers={() => void start(true)}
          cancel={() => setMissing(undefined)}
        />
      ) : (
        <div class="actions">
          {typing ? (
            <button type="button" class="button" onClick={() => typing.controller.abort()}>
              {t('typing.stop')}
            </button>
          ) : (
            <button type="button" class="button" disabled={!text} onClick={() => void start(false)}>
              {t('typing.start')}
            </button>
          )}
          {typing ? (
            <span class="typing-progress">
              <progress max={typing.total} value={typed} aria-label={t('typing.progress')} />
              <span aria-hidden="true">{t('typing.of', { typed, total: typing.total })}</span>
            </span>
          ) : null}
        </div>
      )}
    </>
  );
}

/** Escape then does this instead of closing the panel or going to the machine. */
function useEscape(action: (() => void) | undefined) {
  const newest = useRef(action);
  newest.current = action;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !newest.current) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      newest.current();
    };
    window.addEventListener('keydown', onKeyDown, true);
    return () => window.removeEventListener('keydown', onKeyDown, true);
  }, []);
}

interface MissingCharactersProps {
  readonly missing: ReadonlyMap<string, number>;
  readonly layoutName: string;
  readonly typeOthers: () => void;
  readonly cancel: () => void;
}

const maxNamed = 24;

function MissingCharacters({ missing, layoutName, typeOthers, cancel }: MissingCharactersProps) {
  const group = useRef<HTMLDivElement>(null);
  // The button that had the focus is gone.
  useLayoutEffect(() => group.current?.querySelector('button')?.focus(), []);
  const total = [...missing.values()].reduce((sum, count) => sum + count, 0);
  const named = [...missing].slice(0, maxNamed);
  return (
    <div ref={group} class="missing-characters" role="group" aria-labelledby="missing-title">
      <p id="missing-title">{t('typing.missing', { layout: layoutName, count: total })}</p>
      <ul>
        {named.map(([character, count]) => (
          <li key={character}>
            <code>{visible(character)}</code> {t('typing.times', { count })}
          </li>
        ))}
        {missing.size > named.length ? (
          <li>{t('typing.andMore', { count: missing.size - named.length })}</li>
        ) : null}
      </ul>
      <div class="actions">
        <button type="button" class="button" onClick={typeOthers}>
          {t('typing.withoutThem')}
        </button>
        <button type="button" class="button" onClick={cancel}>
          {t('cancel')}
        </button>
      </div>
    </div>
  );
}

/** Spaces, control and combining characters by their code points. */
function visible(character: string): string {
  if (!/[\p{C}\p{Z}\p{M}]/u.test(character)) return character;
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
