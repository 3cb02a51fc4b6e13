import { languages, languageTags } from '@porthole/shared/language/languages';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { CloseIcon } from '../../components/icons.tsx';
import { chooseLanguage } from '../../language/choose-language.ts';
import { currentLanguage } from '../../language/current-language.ts';
import { t } from '../../language/t.ts';

/** Each language by its own name. */
export function LanguagePanel({ close }: { readonly close: () => void }) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => panel.current?.querySelector<HTMLElement>('[aria-pressed=true]')?.focus(), []);
  return (
    <section
      ref={panel}
      class="panel language-panel"
      role="dialog"
      aria-label={t('language')}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header>
        <h2>{t('language')}</h2>
        <button type="button" class="icon-button" aria-label={t('close')} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {languageTags.map((language) => (
        <button
          key={language}
          type="button"
          class="language-choice"
          lang={language}
          dir={languages[language].direction}
          aria-pressed={language === currentLanguage()}
          onClick={() => {
            void chooseLanguage(language);
            close();
          }}
        >
          {languages[language].name}
        </button>
      ))}
    </section>
  );
}
