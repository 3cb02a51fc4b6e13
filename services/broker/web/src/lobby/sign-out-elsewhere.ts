import type { SignedOut } from '../api.ts';

/** Goes to where the person signed in, to sign out there, too. By a form: what it holds has no place in an address. */
export function signOutElsewhere({ form, url }: SignedOut): void {
  if (url !== undefined) return location.assign(url);
  if (!form) return;
  const element = document.createElement('form');
  element.method = 'post';
  element.action = form.url;
  for (const [name, value] of Object.entries(form.fields)) {
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = name;
    field.value = value;
    element.append(field);
  }
  document.body.append(element);
  element.submit();
}
