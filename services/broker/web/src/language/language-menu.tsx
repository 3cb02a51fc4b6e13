import { isLanguage, languages, languageTags } from '@porthole/shared/language/languages';
import { GlobeIcon } from '../components/icons.tsx';
import { chooseLanguage } from './choose-language.ts';
import { currentLanguage } from './current-language.ts';
import { t } from './t.ts';

/** Each language by its own name, so that users find theirs on a page that they cannot read. */
export function LanguageMenu() {
  return (
    <label class="language-menu" title={t('language')}>
      <GlobeIcon />
      <span class="visually-hidden">{t('language')}</span>
      <select
        value={currentLanguage()}
        onChange={({ currentTarget: { value } }) => {
          if (isLanguage(value)) void chooseLanguage(value);
        }}
      >
        {languageTags.map((language) => (
          <option key={language} value={language} lang={language}>
            {languages[language].name}
          </option>
        ))}
      </select>
    </label>
  );
}
