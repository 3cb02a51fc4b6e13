import { t } from '../../language/t.ts';
import type { Machine, PowerAction } from '../../api.ts';
import { ContainerIcon, EyeIcon, MachineIcon, NodeIcon } from '../../components/icons.tsx';
import { defaultConsolePath } from '../../paths.ts';
import { statusLabel } from '../../texts/machines.ts';
import type { RowPlace } from '../use-growing-list.ts';
import { MachineMenu } from './machine-menu.tsx';

const typeIcons = { qemu: MachineIcon, lxc: ContainerIcon, node: NodeIcon } as const;

interface MachineRowProps {
  readonly machine: Machine;
  readonly place: RowPlace;
  readonly showCluster: boolean;
  readonly setSearch: (search: string) => void;
  readonly pendingAction: PowerAction | undefined;
  readonly onPowerAction: (action: PowerAction) => void;
}

/** One machine. The link of its name covers the whole row; tags and menu lie above it. */
export function MachineRow({
  machine,
  place,
  showCluster,
  setSearch,
  pendingAction,
  onPowerAction,
}: MachineRowProps) {
  const { name, vmid, status, type, tags, allow, kinds } = machine;
  const TypeIcon = typeIcons[type];
  const canOpen = kinds.length > 0;
  return (
    <li
      class="machine"
      data-status={status}
      data-vmid={vmid}
      aria-posinset={place.position}
      aria-setsize={place.total}
    >
      <span class="machine-icon" title={t(`type.${type}`)}>
        <TypeIcon />
        <span class="visually-hidden">{t(`type.${type}`)}</span>
      </span>
      <span class="machine-main">
        {canOpen ? (
          <a class="machine-name" href={defaultConsolePath(machine)}>
            {name}
          </a>
        ) : (
          <span class="machine-name">{name}</span>
        )}
        <Facts machine={machine} showCluster={showCluster} />
      </span>
      {tags.length > 0 ? (
        <span class="tags">
          {tags.map((tag) => (
            <button
              key={tag}
              type="button"
              class="tag"
              title={t('machines.searchFor', { tag })}
              onClick={() => setSearch(tag)}
            >
              {tag}
            </button>
          ))}
        </span>
      ) : null}
      <span class="status" data-status={status} data-pending={pendingAction !== undefined}>
        <span class="dot" aria-hidden="true" />
        {pendingAction ? t(`power.${pendingAction}Busy`) : statusLabel(status)}
      </span>
      {canOpen || allow.includes('power') ? (
        <MachineMenu machine={machine} onPowerAction={onPowerAction} />
      ) : null}
    </li>
  );
}

function Facts({ machine, showCluster }: Pick<MachineRowProps, 'machine' | 'showCluster'>) {
  const { vmid, type, node, cluster, pool, allow, kinds } = machine;
  const facts =
    type === 'node'
      ? [t('type.node'), showCluster ? cluster : '']
      : [showCluster ? `${cluster} / ${node}` : node, pool];
  return (
    <span class="machine-facts">
      {type === 'node' ? null : <span class="vmid">{vmid}</span>}
      {facts.filter(Boolean).map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
      {kinds.includes('screen') && !allow.includes('control') ? (
        <span class="view-only">
          <EyeIcon /> {t('machine.viewOnly')}
        </span>
      ) : null}
    </span>
  );
}
