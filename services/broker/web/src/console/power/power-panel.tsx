import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { MachineType, PowerAction } from '../../api.ts';
import { CloseIcon, PowerActionIcon } from '../../components/icons.tsx';
import { availableActions } from '../../power-actions.ts';

interface PowerPanelProps {
  readonly type: MachineType;
  readonly onAction: (action: PowerAction) => void;
  readonly close: () => void;
}

export function PowerPanel({ type, onAction, close }: PowerPanelProps) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => panel.current?.querySelector<HTMLElement>('.power-action')?.focus(), []);
  return (
    <section
      ref={panel}
      class="panel power-panel"
      role="dialog"
      aria-label={t('power')}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header>
        <h2>{t('power')}</h2>
        <button type="button" class="icon-button" aria-label={t('close')} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {availableActions('running', type).map((action) => (
        <button key={action} type="button" class="power-action" onClick={() => onAction(action)}>
          <PowerActionIcon action={action} />
          <span>
            <strong>{t(`power.${action}`)}</strong>
            <small>{t(`power.${action}Hint`)}</small>
          </span>
        </button>
      ))}
    </section>
  );
}
