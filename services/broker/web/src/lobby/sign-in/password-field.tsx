import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { EyeIcon, EyeOffIcon } from '../../components/icons.tsx';

interface PasswordFieldProps {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly invalid: boolean;
}

/** A password that can be shown, with a warning about Caps Lock. */
export function PasswordField({ field, invalid }: PasswordFieldProps) {
  const [visible, setVisible] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const checkCapsLock = (event: KeyboardEvent) => setCapsLock(event.getModifierState('CapsLock'));
  // Preact's types know no field that changes its type.
  const type = (visible ? 'text' : 'password') as 'password';
  return (
    <>
      <label for="password">{t('signIn.password')}</label>
      <div class="password">
        <input
          id="password"
          ref={field}
          name="password"
          type={type}
          autocomplete="current-password"
          autocapitalize="none"
          spellcheck={false}
          required
          aria-invalid={invalid}
          aria-describedby={capsLock ? 'caps-lock' : undefined}
          onKeyDown={checkCapsLock}
          onKeyUp={checkCapsLock}
          onBlur={() => setCapsLock(false)}
        />
        <button
          type="button"
          class="icon-button"
          aria-label={t('signIn.showPassword')}
          aria-pressed={visible}
          title={t(visible ? 'signIn.hidePassword' : 'signIn.showPassword')}
          onClick={() => setVisible(!visible)}
        >
          {visible ? <EyeOffIcon /> : <EyeIcon />}
        </button>
      </div>
      <p class="caps-lock" id="caps-lock" role="status">
        {capsLock ? t('signIn.capsLock') : ''}
      </p>
    </>
  );
}
