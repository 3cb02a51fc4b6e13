import type { Machine, PowerAction } from '../../api.ts';
import { ContainerIcon, EyeIcon, MachineIcon, NodeIcon } from '../../components/icons.tsx';
import { powerProgress, statusLabel, typeLabels } from '../../texts.ts';
import { defaultConsolePath } from './best-path.ts';
import { MachineMenu } from './machine-menu.tsx';

const typeIcons = { qemu: MachineIcon, lxc: ContainerIcon, node: NodeIcon } as const;

interface MachineRowProps {
  readonly machine: Machine;
  readonly showCluster: boolean;
  readonly pick: (search: string) => void;
  /** What it is told to do at this moment. */
  readonly going: PowerAction | undefined;
  readonly power: (action: PowerAction) => void;
}

/** One machine. Its name is a link that is stretched over the whole row; tags and menu lie above it. */
export function MachineRow({ machine, showCluster, pick, going, power }: MachineRowProps) {
  const { name, vmid, status, type, node, cluster, pool, tags, allow, kinds } = machine;
  const TypeIcon = typeIcons[type];
  const control = allow.includes('control');
  const openable = kinds.length > 0;
  const place = showCluster ? `${cluster} / ${node}` : node;
  const facts = type === 'node' ? [typeLabels.node, showCluster ? cluster : ''] : [place, pool];
  return (
    <li class="machine" data-status={status} data-vmid={vmid}>
      <span class="machine-icon" title={typeLabels[type]}>
        <TypeIcon />
        <span class="visually-hidden">{typeLabels[type]}</span>
      </span>
      <span class="machine-main">
        {openable ? (
          <a class="machine-name" href={defaultConsolePath(machine)}>
            {name}
          </a>
        ) : (
          <span class="machine-name">{name}</span>
        )}
        <span class="machine-facts">
          {type === 'node' ? null : <span class="vmid">{vmid}</span>}
          {facts.filter(Boolean).map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
          {kinds.includes('screen') && !control ? (
            <span class="view-only">
              <EyeIcon /> View only
            </span>
          ) : null}
        </span>
      </span>
      {tags.length > 0 ? (
        <span class="tags">
          {tags.map((tag) => (
            <button key={tag} type="button" class="tag" title={`Search for ${tag}`} onClick={() => pick(tag)}>
              {tag}
            </button>
          ))}
        </span>
      ) : null}
      <span class="status" data-status={status} data-going={going !== undefined}>
        <span class="dot" aria-hidden="true" />
        {going ? powerProgress[going] : statusLabel(status)}
      </span>
      {openable || allow.includes('power') ? <MachineMenu machine={machine} power={power} /> : null}
    </li>
  );
}
