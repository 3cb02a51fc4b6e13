import { t } from '../../language/t.ts';
import { basePath } from '../../base-path.ts';
import type { View } from '../connection/view.ts';

export function MachinesLink({ primary = false }: { readonly primary?: boolean }) {
  return (
    <a class={primary ? 'button primary' : 'button'} href={basePath} data-home>
      {t('yourMachines')}
    </a>
  );
}

export function SupportId({ view }: { readonly view: View }) {
  if (!view.supportId) return null;
  return (
    <p class="support">
      {t('supportNumber')} <code>{view.supportId}</code>
    </p>
  );
}
