import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
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
      <label for="password">Password</label>
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
          aria-label="Show password"
          aria-pressed={visible}
          title={visible ? 'Hide password' : 'Show password'}
          onClick={() => setVisible(!visible)}
        >
          {visible ? <EyeOffIcon /> : <EyeIcon />}
        </button>
      </div>
      <p class="caps-lock" id="caps-lock" role="status">
        {capsLock ? 'Caps Lock is on.' : ''}
      </p>
    </>
  );
}
